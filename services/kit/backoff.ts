// Waiting between tries, with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
import { setTimeout as wait } from 'node:timers/promises';

/**
 * The wait before try number `attempt` (0 is the first repetition) in milliseconds: uniform in
 * [0, min(capMs, baseMs * 2^attempt)], and never below a tenth of that bound, so that a tight loop cannot arise.
 * @param random uniform in [0, 1)
 */
export function backoffMs(attempt: number, baseMs: number, capMs: number, random: () => number = Math.random): number {
  const bound = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(bound * (0.1 + 0.9 * random()));
}

/**
 * Waits, or returns early when `signal` is aborted.
 * @returns false when it was cut short
 */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await wait(ms, undefined, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
