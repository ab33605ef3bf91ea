// Metric values in words: in the unit of the metric, short enough to be read at a glance.
import type { ResolvedMetric } from '@assistant-platform/api';

/** A decimal of at most six significant digits, as status has it. */
export const decimalText = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(6))) : 'Infinity';

/** "1.4 %", "0.35 s", "42 tokens/s", "$0.0012"; plain for a query of one's own. */
export function valueText({ source }: ResolvedMetric, value: number): string {
  if (source.kind === 'Prometheus') return short(value);
  switch (source.preset) {
    case 'LatencyP95':
    case 'TimeToFirstChunkP95':
      return `${short(value)} s`;
    case 'TokensPerSecond':
      return `${short(value)} tokens/s`;
    case 'CostPerAnswer':
      return `$${short(value)}`;
    case 'ErrorRate':
    case 'FallbackRate':
    case 'StreamAbortRate':
    case 'SessionResumeRate':
      return `${short(value * 100)} %`;
  }
}

/** Three significant digits are what a person reads. */
const short = (value: number): string => String(Number(value.toPrecision(3)));

/** "0.9 to 4", "above 3.1", "below 1.1": an interval of a ratio. */
export function ratioText(low: number, high: number): string {
  if (low === 0 && high === Infinity) return 'any number of';
  if (high === Infinity) return `more than ${short(low)}`;
  return low === 0 ? `less than ${short(high)}` : `${short(low)} to ${short(high)}`;
}
