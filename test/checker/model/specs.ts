// What people may ask for in the checked worlds: few versions of one small assistant. Times are short and whole seconds, so that few ages differ.
import type { CanaryStep, MetricSpec, StrategySpec } from '@assistant-platform/api';
import { stagesOf } from '../../../operator/rollout/stages.ts';
import type { Release } from '../../../operator/rollout/release.ts';
import { blueGreen, canary, sampleRelease } from '../../../operator/rollout/releases.ts';

/** A spec in the few words by which those of one world differ. */
export interface Spec {
  readonly version: string;
  readonly strategy: StrategyName;
  readonly replicas: number;
  readonly paused: boolean;
  /** The components read the ConfigMap `settings`. */
  readonly settings: boolean;
}

const TIMES = { drain: { deadline: '2s' }, progressDeadline: '4s', rollbackWindow: { revisions: 2 } } as const;
/** Nothing that is compared with a clock is longer: older is all the same. Milliseconds. */
export const OLDEST_MS = 5000;
/** After the gateway accepted a route, how long until traffic is taken to have moved. Milliseconds. */
export const SETTLE_MS = 1000;
export const PROGRESS_DEADLINE_MS = 4000;

const METRICS: MetricSpec[] = [{ name: 'errors', preset: 'ErrorRate', max: '0.01', minSamples: 50, failureLimit: 1 }];
const ANALYSIS = { metrics: ['errors'], duration: '2s', interval: '1s' };

const steps = (...list: CanaryStep[]): StrategySpec => ({ ...canary(list), ...TIMES });
const colours = (change: NonNullable<StrategySpec['blueGreen']>): StrategySpec => ({
  ...blueGreen({ scaleDownDelay: '1s', ...change }),
  ...TIMES,
});

const STRATEGIES = {
  canary: steps({ setWeight: 20 }, { pause: {} }, { setWeight: 60 }),
  'canary, edited': steps({ setWeight: 40 }, { pause: {} }),
  'canary, judged': steps({ setWeight: 20 }, { analysis: ANALYSIS }, { setWeight: 60 }),
  'canary, unsupported': steps({ setWeight: 20 }, { setFlag: { feature: 'memory', rollout: 25 } }),
  'blue-green': colours({ autoPromote: false }),
  'blue-green, edited': colours({ autoPromoteAfter: '1s' }),
  'blue-green, judged': colours({ autoPromote: true, prePromotion: ANALYSIS, postPromotion: ANALYSIS }),
} satisfies Record<string, StrategySpec>;

export type StrategyName = keyof typeof STRATEGIES;

/** Versions whose pods never run, and why. */
export const TROUBLES: Readonly<Record<string, string>> = {
  '9.0.1': 'ImagePullBackOff',
  '9.0.2': 'CrashLoopBackOff',
  '9.0.3': 'CreateContainerConfigError',
  '9.0.4': 'Unschedulable',
};

const made = new Map<string, Release>();

/** The release that a spec asks for. The same object for the same spec. */
export function releaseOf(spec: Spec): Release {
  const key = JSON.stringify(spec);
  const known = made.get(key);
  if (known !== undefined) return known;
  const judged = spec.strategy.endsWith('judged');
  const base = sampleRelease(spec.version, STRATEGIES[spec.strategy], ['chat', 'realtime'], judged ? METRICS : []);
  const envFrom = spec.settings ? [{ configMapRef: { name: 'settings' } }] : [];
  const components = Object.entries(base.components).map(([name, component]) => [
    name,
    { ...component, replicas: spec.replicas, envFrom },
  ]);
  const release: Release = {
    ...base,
    components: Object.fromEntries(components) as Release['components'],
    paused: spec.paused,
  };
  made.set(key, release);
  return release;
}

/** Which times of the status decide anything under a spec; the others are only told. */
export function timesThatCount(spec: Spec): {
  readonly pauses: boolean;
  readonly steps: boolean;
  readonly history: boolean;
} {
  const { strategy } = releaseOf(spec);
  const stages = stagesOf(strategy);
  return {
    pauses: stages.some((stage) => stage.kind === 'Pause' && stage.durationMs !== null),
    steps: stages.some((stage) => stage.kind === 'Analysis'),
    history: strategy.type === 'BlueGreen',
  };
}
