// What the decision asks of a metric source, and what it gets back. The decision never asks itself: it says what is due (Plan.measure), and the
// answers come with the next snapshot.

/** One metric to be measured over the window since the analysis began. Counts are cumulative, so no earlier answer has to be remembered. */
export interface MeasurementOrder {
  /** Name from spec.metrics. */
  readonly metric: string;
  /** Begin of the window, epoch ms; names the analysis that the answer belongs to. */
  readonly since: number;
  /** The revision that is judged. */
  readonly revision: string;
  /** The revision it is compared with; null when there is none. */
  readonly stableRevision: string | null;
  /**
   * The revision that is judged has all new traffic, and stable none that would be measured beside it: it is compared with what stable was before the
   * window began.
   */
  readonly againstPast: boolean;
  readonly components: readonly string[];
  /** When it is to be measured, epoch ms; in the past: now. */
  readonly dueAt: number;
}

/** An answer of the metric source. */
export interface Measurement {
  readonly metric: string;
  /** As in the order. */
  readonly since: number;
  /** When it was taken, epoch ms. */
  readonly at: number;
  readonly result:
    | { readonly kind: 'Reading'; readonly update: Reading; readonly stable: Reading | null }
    /** The source did not answer, or not with a number. */
    | { readonly kind: 'Error'; readonly message: string };
}

/** A metric of one revision over the window. */
export interface Reading {
  /** For `max` and `min`, in the unit of the metric; null: no data. */
  readonly value: number | null;
  /** Events behind the value; null: the source cannot tell (a query of one's own), so that minSamples does not apply. */
  readonly samples: number | null;
  /** For `comparedTo`; null when the source has only the value. */
  readonly evidence: Evidence | null;
}

/**
 * Counts that a comparison rests on. What is counted is bad (failed, too slow, aborted, not resumed), so that a ratio above 1 is worse. The mean of
 * values in [0, bound] is told as `events` = sum / bound: the sequential test is valid for it as well.
 */
export interface Evidence {
  /** 0..trials; need not be whole (Prometheus extrapolates, bounded values add up to fractions). */
  readonly events: number;
  readonly trials: number;
}
