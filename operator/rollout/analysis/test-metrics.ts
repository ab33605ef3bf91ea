// Metrics as tests write them.
import { withDefaults, type MetricSpec, type ResolvedMetric } from '@assistant-platform/api';

/** The metrics of an otherwise smallest spec, with their defaults. */
export const resolvedMetrics = (metrics: MetricSpec[]): readonly ResolvedMetric[] =>
  withDefaults({
    components: { chat: { image: 'a' } },
    gateway: { parentRef: { name: 'public' } },
    strategy: { type: 'BlueGreen', blueGreen: {} },
    metrics,
  }).metrics;
