// AssistantDeployments as the operator leaves them in the moments that matter, for the golden outputs.
import {
  API_VERSION,
  type AssistantDeployment,
  type AssistantDeploymentSpec,
  type AssistantDeploymentStatus,
  VERBS,
} from '@assistant-platform/api';
import type { PodRow } from '../pods.ts';
import type { RevisionRecord } from '../revisions.ts';
import type { PodSessions, SessionsAnswer } from '../sessions.ts';

/** A moment. */
export interface Scene {
  readonly title: string;
  readonly object: AssistantDeployment;
  readonly pods: readonly PodRow[];
}

/** The time of all scenes. */
export const NOW = Date.parse('2026-11-21T10:00:00Z');
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

const canary: AssistantDeploymentSpec = {
  release: '1.1.0',
  components: {
    chat: { image: 'localhost/assistant/chat:1.1.0', replicas: 2 },
    realtime: { image: 'localhost/assistant/realtime:1.1.0', replicas: 2 },
  },
  gateway: { parentRef: { name: 'public', namespace: 'gateway-system' } },
  strategy: {
    type: 'Canary',
    canary: {
      steps: [
        { setWeight: 10 },
        { pause: { duration: '2m' } },
        { analysis: { metrics: ['error-rate', 'ttft'], duration: '3m' } },
        { setFlag: { feature: 'new-memory', rollout: 25 } },
        { chaos: { experiment: 'realtime-pod-kill' } },
        { setWeight: 50 },
        { pause: {} },
      ],
    },
  },
};
const blueGreen: AssistantDeploymentSpec = {
  ...canary,
  strategy: { type: 'BlueGreen', blueGreen: { autoPromote: false } },
};

const stable = { hash: '6c9f7d', release: '1.0.0' };
const update = { hash: '8d1b2a', release: '1.1.0' };
const side = (replicas: number, ready: number, sockets: number) => ({ replicas, ready, sockets });

function object(
  spec: AssistantDeploymentSpec,
  status?: AssistantDeploymentStatus,
  generation = 7,
): AssistantDeployment {
  return {
    apiVersion: API_VERSION,
    kind: 'AssistantDeployment',
    metadata: { name: 'support', namespace: 'assistants', generation, creationTimestamp: ago(86_400) },
    spec,
    ...(status === undefined ? {} : { status: { observedGeneration: 7, ...status } }),
  };
}

const pod = (component: string, revision: string, index: number, change: Partial<PodRow> = {}): PodRow => ({
  name: `support-${component}-${revision}-${index}`,
  component,
  revision,
  ready: true,
  state: 'Running',
  restarts: 0,
  createdAt: NOW - 3_600_000 * (index + 1),
  ...change,
});
const stablePods = ['chat', 'realtime'].flatMap((component) =>
  [0, 1].map((index) => pod(component, stable.hash, index)),
);
const updatePods = ['chat', 'realtime'].map((component) => pod(component, update.hash, 0, { createdAt: NOW - 90_000 }));

const midway: AssistantDeploymentStatus = {
  stableRevision: stable,
  updateRevision: { ...update, startedAt: ago(300) },
  components: {
    chat: { stable: side(2, 2, 0), update: side(1, 1, 0) },
    realtime: { stable: side(2, 2, 812), update: side(1, 1, 77) },
  },
};

const pausedMidway: AssistantDeploymentStatus = {
  ...midway,
  phase: 'Paused',
  message: 'holding at 50 %: waits until promoted',
  step: { index: 6, count: 7, stepsHash: 'ab12', startedAt: ago(600) },
  weight: { requested: 50, routed: 50, observed: 48.2 },
  pauseConditions: [{ reason: 'CanaryPauseStep', startTime: ago(600) }],
  blockedBy: [{ reason: 'CanaryPauseStep', message: 'waits until promoted', since: ago(600) }],
};

/** With an order that nobody has taken. */
const ordered = ({ metadata, ...rest }: AssistantDeployment): AssistantDeployment => ({
  ...rest,
  metadata: { ...metadata, annotations: { [VERBS.abort]: 'answers are wrong' } },
});

export const scenes: readonly Scene[] = [
  {
    title: 'healthy',
    pods: stablePods,
    object: object(
      { ...canary, release: '1.0.0' },
      {
        phase: 'Healthy',
        message: '1.0.0 is stable and serves all traffic',
        stableRevision: stable,
        updateRevision: stable,
        weight: { requested: 100, routed: 100 },
        components: {
          chat: { stable: side(2, 2, 0), update: side(2, 2, 0) },
          realtime: { stable: side(2, 2, 1), update: side(2, 2, 1) },
        },
        history: [{ ...stable, outcome: 'Promoted', startedAt: ago(7_800), finishedAt: ago(7_200) }],
      },
    ),
  },
  {
    title: 'installing',
    pods: [],
    object: object(canary, {
      observedGeneration: 7,
      phase: 'Progressing',
      message: 'chat of release 1.1.0: 1 of 2 pods ready',
      updateRevision: update,
      step: { index: 7, count: 7, stepsHash: 'ab12', startedAt: ago(12) },
      weight: { requested: 100, routed: 0 },
      components: { chat: { update: side(2, 1, 0) }, realtime: { update: side(2, 2, 0) } },
      blockedBy: [
        {
          reason: 'PodsNotReady',
          message: 'chat of release 1.1.0: 1 of 2 pods ready',
          since: ago(12),
          nextCheckAt: ago(-588),
        },
      ],
    }),
  },
  {
    title: 'canary-analysis',
    pods: [...stablePods, ...updatePods],
    object: object(canary, {
      ...midway,
      phase: 'Progressing',
      message: 'holding at 10 %: error-rate 1.4 % > 1 % (3 of 5 checks failed)',
      step: { index: 2, count: 7, stepsHash: 'ab12', startedAt: ago(72) },
      weight: { requested: 10, routed: 10, observed: 8.7 },
      flags: [{ feature: 'new-memory', rollout: 10, state: 'InSync' }],
      blockedBy: [
        {
          reason: 'MetricFailing',
          message: 'error-rate 1.4 % > 1 % (3 of 5 checks failed)',
          since: ago(45),
          nextCheckAt: ago(-15),
        },
      ],
      analysis: [
        {
          metric: 'error-rate',
          value: '0.014',
          stableValue: '0.002',
          ratioLow: '3.1',
          ratioHigh: '9.8',
          samples: 830,
          verdict: 'Failing',
          failures: 3,
        },
        { metric: 'ttft', verdict: 'NoData', samples: 0 },
        {
          metric: 'fallback-rate',
          verdict: 'Failing',
          value: '0.05',
          message: 'fallback-rate 5 % > 1 %',
          samples: 412,
          checks: 5,
          failures: 3,
        },
        {
          metric: 'cost',
          verdict: 'NoData',
          message: 'cost has 12 of 50 samples',
          samples: 12,
          checks: 2,
          failures: 0,
        },
        { metric: 'own', verdict: 'SourceError', message: 'Prometheus does not answer', checks: 1, errors: 2 },
      ],
    }),
  },
  {
    title: 'canary-paused',
    pods: [...stablePods, ...updatePods],
    object: object(canary, pausedMidway),
  },
  {
    title: 'image-missing',
    pods: [
      ...stablePods,
      pod('chat', update.hash, 0, { ready: false, state: 'ImagePullBackOff', createdAt: NOW - 130_000 }),
      pod('realtime', update.hash, 0, {
        ready: false,
        state: 'CrashLoopBackOff',
        restarts: 4,
        createdAt: NOW - 130_000,
      }),
    ],
    object: object(canary, {
      ...midway,
      phase: 'Progressing',
      message: 'holding at 0 %: support-chat-8d1b2a-0: ImagePullBackOff',
      step: { index: 0, count: 7, stepsHash: 'ab12', startedAt: ago(130) },
      weight: { requested: 0, routed: 0 },
      components: {
        chat: { stable: side(2, 2, 0), update: side(1, 0, 0) },
        realtime: { stable: side(2, 2, 812), update: side(1, 0, 0) },
      },
      blockedBy: [
        {
          reason: 'ImagePullBackOff',
          message: 'support-chat-8d1b2a-0: image localhost/assistant/chat:1.1.0 cannot be had',
          since: ago(128),
          nextCheckAt: ago(-472),
        },
        {
          reason: 'CrashLoopBackOff',
          message: 'support-realtime-8d1b2a-0: ends with exit code 1',
          since: ago(100),
          nextCheckAt: ago(-472),
        },
      ],
    }),
  },
  {
    title: 'aborted',
    pods: stablePods,
    object: object(canary, {
      ...midway,
      phase: 'Degraded',
      message: 'aborted by User: answers are wrong; retry it, or edit the spec',
      step: { index: 2, count: 7, stepsHash: 'ab12', startedAt: ago(180) },
      weight: { requested: 0, routed: 0, observed: 0 },
      components: {
        chat: { stable: side(2, 2, 0), update: side(0, 0, 0) },
        realtime: { stable: side(2, 2, 812), update: side(1, 0, 12) },
      },
      draining: [
        {
          hash: update.hash,
          component: 'realtime',
          sockets: 12,
          busy: 1,
          startedAt: ago(60),
          deadline: ago(-540),
          forced: false,
        },
      ],
      abort: { at: ago(62), reason: 'answers are wrong', by: 'User' },
      blockedBy: [
        {
          reason: 'Aborted',
          message: 'aborted by User: answers are wrong; retry it, or edit the spec',
          since: ago(62),
        },
      ],
      history: [{ ...update, outcome: 'Aborted', startedAt: ago(300), finishedAt: ago(62) }],
    }),
  },
  {
    title: 'blue-green-preview',
    pods: [...stablePods, ...updatePods],
    object: object(blueGreen, {
      ...midway,
      phase: 'Paused',
      message: 'holding at 0 %: the preview waits until promoted',
      step: { index: 1, count: 3, stepsHash: 'cd34', startedAt: ago(40) },
      weight: { requested: 0, routed: 0, observed: 0 },
      blockedBy: [{ reason: 'BlueGreenPause', message: 'the preview waits until promoted', since: ago(40) }],
    }),
  },
  {
    title: 'promoted-draining',
    pods: [...updatePods, pod('realtime', stable.hash, 0, { ready: false })],
    object: object(canary, {
      phase: 'Healthy',
      message: '1.1.0 is stable and serves all traffic',
      stableRevision: update,
      updateRevision: update,
      weight: { requested: 100, routed: 100 },
      components: { chat: { stable: side(2, 2, 0) }, realtime: { stable: side(2, 2, 800) } },
      draining: [
        {
          hash: stable.hash,
          component: 'realtime',
          sockets: 12,
          busy: 3,
          startedAt: ago(601),
          deadline: ago(1),
          forced: true,
        },
      ],
    }),
  },
  {
    title: 'unseen-spec',
    pods: [],
    object: object(
      { ...canary, release: '1.2.0' },
      { phase: 'Healthy', stableRevision: update, updateRevision: update },
      8,
    ),
  },
  { title: 'no-status', pods: [], object: object(canary) },
  { title: 'order-untaken', pods: [...stablePods, ...updatePods], object: ordered(object(canary, pausedMidway)) },
  {
    title: 'paused-by-spec',
    pods: [],
    object: object(
      { ...canary, paused: true },
      {
        phase: 'Paused',
        message: 'spec.paused is true',
        stableRevision: stable,
        updateRevision: stable,
        blockedBy: [{ reason: 'SpecPaused', message: 'spec.paused is true', since: ago(3_600 * 50) }],
      },
    ),
  },
];

/** The records of a scene: every revision but those that drain, the oldest without the spec that made it. */
export function recordsOf({ spec, status = {} }: AssistantDeployment): RevisionRecord[] {
  const named = [status.updateRevision, status.stableRevision].filter((each) => each !== undefined);
  return [
    ...named.map(({ hash, release }, index) => ({
      hash,
      release,
      sequence: 9 - index,
      references: {},
      source: { release, components: spec.components },
    })),
    { hash: 'old001', release: '0.9.0', sequence: 1, references: {}, source: null },
  ];
}

/** What the pods of a scene say: realtime pods hold sockets, one of two does not answer, chat offers no admin port once. */
export function answersOf(pods: readonly PodRow[]): PodSessions[] {
  return pods
    .filter(({ state }) => state === 'Running')
    .map(({ name, component, revision }, index) => ({
      pod: name,
      component,
      revision,
      answer: answerOf(component, index),
    }));
}

function answerOf(component: string, index: number): SessionsAnswer {
  if (component === 'chat') {
    return index === 0
      ? { kind: 'Unsupported' }
      : { kind: 'Known', open: 0, busy: 0, oldestSeconds: null, draining: false };
  }
  return index === 3
    ? { kind: 'Unknown', why: 'no answer within 4000 ms' }
    : { kind: 'Known', open: 406 - index, busy: 3, oldestSeconds: 5_400 + index, draining: false };
}
