// Which metrics are watched at a stage, and what they add up to: the bridge between the stages of a rollout and the judgement of a single metric.
import type { MeasurementOrder } from './analysis/measurement.ts';
import {
  dueAt,
  entryOf,
  hasLastCheck,
  judge,
  standingOf,
  type AnalysisEntry,
  type Standing,
  type Watch,
} from './analysis/judge.ts';
import type { Facts } from './facts.ts';
import { stagesOf } from './stages.ts';
import { atRest, type Progress } from './state.ts';
import type { Wait } from './waits.ts';

/**
 * The metrics of the present stage: those of an analysis stage, and those that run in the background of every stage. Each looks at the window since
 * the stage began. A background metric is tested anew at each stage and behind the last one, so its error probability is divided over all of these.
 */
export function watchesOf(p: Progress, f: Facts): readonly Watch[] {
  const { strategy, metrics } = f.release;
  if (p.step?.startedAt === undefined || p.update === null || p.abort !== null) return [];
  const stages = stagesOf(strategy);
  const stage = stages[p.step.index];
  const since = Date.parse(p.step.startedAt);
  const background = strategy.type === 'Canary' && strategy.analysis !== null ? strategy.analysis : null;
  const own = stage?.kind === 'Analysis' ? stage : null;
  return metrics.flatMap((metric): Watch[] => {
    const error = metric.comparedToStable === null ? 1 : 1 - metric.comparedToStable.confidence;
    const inBackground = background !== null && background.metrics.includes(metric.name);
    const errorProbability = inBackground ? error / (stages.length + 1) : error;
    if (own !== null && own.metrics.includes(metric.name)) {
      const endsAt = since + own.durationMs;
      return [{ metric, since, intervalMs: Math.min(own.intervalMs, own.durationMs), endsAt, errorProbability }];
    }
    if (!inBackground) return [];
    return [{ metric, since, intervalMs: background.intervalMs, endsAt: null, errorProbability }];
  });
}

/** The entries of the present stage after what was measured. */
export function judgeAll(p: Progress, f: Facts): readonly AnalysisEntry[] {
  const latest = new Map(f.snapshot.measurements.map((measurement) => [measurement.metric, measurement]));
  return watchesOf(p, f).flatMap((watch) => {
    const entry = judge(watch, entryOf(watch, p.analysis), latest.get(watch.metric.name));
    return entry.checks === undefined ? [] : [entry];
  });
}

/**
 * What the controller is to measure for the present stage. Nothing on the first installation and at rest: nobody is judged there, so no answer would be
 * noted, and each check would be due again at once.
 */
export function measurementOrders(p: Progress, f: Facts): readonly MeasurementOrder[] {
  const { update, stable } = p;
  if (update === null || stable === null || atRest(p)) return [];
  return watchesOf(p, f).map((watch) => ({
    metric: watch.metric.name,
    since: watch.since,
    revision: update.hash,
    stableRevision: stable.hash,
    againstPast: p.requested === 100,
    components: f.components(update.hash),
    dueAt: dueAt(watch, entryOf(watch, p.analysis)),
  }));
}

/** What the metrics of a stage say together. */
export interface Judgement {
  /** Why the rollout has to end; null when no metric failed for good. */
  readonly failure: string | null;
  /** What speaks against going on now, the worst first; empty: nothing does. */
  readonly waits: readonly CheckedWait[];
  /** All are sure, before their time is over. */
  readonly sure: boolean;
}

const WORST_FIRST = ['MetricFailing', 'MetricSourceError', 'MetricNoData', 'AnalysisRunning'] as const;

/**
 * Adds the standings up.
 * @param over the time of the stage is over. An analysis is not before it has had its last check.
 */
export function judgementOf(p: Progress, f: Facts, over: boolean, now: number): Judgement {
  const all = watchesOf(p, f).map((watch) => {
    const entry = entryOf(watch, p.analysis);
    return { watch, entry, standing: standingOf(watch, entry, over && hasLastCheck(watch, entry)) };
  });
  const failed = all.flatMap(({ standing }) => (standing.kind === 'Failed' ? [standing.reason] : []));
  const waits = all.flatMap(({ watch, entry, standing }) =>
    standing.kind === 'Waits' ? [waitOf(standing, watch, entry, now)] : [],
  );
  return {
    failure: failed.length === 0 ? null : failed.join('; '),
    waits: WORST_FIRST.flatMap((reason) => waits.filter((wait) => wait.reason === reason)),
    sure: all.length > 0 && all.every(({ standing }) => standing.kind === 'Good' && standing.sure),
  };
}

/** A wait that is looked at again when the next check is due. */
type CheckedWait = Wait & { readonly nextCheckAt: number };

function waitOf(
  standing: Extract<Standing, { kind: 'Waits' }>,
  watch: Watch,
  entry: AnalysisEntry,
  now: number,
): CheckedWait {
  const { reason, message } = standing;
  const next = Math.max(now, dueAt(watch, entry));
  const wait = { reason, message, nextCheckAt: next };
  return reason === 'AnalysisRunning' ? { ...wait, since: watch.since } : wait;
}
