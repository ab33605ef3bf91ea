// Canaries on seeded traffic, judged by the operator's own judge: what the figures of `npm run bench:analysis` are made of. Pure.
import type { ResolvedMetric } from '@assistant-platform/api';
import { judge, entryOf, standingOf, type AnalysisEntry, type Watch } from '../../operator/rollout/analysis/judge.ts';
import type { Chance } from '../simulator/random.ts';

/** Traffic of a service while a canary runs, and what the new revision does with it. */
export interface Traffic {
  /** Share of the requests that the new revision gets, 0..1. */
  readonly weight: number;
  /** Requests of both revisions together between two checks; each interval draws 0.5 to 1.5 times as many. */
  readonly requests: number;
  /** Rate of bad events of the stable revision, 0..1, at the given check. */
  readonly rate: (check: number) => number;
  /** Rate of the new revision to that of stable. */
  readonly ratio: number;
  /** Bad events are 0 or 1 (failed), or anything between (a bounded mean, such as cost to its bound). */
  readonly values: 'Bernoulli' | 'Bounded';
}

/** How a canary went. Checks count from 1; null: never. */
export interface Course {
  /** Stopped by the sequential test. */
  readonly stoppedAt: number | null;
  /** Found good before its time was over. */
  readonly surelyGoodAt: number | null;
  /** Requests that the new revision had answered by `stoppedAt`. */
  readonly requestsUntilStopped: number;
  /** Stopped by a fixed threshold instead: the observed ratio above the limit at two checks, as `failureLimit: 1` has it. */
  readonly stoppedByThreshold: boolean;
  /** Stopped by a test for one look instead, applied at every check: two proportions, one-sided, at the same confidence. */
  readonly stoppedByRepeatedTest: boolean;
}

/** Every canary is looked at so often: ten minutes, every 15 seconds. */
export const CHECKS = 40;
const INTERVAL_MS = 15_000;
export const CONFIDENCE = 0.99;
export const MAX_RATIO = 1.2;
const MIN_SAMPLES = 50;
const ALLOWED_FAILURES = 1;

const metric: ResolvedMetric = {
  name: 'error-rate',
  source: { kind: 'Preset', preset: 'ErrorRate' },
  max: null,
  min: null,
  comparedToStable: { maxRatio: MAX_RATIO, confidence: CONFIDENCE },
  minSamples: MIN_SAMPLES,
  onNoData: 'Wait',
  failureLimit: ALLOWED_FAILURES,
  consecutiveErrorLimit: 4,
};

const watch: Watch = {
  metric,
  since: 0,
  intervalMs: INTERVAL_MS,
  endsAt: CHECKS * INTERVAL_MS,
  errorProbability: 1 - CONFIDENCE,
};

/** Counts of one revision since the analysis began. */
interface Counts {
  events: number;
  trials: number;
}

/** Runs one canary to its end, also past the verdict, so that the other methods see the same traffic. */
export function runCanary(traffic: Traffic, chance: Chance): Course {
  const update: Counts = { events: 0, trials: 0 };
  const stable: Counts = { events: 0, trials: 0 };
  let entry = entryOf(watch, []);
  let [stoppedAt, surelyGoodAt]: [number | null, number | null] = [null, null];
  let [requestsUntilStopped, overThreshold, stoppedByRepeatedTest] = [0, 0, false];
  for (let check = 1; check <= CHECKS; check++) {
    serve(traffic, check, update, stable, chance);
    if (stoppedAt === null && surelyGoodAt === null) {
      entry = look(entry, check, update, stable);
      const standing = standingOf(watch, entry, check === CHECKS);
      if (standing.kind === 'Failed') [stoppedAt, requestsUntilStopped] = [check, update.trials];
      else if (standing.kind === 'Good' && standing.sure) surelyGoodAt = check;
    }
    if (update.trials < MIN_SAMPLES) continue;
    if (share(update) > MAX_RATIO * share(stable)) overThreshold += 1;
    stoppedByRepeatedTest ||= oneLookTest(update, stable);
  }
  const stoppedByThreshold = overThreshold > ALLOWED_FAILURES;
  return { stoppedAt, surelyGoodAt, requestsUntilStopped, stoppedByThreshold, stoppedByRepeatedTest };
}

/** One check as the operator makes it. */
function look(entry: AnalysisEntry, check: number, update: Counts, stable: Counts): AnalysisEntry {
  const reading = (counts: Counts) => ({
    value: counts.trials === 0 ? null : share(counts),
    samples: counts.trials,
    evidence: { ...counts },
  });
  const result = { kind: 'Reading', update: reading(update), stable: reading(stable) } as const;
  return judge(watch, entry, { metric: metric.name, since: 0, at: check * INTERVAL_MS, result });
}

const share = ({ events, trials }: Counts): number => (trials === 0 ? 0 : events / trials);

/** Serves the requests of one interval. */
function serve(
  { weight, requests, rate, ratio, values }: Traffic,
  check: number,
  update: Counts,
  stable: Counts,
  chance: Chance,
): void {
  const all = Math.round(requests * (0.5 + chance.next()));
  const toUpdate = binomial(all, weight, chance);
  const stableRate = rate(check);
  const draw = values === 'Bernoulli' ? binomial : boundedSum;
  update.trials += toUpdate;
  update.events += draw(toUpdate, Math.min(1, stableRate * ratio), chance);
  stable.trials += all - toUpdate;
  stable.events += draw(all - toUpdate, stableRate, chance);
}

/** Events in `trials` trials, by skipping from one to the next (geometric gaps): quick where rates are small. */
export function binomial(trials: number, rate: number, chance: Chance): number {
  if (rate > 0.5) return trials - binomial(trials, 1 - rate, chance);
  if (rate <= 0) return 0;
  const perTrial = Math.log1p(-rate);
  let events = -1;
  for (let at = 0; at <= trials; events++) at += 1 + Math.floor(Math.log1p(-chance.next()) / perTrial);
  return events;
}

/** Sum of values in [0, 1] with the given mean: powers of a uniform number, so that many are small and a few are large. */
export function boundedSum(trials: number, mean: number, chance: Chance): number {
  const power = 1 / mean - 1;
  let sum = 0;
  for (let each = 0; each < trials; each++) sum += chance.next() ** power;
  return sum;
}

/** The usual test of p(update) > maxRatio · p(stable), by the normal approximation: right for one look, and only for one. */
function oneLookTest(update: Counts, stable: Counts): boolean {
  const [p, s] = [share(update), share(stable)];
  const variance = (p * (1 - p)) / update.trials + (MAX_RATIO ** 2 * s * (1 - s)) / Math.max(1, stable.trials);
  return variance > 0 && (p - MAX_RATIO * s) / Math.sqrt(variance) > NORMAL_99;
}

/** 99 % quantile of the normal distribution. */
const NORMAL_99 = 2.3263;
