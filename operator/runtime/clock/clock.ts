// Time and chance as parameters, so that everything that waits or jitters is deterministic under test.

/** A timer that can be cancelled; cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/** The time source of this package. All durations are milliseconds. */
export interface Clock {
  /** Wall-clock time, milliseconds since 1970 UTC: for timestamps that others read. */
  now(): number;
  /** Milliseconds that only grow: for measuring durations and expiries. */
  monotonic(): number;
  /** Calls back once, after `delay` milliseconds (at most 24 days: longer waits call back early). */
  timer(delay: number, callback: () => void): Timer;
  /**
   * Resolves when everything else that is due (timers, answers, watches) has had its turn, for one caller in each turn of the event loop: before each of
   * many pieces of work, which would otherwise follow upon each other and keep watches, probes and the renewal of a lease waiting.
   */
  giveWay(): Promise<void>;
}

/** A number in [0, 1), like `Math.random`. */
export type Random = () => number;

const longestTimer = 2 ** 31 - 1;

let lastTurn: Promise<void> = Promise.resolve();

/** The real clock of this process. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer: (delay, callback) => {
    const handle = setTimeout(callback, Math.min(Math.max(delay, 0), longestTimer));
    return { cancel: () => clearTimeout(handle) };
  },
  giveWay: () => {
    lastTurn = lastTurn.then(() => new Promise((resolve) => setImmediate(resolve)));
    return lastTurn;
  },
};

/**
 * Waits `delay` milliseconds on the given clock, or until the signal aborts, whichever is first. Never rejects: look at
 * `signal.aborted` afterwards. (A loop that is stopped is no error.)
 */
export const sleep = (clock: Clock, delay: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const wake = () => {
      timer.cancel();
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = clock.timer(delay, wake);
    signal?.addEventListener('abort', wake, { once: true });
  });

/** RFC 3339 with microseconds, the format of metav1.MicroTime (Lease and Event times). */
export const microTime = (milliseconds: number): string => new Date(milliseconds).toISOString().replace('Z', '000Z');
