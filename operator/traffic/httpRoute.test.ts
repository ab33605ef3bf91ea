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
const split = fc.record({
  revisions: fc.uniqueArray(revision, { minLength: 2, maxLength: 3 }),
  weight: fc.integer({ min: 1, max: 99 }),
});
/** Two revisions that share the traffic, perhaps a drained one beside them; sticky or not. */
const splitting = fc.tuple(split, port, fc.boolean()).map(([{ revisions, weight }, at, sticky]) => {
  const [update = '', stable = ''] = revisions;
  const shares = [weight, 100 - weight, 0];
  return {
    backends: revisions.map((each, index) => ({ revision: each, weight: shares[index] ?? 0, port: at })),
    stickiness: sticky ? ({ by: 'Bucket', update, stable } as const) : ({ by: 'None' } as const),
  };
});
const any = fc.record({
  backends: fc.array(fc.record({ revision, weight: fc.integer({ min: 0, max: 100 }), port }), {
    minLength: 1,
    maxLength: 4,
  }),
  stickiness: fc.constant({ by: 'None' } as const),
});
const intents: fc.Arbitrary<RouteIntent> = fc
  .record({
    component: fc.constantFrom('chat', 'realtime', 'a-b'),
    path: fc.constantFrom('/', '/ws', '/a/b'),
    parentRef: fc.constantFrom(
      { name: 'public' },
      { name: 'public', namespace: 'gateway-system', sectionName: 'web' },
      { name: 'p', port: 80 },
    ),
    hostnames: fc.subarray(['a.example.com', '*.example.org']),
    byHeader: fc.array(fc.record({ revision, port }), { maxLength: 3 }),
    traffic: fc.oneof(splitting, any),
  })
  .map(({ traffic, ...rest }) => ({ ...rest, ...traffic }));

const single: RouteIntent = {
  component: 'chat',
  path: '/',
  parentRef: { name: 'public' },
  hostnames: [],
  backends: [{ revision: 'abc', weight: 100, port: 8080 }],
  byHeader: [],
  stickiness: { by: 'None' },
};
const canary = (weight: number): RouteIntent => ({
  ...single,
  backends: [
    { revision: 'new', weight, port: 8080 },
    { revision: 'old', weight: 100 - weight, port: 8080 },
  ],
  byHeader: [
    { revision: 'new', port: 8080 },
    { revision: 'old', port: 8080 },
  ],
  stickiness: { by: 'Bucket', update: 'new', stable: 'old' },
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
    const route = toHttpRoute(owner, single, null);
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
    ['a second match', (route) => route.spec?.rules?.[0]?.matches?.push({ path: { value: '/x' } })],
  ])('edited by hand is not understood, so that it is written anew: %s', (_what, change) => {
    const route = toHttpRoute(owner, single, null);
    change(route);
    expect(fromHttpRoute('support', 'chat', route).intent).toBeNull();
  });

  it.each<[string, (rules: Rules) => unknown]>([
    ['a bucket rule is missing', (rules) => rules.splice(2, 1)],
    [
      'a bucket rule goes elsewhere',
      (rules) => rules[2]?.backendRefs?.splice(0, 1, { name: 'support-chat-old', port: 8080 }),
    ],
    ['two bucket rules changed places', (rules) => rules.splice(2, 2, ...rules.slice(2, 4).toReversed())],
    [
      'the weights moved and the buckets did not',
      (rules) => Object.assign(rules.at(-1)?.backendRefs?.[0] ?? {}, { weight: 20 }),
    ],
    [
      'a bucket rule has its own backend as well',
      (rules) => rules[4]?.backendRefs?.push({ name: 'support-chat-new', port: 8080 }),
    ],
    ['a pattern is another', (rules) => Object.assign(rules[5]?.matches?.[0]?.headers?.[0] ?? {}, { value: '.*' })],
    ['a rule is in front of all', (rules) => rules.unshift(structuredClone(rules[5] ?? {}))],
  ])('with buckets is understood as a whole or not at all: %s', (_what, change) => {
    const route = toHttpRoute(owner, canary(10), null);
    change(route.spec?.rules ?? []);
    expect(fromHttpRoute('support', 'chat', route).intent).toBeNull();
  });
});

type Rules = NonNullable<NonNullable<HttpRoute['spec']>['rules']>;

/** A gateway that does what Gateway API says of precedence: longer path, more header matches, earlier rule. */
function chosenRule(route: HttpRoute, headers: Readonly<Record<string, string>>): string[] {
  const ranked = (route.spec?.rules ?? []).flatMap(({ matches = [], backendRefs = [] }, index) =>
    matches
      .filter((match) =>
        (match.headers ?? []).every(({ type, name, value }) => {
          const given = headers[name.toLowerCase()];
          if (given === undefined) return false;
          return type === 'RegularExpression' ? new RegExp(value).test(given) : given === value;
        }),
      )
      .map((match) => ({
        rank: [-(match.path?.value?.length ?? 0), -(match.headers?.length ?? 0), index] as const,
        backends: backendRefs.map(({ name }) => name.replace('support-chat-', '')),
      })),
  );
  ranked.sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1] || a.rank[2] - b.rank[2]);
  return ranked[0]?.backends ?? [];
}

describe('stickiness by bucket [R-294]', () => {
  const bucket = 'x-assistant-bucket';

  it('sends each bucket to one side, and only forward while the weight rises', () => {
    for (let number = 0; number < 100; number++) {
      let before = 'old';
      for (let weight = 1; weight < 100; weight++) {
        const route = toHttpRoute(owner, canary(weight), null);
        const side = number < weight ? 'new' : 'old';
        expect(chosenRule(route, { [bucket]: String(number) })).toEqual([side]);
        expect(chosenRule(route, { cookie: `a=b; ${bucket}=${number}` })).toEqual([side]);
        expect([before, side]).not.toEqual(['new', 'old']);
        before = side;
      }
    }
  });

  it.each<[string, Record<string, string>, string[]]>([
    ['the header outranks the cookie, backward', { [bucket]: '50', cookie: `${bucket}=5` }, ['old']],
    ['the header outranks the cookie, forward', { [bucket]: '5', cookie: `${bucket}=50` }, ['new']],
    [
      'a revision asked for outranks both',
      { [bucket]: '50', cookie: `${bucket}=50`, 'x-assistant-revision': 'new' },
      ['new'],
    ],
    ['a revision that is not there asks for nothing', { [bucket]: '5', 'x-assistant-revision': 'gone' }, ['new']],
    ['a header that is no bucket leaves it to the cookie', { [bucket]: '100', cookie: `${bucket}=5` }, ['new']],
    ['without a bucket the weights decide', {}, ['new', 'old']],
    ['what is no bucket counts as none', { [bucket]: '-1', cookie: `${bucket}=007` }, ['new', 'old']],
  ])('%s', (_what, headers, expected) => {
    expect(chosenRule(toHttpRoute(owner, canary(10), null), headers)).toEqual(expected);
  });

  it.each([0, 100])(
    'writes no rule for buckets at weight %i, and stays within the rules that Gateway API allows',
    (weight) => {
      expect(toHttpRoute(owner, canary(weight), null).spec?.rules).toHaveLength(3);
      expect(toHttpRoute(owner, canary(50), null).spec?.rules).toHaveLength(7);
    },
  );
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
