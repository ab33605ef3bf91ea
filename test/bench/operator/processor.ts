// Processor time as the kernel counts it, and when processes have come to rest.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A clock tick, in which the kernel counts processor time. */
export const TICK_MS = 10;

/** Processor time of a process so far, milliseconds. */
export function processorMs(pid: number): number {
  // Behind the name, which may hold anything, come state (field 3) and so on; utime and stime are fields 14 and 15.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** When a process counts as quiet: so many windows in a row in which it needs no more processor time than this. */
export interface Rest {
  readonly windowMs: number;
  readonly windows: number;
  readonly processorMs: number;
}

/**
 * Waits until all of the processes are quiet at once.
 * @param pids asked at each window: a process that is followed by another one counts from there.
 * @returns epoch milliseconds of when that began.
 * @throws Error when it does not come to that in time.
 */
export async function quietSince(pids: () => readonly number[], rest: Rest, timeoutMs: number): Promise<number> {
  const end = Date.now() + timeoutMs;
  const spent = (): ReadonlyMap<number, number> => new Map(pids().map((pid) => [pid, processorMs(pid)]));
  let since = Date.now();
  let before = spent();
  for (let quiet = 0; quiet < rest.windows; ) {
    if (Date.now() > end) throw new Error(`still busy after ${timeoutMs} ms`);
    await delay(rest.windowMs);
    const now = spent();
    const busiest = Math.max(...[...now].map(([pid, ms]) => ms - (before.get(pid) ?? 0)));
    if (busiest <= rest.processorMs) quiet += 1;
    else {
      quiet = 0;
      since = Date.now();
    }
    before = now;
  }
  return since;
}
