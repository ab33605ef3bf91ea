// Metric values in words: in the unit of the metric, short enough to be read at a glance.
import type { ResolvedMetric } from '@assistant-platform/api';

/** A decimal of at most six significant digits, as status has it. */
export const decimalText = (value: number): string => String(Number(value.toPrecision(6)));

/** "1.4 %", "0.35 s", "42 tokens/s", "$0.0012"; plain for a query of one's own. */
export function valueText({ source }: ResolvedMetric, value: number, digits = 3): string {
  const short = (number: number): string => rounded(number, digits);
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

/** "1.4 % > 1 %": a value beyond a limit, in more digits where the usual ones would show the same twice. */
export function beyondText(metric: ResolvedMetric, value: number, sign: '>' | '<', limit: number): string {
  const digits = valueText(metric, value) === valueText(metric, limit) ? 6 : 3;
  return `${valueText(metric, value, digits)} ${sign} ${valueText(metric, limit, digits)}`;
}

const rounded = (value: number, digits: number): string => String(Number(value.toPrecision(digits)));

/** Three significant digits are what a person reads. */
const short = (value: number): string => rounded(value, 3);

/**
 * How a metric compares with stable, in words. What a counted comparison is about is the share of bad events: a latency of twice stable's may mean
 * ten times as many slow requests.
 * @param counted the ratio is one of counts, and not of the values themselves.
 */
export function comparisonText({ source }: ResolvedMetric, counted: boolean, low: number, high: number): string {
  const times = `${ratioText(low, high)} times`;
  if (source.kind === 'Prometheus') return `${times} stable`;
  switch (source.preset) {
    case 'LatencyP95':
    case 'TimeToFirstChunkP95':
      return counted ? `slow ${times} as often as stable` : `${times} stable`;
    case 'TokensPerSecond':
      return counted ? `slow ${times} as often as stable` : `${times} as slow as stable`;
    case 'SessionResumeRate':
      return `with gaps ${times} as often as stable`;
    case 'ErrorRate':
    case 'FallbackRate':
    case 'StreamAbortRate':
    case 'CostPerAnswer':
      return `${times} stable`;
  }
}

/** "0.9 to 4", "more than 3.1", "less than 1.1", or just "2": an interval of a ratio. */
function ratioText(low: number, high: number): string {
  if (low === 0 && high === Infinity) return 'any number of';
  if (low === high) return short(low);
  if (high === Infinity) return `more than ${short(low)}`;
  return low === 0 ? `less than ${short(high)}` : `${short(low)} to ${short(high)}`;
}
