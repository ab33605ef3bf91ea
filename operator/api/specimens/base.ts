// Building blocks of the specimens: a complete valid object that the table tests change in one place each.
import type { AssistantDeployment, AssistantDeploymentSpec, CanaryStep } from '../assistant-deployment.ts';
import { API_VERSION, ASSISTANT_DEPLOYMENT } from '../group.ts';

/** A custom resource as it may come from anybody: nothing is known of it. */
export type Loose = Record<string, unknown>;

/** An object with both components that have built-in knowledge, and a canary. */
export function canaryObject(steps?: readonly CanaryStep[]): AssistantDeployment {
  return object({
    release: '1.1.0',
    components: {
      chat: { image: 'localhost/assistant/chat:1.1.0', replicas: 2 },
      realtime: { image: 'localhost/assistant/realtime:1.1.0', replicas: 2, path: '/ws' },
    },
    gateway: { parentRef: { name: 'public', namespace: 'gateway-system' }, hostnames: ['support.example.com'] },
    strategy: {
      type: 'Canary',
      canary: {
        steps: steps === undefined ? [...STEPS] : [...steps],
        stickiness: { by: 'Bucket' },
        analysis: { metrics: ['error-rate'], interval: '15s' },
      },
      drain: { deadline: '10m', closePerSecond: 50 },
      progressDeadline: '10m',
      abortOnDeadline: true,
      rollbackWindow: { revisions: 3 },
    },
    metrics: [
      {
        name: 'error-rate',
        preset: 'ErrorRate',
        max: '0.01',
        comparedTo: { stable: { maxRatio: '1.2', confidence: '0.99' } },
        minSamples: 50,
        onNoData: 'Wait',
        failureLimit: 1,
        consecutiveErrorLimit: 4,
      },
      { name: 'ttft', preset: 'TimeToFirstChunkP95', max: '2.5' },
    ],
    flags: [
      {
        feature: 'new-memory',
        environment: 'development',
        follow: 'Weight',
        stickiness: 'conversationId',
        onRollback: 'Restore',
        killSwitch: 'Abort',
      },
    ],
    slo: { availability: '0.999', latencyP95: '500ms' },
    paused: false,
    revisionHistoryLimit: 5,
  });
}

const STEPS: readonly CanaryStep[] = [
  { setWeight: 10 },
  { pause: { duration: '2m' } },
  { analysis: { metrics: ['error-rate', 'ttft'], duration: '3m', interval: '15s' } },
  { setFlag: { feature: 'new-memory', rollout: 25 } },
  { chaos: { experiment: 'realtime-pod-kill' } },
  { setWeight: 50 },
  { pause: {} },
];

/** The same assistant, released by blue-green. */
export function blueGreenObject(): AssistantDeployment {
  const { spec } = canaryObject();
  return object({
    ...spec,
    strategy: {
      type: 'BlueGreen',
      blueGreen: {
        autoPromote: true,
        autoPromoteAfter: '30s',
        prePromotion: { metrics: ['error-rate'], duration: '1m', interval: '10s' },
        postPromotion: { metrics: ['error-rate'], duration: '2m', interval: '10s' },
      },
    },
  });
}

/** The least that one has to write. */
export function smallestObject(): AssistantDeployment {
  return object({
    components: { chat: { image: 'localhost/assistant/chat:1.0.0' } },
    gateway: { parentRef: { name: 'public' } },
    strategy: { type: 'Canary', canary: { steps: [{ setWeight: 100 }] } },
  });
}

function object(spec: AssistantDeploymentSpec): AssistantDeployment {
  return { apiVersion: API_VERSION, kind: ASSISTANT_DEPLOYMENT.kind, metadata: { name: 'support' }, spec };
}

/**
 * A copy with one value set, or removed when it is undefined.
 * @param path such as `spec.strategy.canary.steps.0.setWeight`; numbers index lists.
 */
export function changed(original: AssistantDeployment, ...changes: readonly (readonly [string, unknown])[]): Loose {
  const copy = structuredClone(original) as unknown as Loose;
  for (const [path, value] of changes) set(copy, path.split('.'), value);
  return copy;
}

function set(target: Loose, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length > 0) {
    target[head] ??= {};
    set(target[head] as Loose, rest, value);
  } else if (value === undefined) Reflect.deleteProperty(target, head);
  else target[head] = value;
}
