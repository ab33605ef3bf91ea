/**
 * Judging a metric: from the last entry of status.analysis and a new measurement to the next entry, and from an entry to what the rollout may do.
 * Pure. A check counts exactly once: the entry keeps when it was made, and only a later measurement that was due is a new one. So an operator that
 * is killed between measuring and storing measures again, and one that is killed after storing does not count twice.
 */
import { type AnalysisStatus, counted, type ResolvedMetric } from '@assistant-platform/api';
import type { Measurement, Reading } from './measurement.ts';
import { ratioInterval } from './sequential-test.ts';
import { beyondText, comparisonText, decimalText, valueText } from './texts.ts';

/** One metric of one analysis. */
export interface Watch {
  readonly metric: ResolvedMetric;
  /** Begin of the window, epoch ms. */
  readonly since: number;
  readonly intervalMs: number;
  /** End of the analysis, epoch ms; null: it has none of its own (background). */
  readonly endsAt: number | null;
  /** Chance that a comparison is wrong at any of its looks, 0..1; what `confidence` leaves, divided over the stages it runs in. */
  readonly errorProbability: number;
}

/** An entry of status.analysis. */
export type AnalysisEntry = AnalysisStatus;

/** What an entry means for the rollout. */
export type Standing =
  | { readonly kind: 'Failed'; readonly reason: string }
  /** Nothing speaks against going on. `sure`: and more looks would not change that. */
  | { readonly kind: 'Good'; readonly sure: boolean }
  | {
      readonly kind: 'Waits';
      readonly reason: 'MetricFailing' | 'MetricNoData' | 'MetricSourceError' | 'AnalysisRunning';
      readonly message: string;
    };

/** When the next check is due, epoch ms: every interval, and once at the end of the analysis. */
export function dueAt({ since, intervalMs, endsAt }: Watch, entry: AnalysisEntry): number {
  const last = entry.checkedAt === undefined ? since : Date.parse(entry.checkedAt);
  const next = last + intervalMs;
  return endsAt !== null && last < endsAt ? Math.min(next, endsAt) : next;
}

/** Whether the check at the end of the analysis has been made; one without an end has none. */
export const hasLastCheck = ({ endsAt }: Watch, { checkedAt }: AnalysisEntry): boolean =>
  endsAt === null || (checkedAt !== undefined && Date.parse(checkedAt) >= endsAt);

/** The stored entry of this very analysis, or a fresh one. */
export function entryOf(watch: Watch, stored: readonly AnalysisEntry[]): AnalysisEntry {
  const since = new Date(watch.since).toISOString();
  const known = stored.find((entry) => entry.metric === watch.metric.name && entry.since === since);
  return (
    known ?? {
      metric: watch.metric.name,
      since,
      verdict: 'NoData',
      message: `${watch.metric.name} is not measured yet`,
    }
  );
}

/** The entry after a measurement; the same entry when it is none of this analysis, or no new check. */
export function judge(watch: Watch, entry: AnalysisEntry, measurement: Measurement | undefined): AnalysisEntry {
  if (measurement?.since !== watch.since || measurement.at < dueAt(watch, entry)) return entry;
  const { result } = measurement;
  const checked = { ...entry, checks: (entry.checks ?? 0) + 1, checkedAt: new Date(measurement.at).toISOString() };
  if (result.kind === 'Error') {
    return { ...checked, errors: (entry.errors ?? 0) + 1, verdict: 'SourceError', message: result.message };
  }
  const { update, stable } = result;
  const judged = verdictOf(watch, update, stable);
  const failures = (entry.failures ?? 0) + (judged.verdict === 'Failing' ? 1 : 0);
  const { ratioLow: _low, ratioHigh: _high, value: _value, stableValue: _stable, samples: _samples, ...kept } = checked;
  return {
    ...kept,
    errors: 0,
    failures,
    ...(update.samples === null ? {} : { samples: Math.round(update.samples) }),
    ...(update.value === null ? {} : { value: decimalText(update.value) }),
    ...(stable?.value === null || stable === null ? {} : { stableValue: decimalText(stable.value) }),
    ...judged,
  };
}

type Judged = Pick<AnalysisEntry, 'verdict' | 'message' | 'ratioLow' | 'ratioHigh'>;

function verdictOf(watch: Watch, update: Reading, stable: Reading | null): Judged {
  const { metric } = watch;
  const { value, samples } = update;
  if (value === null) return { verdict: 'NoData', message: `${metric.name} has no data` };
  if (samples !== null && samples < metric.minSamples) {
    return { verdict: 'NoData', message: `${metric.name} has ${Math.round(samples)} of ${metric.minSamples} samples` };
  }
  if (metric.max !== null && value > metric.max)
    return { verdict: 'Failing', message: `${metric.name} ${beyondText(metric, value, '>', metric.max)}` };
  if (metric.min !== null && value < metric.min)
    return { verdict: 'Failing', message: `${metric.name} ${beyondText(metric, value, '<', metric.min)}` };
  const seen = `${metric.name} ${valueText(metric, value)}`;
  if (metric.comparedToStable !== null)
    return compare(watch, { ...update, value }, stable, seen, metric.comparedToStable.maxRatio);
  const limits = [
    ...(metric.max === null ? [] : [`at most ${valueText(metric, metric.max)}`]),
    ...(metric.min === null ? [] : [`at least ${valueText(metric, metric.min)}`]),
  ];
  return { verdict: 'Passing', message: `${seen}, ${limits.join(' and ')} wanted` };
}

function compare(
  watch: Watch,
  update: Reading & { readonly value: number },
  stable: Reading | null,
  seen: string,
  maxRatio: number,
): Judged {
  const { name, minSamples } = watch.metric;
  if (stable === null || stable.value === null) {
    return { verdict: 'NoData', message: `${name}: the stable revision has no data to compare with` };
  }
  // A query of one's own has no counts: its ratio is taken as it is, and failureLimit stands in for the confidence.
  const counted = update.evidence !== null && stable.evidence !== null;
  if (!counted && stable.samples !== null && stable.samples < minSamples) {
    const seenOfStable = `${Math.round(stable.samples)} of ${minSamples} samples`;
    return { verdict: 'NoData', message: `${name}: the stable revision has ${seenOfStable} to compare with` };
  }
  const { low, high } = counted
    ? ratioInterval(update.evidence, stable.evidence, watch.errorProbability)
    : plainRatio(watch.metric, update.value, stable.value);
  const judged = {
    ratioLow: decimalText(low),
    ratioHigh: decimalText(high),
    message: `${seen}, ${comparisonText(watch.metric, counted, low, high)}`,
  };
  const limit = decimalText(maxRatio);
  if (low > maxRatio) return { ...judged, verdict: 'Failing', message: `${judged.message} > ${limit}` };
  if (high <= maxRatio) return { ...judged, verdict: 'Passing', message: `${judged.message}, at most ${limit} wanted` };
  return {
    ...judged,
    verdict: 'NotYetSure',
    message: `${judged.message}: not sure yet whether that is above ${limit}`,
  };
}

/** The ratio of two values, such that more is worse. */
function plainRatio({ source }: ResolvedMetric, update: number, stable: number): { low: number; high: number } {
  const moreIsBetter = source.kind === 'Preset' && source.preset === 'TokensPerSecond';
  const [worse, better] = moreIsBetter ? [stable, update] : [update, stable];
  // The same on both sides is the same, also where both are nothing or without an end.
  const ratio = worse === better ? 1 : better === 0 ? Infinity : worse / better;
  return { low: ratio, high: ratio };
}

/**
 * What the rollout may do about an entry.
 * @param over the time of the analysis (or of the pause that it runs beside) is over: what has not been shown by now decides.
 */
export function standingOf(watch: Watch, entry: AnalysisEntry, over: boolean): Standing {
  switch (entry.verdict) {
    case 'Failing':
      return failing(watch, entry);
    case 'SourceError':
      return sourceError(watch, entry, over);
    case 'NoData':
      return entry.checks === undefined ? running(entry) : noData(watch, entry, over);
    case 'Passing':
    case 'NotYetSure': {
      const sure = entry.verdict === 'Passing' && isComparedOnly(watch.metric) && entry.ratioLow !== entry.ratioHigh;
      return over || sure ? { kind: 'Good', sure } : running(entry);
    }
  }
}

const isComparedOnly = ({ comparedToStable, max, min }: ResolvedMetric): boolean =>
  comparedToStable !== null && max === null && min === null;

const running = ({ message }: AnalysisEntry): Standing => ({
  kind: 'Waits',
  reason: 'AnalysisRunning',
  message: message ?? '',
});

function failing({ metric }: Watch, entry: AnalysisEntry): Standing {
  const { failures = 0, checks = 0, message = '' } = entry;
  // The sequential test has its confidence in it: it is not asked twice.
  const sure = entry.ratioLow !== undefined && entry.ratioLow !== entry.ratioHigh;
  if (sure) return { kind: 'Failed', reason: message };
  const counted = `${message} (${failures} of ${checks} checks failed, ${metric.failureLimit} allowed)`;
  return failures > metric.failureLimit
    ? { kind: 'Failed', reason: counted }
    : { kind: 'Waits', reason: 'MetricFailing', message: counted };
}

function noData({ metric }: Watch, { message = '' }: AnalysisEntry, over: boolean): Standing {
  if (!over || metric.onNoData === 'Wait') {
    const rule = over ? '; onNoData is Wait' : '';
    return { kind: 'Waits', reason: 'MetricNoData', message: `${message}${rule}` };
  }
  return metric.onNoData === 'Pass'
    ? { kind: 'Good', sure: false }
    : { kind: 'Failed', reason: `${message}, and onNoData is Fail` };
}

/** A source that errs a few times is given time; one that goes on is as good as no data. */
function sourceError(watch: Watch, entry: AnalysisEntry, over: boolean): Standing {
  const { errors = 0, message = '' } = entry;
  const { name, consecutiveErrorLimit } = watch.metric;
  const told = `${name}: ${message} (${counted(errors, 'error')} in a row, ${consecutiveErrorLimit} allowed)`;
  if (errors > consecutiveErrorLimit && watch.metric.onNoData !== 'Wait') {
    return noData(watch, { ...entry, message: told }, over || watch.metric.onNoData === 'Fail');
  }
  return { kind: 'Waits', reason: 'MetricSourceError', message: told };
}
