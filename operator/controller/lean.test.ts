import type {
  Deployment,
  EndpointSlice,
  KubeObject,
  Pod,
  PodDisruptionBudget,
  Service,
} from '@assistant-platform/runtime';
import { LABELS, withDefaults } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import { childLabels } from '../rollout/names.ts';
import {
  contentChanged,
  leanBudget,
  leanDeployment,
  leanEndpointSlice,
  leanMetadata,
  leanPod,
  leanService,
  SERVICE_NAME,
} from './lean.ts';
import { type Observed, snapshotOf } from './observe.ts';

const HASH = 'a1b2c3';
const SPEC = {
  components: { chat: { image: 'chat:1' } },
  gateway: { parentRef: { name: 'public' } },
  strategy: { type: 'BlueGreen' as const, blueGreen: {} },
};

/** With all that Kubernetes puts into metadata. */
const metadata = (name: string, more: Partial<KubeObject['metadata']> = {}): KubeObject['metadata'] => ({
  name,
  namespace: 'here',
  uid: `uid-${name}`,
  resourceVersion: '7',
  generation: 3,
  creationTimestamp: '2026-01-01T00:00:00Z',
  labels: { ...childLabels('support', 'chat', HASH), 'pod-template-hash': '5d4f' },
  annotations: {
    'assistant-platform.io/applied': 'digest',
    'assistant-platform.io/drain-started': '2026-01-01T00:00:00Z',
    'assistant-platform.io/drain-deadline': '2026-01-01T00:10:00Z',
    'controller.kubernetes.io/pod-deletion-cost': '-2000',
    'deployment.kubernetes.io/revision': '1',
  },
  ownerReferences: [{ apiVersion: 'v1', kind: 'Owner', name: 'o', uid: 'u' }],
  ...more,
});

const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
const container = (state: object) => ({
  name: 'chat',
  image: 'chat:1',
  imageID: 'sha256:1',
  ready: false,
  restartCount: 2,
  started: true,
  state,
  lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
});

const whole = {
  deployments: [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata('d'),
      spec: { replicas: 4, template: {} },
      status: { replicas: 3 },
    },
  ] as unknown as Deployment[],
  pods: [
    ['Ready', 'True', { running: { startedAt: '2026-01-01T00:00:00Z' } }],
    ['Ready', 'False', { waiting }],
    ['PodScheduled', 'False', {}],
  ].map(([type, status, state], index) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata(
      `p${index}`,
      index === 2 ? { deletionTimestamp: '2026-01-02T00:00:00Z', deletionGracePeriodSeconds: 645 } : {},
    ),
    spec: { containers: [{ name: 'chat' }], nodeName: 'n' },
    status: {
      phase: 'Running',
      podIP: `10.0.0.${index}`,
      conditions: [{ type, status, reason: 'Because', message: 'of that', lastTransitionTime: 'then' }],
      containerStatuses: [container(state as object)],
      initContainerStatuses: [],
    },
  })) as unknown as Pod[],
  services: [
    { apiVersion: 'v1', kind: 'Service', metadata: metadata('s'), spec: { clusterIP: '10.0.0.1' } },
  ] as unknown as Service[],
  endpointSlices: [
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      addressType: 'IPv4',
      metadata: metadata('e', { labels: { [LABELS.name]: 'support', [SERVICE_NAME]: `support-chat-${HASH}` } }),
      endpoints: [{ addresses: ['10.0.0.0'], conditions: { ready: true }, targetRef: { kind: 'Pod', uid: 'uid-p0' } }],
    },
  ] as unknown as EndpointSlice[],
  budgets: [
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: metadata('b'),
      spec: {},
      status: { currentHealthy: 1 },
    },
  ] as unknown as PodDisruptionBudget[],
};

const observed = (objects: typeof whole): Observed => ({
  ...objects,
  subject: { apiVersion: 'v1', kind: 'AssistantDeployment', metadata: metadata('support'), spec: SPEC, status: {} },
  release: withDefaults(SPEC),
  revisions: [],
  routes: [],
  adminSecret: true,
  copies: [],
  references: {},
  measurements: [],
  settings: { settleMs: 0 },
  sessionsOf: () => ({ kind: 'unknown' }),
});

const lean: typeof whole = {
  deployments: whole.deployments.map(leanDeployment),
  pods: whole.pods.map(leanPod),
  services: whole.services.map(leanService),
  endpointSlices: whole.endpointSlices.map(leanEndpointSlice),
  budgets: whole.budgets.map(leanBudget),
};

describe('lean objects', () => {
  it('give the same snapshot as whole ones', () => {
    expect(snapshotOf(observed(lean))).toEqual(snapshotOf(observed(whole)));
    // Not because nothing was read.
    const { pods, workloads } = snapshotOf(observed(lean));
    expect(pods.map(({ ready, trouble }) => [ready, trouble?.reason])).toEqual([
      [true, undefined],
      [false, 'ImagePullBackOff'],
      [false, 'Because'],
    ]);
    expect(workloads[0]).toMatchObject({ replicas: 4, digest: 'digest' });
  });

  it('are smaller, whatever a whole one holds besides', () => {
    for (const kind of ['deployments', 'services', 'budgets'] as const)
      expect(JSON.stringify(lean[kind]).length, kind).toBeLessThan(0.8 * JSON.stringify(whole[kind]).length);
    expect(leanMetadata(whole.services[0]!)).toMatchObject({ spec: { clusterIP: '10.0.0.1' } });
    expect(leanMetadata(whole.services[0]!).metadata.ownerReferences).toBeUndefined();
  });

  it('have changed when something that is kept has', () => {
    const [old] = lean.deployments;
    if (old === undefined) throw new Error('no deployment');
    const now = (change: Partial<Deployment>): boolean =>
      contentChanged({ type: 'Updated', old, object: { ...old, ...change } });
    expect(now({ metadata: { ...old.metadata, resourceVersion: '8' } })).toBe(false);
    expect(now({ metadata: { ...old.metadata, annotations: {} } })).toBe(true);
    expect(now({ spec: { ...old.spec, replicas: 5 } as Deployment['spec'] })).toBe(true);
    expect(contentChanged({ type: 'Deleted', object: old })).toBe(true);
    expect(contentChanged({ type: 'Added', object: old, initial: true })).toBe(true);
  });
});
