// What a reconcile says when it is finished.

/** What is to happen to the request next. */
export type Result =
  /** Nothing, until something changes. */
  | { kind: 'done' }
  /** Look again after so many ms, unless something changes before. */
  | { kind: 'requeueAfter'; ms: number }
  /** What was looked at is out of date: again, later and later as after failures, not before `atLeastMs`; no error. */
  | { kind: 'requeue'; atLeastMs: number };

/** Finished: nothing to do until something changes. */
export const done: Result = { kind: 'done' };

/** Finished for now: look again after `ms` milliseconds at the latest. @throws RangeError for a negative or no number. */
export const requeueAfter = (ms: number): Result => {
  if (!(ms >= 0)) throw new RangeError(`requeueAfter: ${ms} is no delay in milliseconds`);
  return { kind: 'requeueAfter', ms };
};

/**
 * Not finished, because something changed meanwhile: look again after the backoff of the item, and not before `atLeastMs`, within which a cache has
 * usually caught up. Repeated without end, it comes less and less often: a cache that cannot catch up must not cost the API server its time.
 */
export const requeue = (atLeastMs = 0): Result => ({ kind: 'requeue', atLeastMs });

/** Trying again cannot help: the request is not repeated until something changes. Counted apart from other errors. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}
