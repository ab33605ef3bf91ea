// When to start a crashed component again. Pure.

const FIRST_MS = 250;
const LONGEST_MS = 10_000;
/** A component that ran this long was healthy: its next crash starts the count anew. */
const HEALTHY_MS = 60_000;

/** Crashes in a row, none of which was ready in between, after which a start is given up. */
export const HOPELESS = 5;

/** The count of crashes in a row after one more, given how long the process ran (milliseconds). */
export function crashesInARow(before: number, ranForMs: number): number {
  return ranForMs >= HEALTHY_MS ? 1 : before + 1;
}

/** How long to wait before the next start, in milliseconds: 250 ms, doubled with each crash in a row, at most 10 s. */
export function restartDelay(inARow: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, inARow - 1));
}
