import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RouteIntent } from '../rollout/snapshot.ts';
import { acceptanceOf } from './acceptance.ts';
import { fromHttpRoute, type HttpRoute, toHttpRoute } from './httpRoute.ts';

const reference = {
  apiVersion: 'assistant-platform.io/v1alpha1',
  kind: 'AssistantDeployment',
  name: 'support',
  uid: 'u',
  controller: true,
  blockOwnerDeletion: false,
};
const owner = { name: 'support', namespace: 'assistants', reference };

const revision = fc.stringMatching(/^[0-9a-f]{8}$/);
const port = fc.integer({ min: 1, max: 65_535 });
const intents: fc.Arbitrary<RouteIntent> = fc.record({
  component: fc.constantFrom('chat', 'realtime', 'a-b'),
  path: fc.constantFrom('/', '/ws', '/a/b'),
  parentRef: fc.constantFrom(
    { name: 'public' },
    { name: 'public', namespace: 'gateway-system', sectionName: 'web' },
    { name: 'p', port: 80 },
  ),
  hostnames: fc.subarray(['a.example.com', '*.example.org']),
  backends: fc.array(fc.record({ revision, weight: fc.integer({ min: 0, max: 100 }), port }), {
    minLength: 1,
    maxLength: 4,
  }),
  byHeader: fc.array(fc.record({ revision, port }), { maxLength: 3 }),
});

describe('HTTPRoute', () => {
  it('what is written is read back as it was meant', () => {
    fc.assert(
      fc.property(intents, (intent) => {
        const route = toHttpRoute(owner, intent, '7');
        expect(fromHttpRoute('support', intent.component, route).intent).toEqual(intent);
      }),
      { numRuns: 200 },
    );
  });

  it('is understood with the defaults that the API server fills in', () => {
    const route = toHttpRoute(
      owner,
      {
        component: 'chat',
        path: '/',
        parentRef: { name: 'public' },
        hostnames: [],
        backends: [{ revision: 'abc', weight: 100, port: 8080 }],
        byHeader: [],
      },
      null,
    );
    Object.assign(route.spec?.parentRefs?.[0] ?? {}, { group: 'gateway.networking.k8s.io', kind: 'Gateway' });
    Object.assign(route.spec?.rules?.[0]?.backendRefs?.[0] ?? {}, { group: '', kind: 'Service' });
    expect(fromHttpRoute('support', 'chat', route).intent?.backends).toEqual([
      { revision: 'abc', weight: 100, port: 8080 },
    ]);
  });

  it.each<[string, (route: HttpRoute) => void]>([
    ['a foreign backend', (route) => route.spec?.rules?.[0]?.backendRefs?.push({ name: 'other', port: 1 })],
    ['two parents', (route) => route.spec?.parentRefs?.push({ name: 'second' })],
    ['a foreign rule', (route) => route.spec?.rules?.unshift({ matches: [{ path: { value: '/x' } }] })],
    ['no rules', (route) => route.spec?.rules?.splice(0)],
  ])('edited by hand is not understood, so that it is written anew: %s', (_what, change) => {
    const route = toHttpRoute(
      owner,
      {
        component: 'chat',
        path: '/',
        parentRef: { name: 'public' },
        hostnames: [],
        backends: [{ revision: 'abc', weight: 100, port: 8080 }],
        byHeader: [],
      },
      null,
    );
    change(route);
    expect(fromHttpRoute('support', 'chat', route).intent).toBeNull();
  });
});

describe('acceptance', () => {
  const said = (
    conditions: { type: string; status: string; observedGeneration: number; reason?: string; message?: string }[],
    parentRef: { name: string; namespace?: string } = { name: 'public', namespace: 'gw' },
  ): HttpRoute => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'r', namespace: 'assistants', generation: 3 },
    spec: { parentRefs: [{ name: 'public', namespace: 'gw' }] },
    status: { parents: [{ parentRef, conditions }] },
  });
  const both = (generation: number, resolved = 'True') => [
    { type: 'Accepted', status: 'True', observedGeneration: generation },
    {
      type: 'ResolvedRefs',
      status: resolved,
      observedGeneration: generation,
      reason: 'BackendNotFound',
      message: 'no Service',
    },
  ];
  it.each([
    ['this generation', said(both(3)), { kind: 'Accepted' }],
    ['an earlier one', said(both(2)), { kind: 'Pending', earlier: true }],
    ['half of it', said(both(3).slice(0, 1)), { kind: 'Pending', earlier: false }],
    ['nothing', said([]), { kind: 'Pending', earlier: false }],
    ['another parent', said(both(3), { name: 'public' }), { kind: 'Pending', earlier: false }],
    ['a refusal', said(both(3, 'False')), { kind: 'Refused', reason: 'BackendNotFound', message: 'no Service' }],
    ['a refusal of an earlier one', said(both(2, 'False')), { kind: 'Pending', earlier: false }],
  ])('of %s', (_what, route, expected) => expect(acceptanceOf(route)).toEqual(expected));
});
