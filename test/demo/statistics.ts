// Counts of a demonstration: requests, messages, sockets and weights. Pure; the traffic reports to it and the report reads it.
import type { Outcome } from './http-load.ts';

/** Requests of one phase, as the user of the service saw them. */
export interface RequestCounts {
  requests: number;
  /** Failures that the platform answers for: no answer, or an error of a revision that is not known to be broken. */
  failures: number;
  /** Errors answered by the release that is broken on purpose. */
  knownBug: number;
  byRevision: Record<string, number>;
  byTier: Record<string, number>;
  latencies: number[];
  /** A few failures in words, for the report. */
  examples: string[];
}

/** How the share of a step came out. */
export interface WeightSample {
  readonly release: string;
  /** Share asked for by the step, in per cent. */
  readonly requested: number;
  /** Share of requests answered by the new revision while the step held, in per cent. */
  readonly observedRequests: number;
  /** Requests behind `observedRequests`. */
  readonly samples: number;
  /** `status.weight.observed`: share of open sessions at the end of the step, in per cent; undefined while none is reported. */
  readonly observedSessions: number | undefined;
}

/** A fresh set of counts. */
export function noRequests(): RequestCounts {
  return { requests: 0, failures: 0, knownBug: 0, byRevision: {}, byTier: {}, latencies: [], examples: [] };
}

/** Adds one outcome. `isBroken` says which revisions are broken on purpose. */
export function countRequest(counts: RequestCounts, outcome: Outcome, isBroken: (revision: string) => boolean): void {
  counts.requests += 1;
  counts.latencies.push(outcome.milliseconds);
  if (outcome.revision) counts.byRevision[outcome.revision] = (counts.byRevision[outcome.revision] ?? 0) + 1;
  if (outcome.tier) counts.byTier[outcome.tier] = (counts.byTier[outcome.tier] ?? 0) + 1;
  if (outcome.status >= 200 && outcome.status < 400) return;
  if (outcome.status >= 500 && isBroken(outcome.revision)) {
    counts.knownBug += 1;
    return;
  }
  counts.failures += 1;
  if (counts.examples.length < 5)
    counts.examples.push(`${outcome.status || 'no answer'} ${outcome.revision} ${outcome.error ?? ''}`.trim());
}

/** The q-quantile (nearest rank) of unsorted values; 0 of none. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? 0;
}

/** The share of one revision in counts by revision, in per cent; 0 without requests. */
export function shareOf(revision: string, byRevision: Readonly<Record<string, number>>): number {
  const all = Object.values(byRevision).reduce((a, b) => a + b, 0);
  return all === 0 ? 0 : (100 * (byRevision[revision] ?? 0)) / all;
}
