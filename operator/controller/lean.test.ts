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
import { APPLIED_DIGEST, childLabels } from '../rollout/names.ts';
import { disruptionBudget, type Manifest, revisionService } from '../rollout/objects.ts';
import { sampleRelease } from '../rollout/releases.ts';
import { World } from '../rollout/world.ts';
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

const { subject: SUBJECT } = new World(sampleRelease('1.0.0')).snapshot();

/** An object of ours as the API server has it. */
const applied = ({ metadata: { labels, annotations, name }, ...rest }: Manifest, more: object = {}) => ({
  ...rest,
  metadata: metadata(name, { labels, annotations: { ...metadata(name).annotations, ...annotations } }),
  spec: { ...(rest['spec'] as object), ...more },
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
      status: {
        replicas: 3,
        conditions: [
          { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: 'of that' },
          { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' },
        ],
      },
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
  services: [applied(revisionService(SUBJECT, 'chat', HASH, 8080), { clusterIP: '10.0.0.1' })] as unknown as Service[],
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
    { ...applied(disruptionBudget(SUBJECT, 'chat', HASH)), status: { currentHealthy: 1 } },
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

interface EditedSpec {
  selector: object;
  ports: object[];
}

describe('what was applied', () => {
  const service = whole.services[0]!;
  const budget = whole.budgets[0]!;
  const digest = ({ metadata: { annotations } }: KubeObject) => annotations?.[APPLIED_DIGEST];
  const edited = (change: (copy: { metadata: { labels: Record<string, string> }; spec: EditedSpec }) => void) => {
    const copy = structuredClone(service) as unknown as Parameters<typeof change>[0];
    change(copy);
    return digest(leanService(copy as unknown as Service));
  };

  it('is known by its digest, beside what the API server and others have added', () => {
    expect(digest(leanService(service))).toBe(digest(service));
    expect(digest(leanBudget(budget))).toBe(digest(budget));
    expect(edited(({ metadata }) => (metadata.labels['team'] = 'a'))).toBe(digest(service));
    expect(edited(({ spec }) => spec.ports.push({ name: 'debug', port: 9229 }))).toBe(digest(service));
  });

  it('is not what somebody has edited', () => {
    expect(edited(({ spec }) => (spec.selector = { app: 'mine' }))).toBeUndefined();
    expect(edited(({ spec }) => (spec.ports = [{ ...spec.ports[0], targetPort: 80 }]))).toBeUndefined();
    expect(edited(({ spec }) => (spec.ports = []))).toBeUndefined();
    expect(edited(({ metadata }) => (metadata.labels['app.kubernetes.io/managed-by'] = 'me'))).toBeUndefined();
    expect(digest(leanBudget({ ...budget, spec: { ...budget.spec, maxUnavailable: 2 } }))).toBeUndefined();
    expect(digest(leanBudget({ ...budget, spec: undefined }))).toBeUndefined();
  });
});

it('a long message of Kubernetes is cut between two characters: half of one would be stored as another, and the status never be as it is wanted', () => {
  const message = `${'x'.repeat(199)}😀😀`;
  const pods = (state: object): Pod[] =>
    whole.pods.slice(2).map((pod) => {
      const conditions = [{ type: 'PodScheduled', status: 'waiting' in state ? 'True' : 'False', message }];
      return {
        ...pod,
        status: { phase: 'Pending', conditions, containerStatuses: [container(state)] },
      };
    });
  for (const state of [{}, { waiting: { reason: 'CreateContainerError', message } }]) {
    const [pod] = snapshotOf(observed({ ...whole, pods: pods(state) })).pods;
    expect(pod?.trouble?.message).toMatch(/^x{199}…/);
    expect(pod?.trouble?.message.isWellFormed()).toBe(true);
  }
});

it('a Deployment whose pods cannot be made says why', () => {
  expect(snapshotOf(observed(whole)).workloads[0]?.trouble).toEqual({
    reason: 'FailedCreate',
    message: 'exceeded quota',
  });
});

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
