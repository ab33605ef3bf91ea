// A source of metrics as the controller sees it, whatever stands behind it.
import type { ResolvedMetric } from '@assistant-platform/api';
import type { Measurement, MeasurementOrder } from '../rollout/analysis/measurement.ts';

/** One measurement to be made. */
export interface MeasurementRequest {
  readonly order: MeasurementOrder;
  readonly metric: ResolvedMetric;
  /** The AssistantDeployment. */
  readonly subject: { readonly name: string; readonly namespace: string };
}

/** Measures; what goes wrong is part of the answer, so that a source that is away is a state and no exception. */
export interface MetricSource {
  measure(request: MeasurementRequest, signal: AbortSignal): Promise<Measurement['result']>;
}

/** Stands in where none is configured: analyses wait and say what to do. */
export const noMetricSource: MetricSource = {
  measure: () =>
    Promise.resolve({
      kind: 'Error',
      message:
        'the operator knows no Prometheus: set prometheus.url in the values of its chart (ASSISTANT_PROMETHEUS_URL)',
    }),
};
