// Releases for tests of this package: a small two-component assistant, in versions.
import { withDefaults, type CanaryStep, type MetricSpec, type StrategySpec } from '@assistant-platform/api';
import type { Release } from './release.ts';

export const CANARY_STEPS: CanaryStep[] = [
  { setWeight: 10 },
  { pause: { duration: '3s' } },
  { setWeight: 50 },
  { pause: { duration: '3s' } },
];

/** One limit, and one comparison with stable. */
export const SAMPLE_METRICS: MetricSpec[] = [
  { name: 'errors', preset: 'ErrorRate', max: '0.01', minSamples: 50 },
  { name: 'ratio', preset: 'ErrorRate', comparedTo: { stable: { maxRatio: '1.2' } } },
];

const DEADLINES = { drain: { deadline: '20s' }, progressDeadline: '1m', rollbackWindow: { revisions: 3 } };

export const canary = (steps: CanaryStep[] = CANARY_STEPS): StrategySpec => ({
  type: 'Canary',
  canary: { steps },
  ...DEADLINES,
});

export const blueGreen = (
  change: NonNullable<StrategySpec['blueGreen']> = { autoPromoteAfter: '2s' },
): StrategySpec => ({
  type: 'BlueGreen',
  blueGreen: { scaleDownDelay: '5s', ...change },
  ...DEADLINES,
});

/** A release of chat and realtime, two pods each. */
export function sampleRelease(
  version: string,
  strategy: StrategySpec = canary(),
  components: readonly string[] = ['chat', 'realtime'],
  metrics: MetricSpec[] = [],
): Release {
  return withDefaults({
    release: version,
    components: Object.fromEntries(
      components.map((name) => [name, { image: `localhost/assistant/${name}:${version}`, replicas: 2 }]),
    ),
    gateway: { parentRef: { name: 'public', namespace: 'gateway-system' } },
    strategy,
    metrics,
    revisionHistoryLimit: 2,
  });
}

/** The same release with another strategy. */
export const withStrategy = (release: Release, strategy: StrategySpec): Release => ({
  ...sampleRelease('any', strategy, ['chat', 'realtime'], SAMPLE_METRICS),
  components: release.components,
  release: release.release,
  paused: release.paused,
  metrics: release.metrics,
});

/** The same release with other images. */
export function withVersion(release: Release, version: string): Release {
  const components = Object.fromEntries(
    Object.entries(release.components).map(([name, component]) => [
      name,
      { ...component, image: `localhost/assistant/${name}:${version}` },
    ]),
  );
  return { ...release, release: version, components };
}

/** The same release with another number of pods. */
export function withReplicas(release: Release, replicas: number): Release {
  const components = Object.fromEntries(
    Object.entries(release.components).map(([name, component]) => [name, { ...component, replicas }]),
  );
  return { ...release, components };
}
