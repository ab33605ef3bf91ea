// Loaded into a measured process with `--import`: watches its event loop and tells over the IPC channel what it saw since it was last asked.
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What a measured process answers. */
export interface ProbeAnswer {
  /** Delay of the event loop beyond the timer's own resolution, milliseconds. */
  readonly lagP99: number;
  readonly lagMax: number;
  /** Heap in use, bytes. */
  readonly heap: number;
}

const RESOLUTION_MS = 10;

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
process.on('message', () => {
  const lag = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  const answer: ProbeAnswer = {
    lagP99: lag(delay.percentile(99)),
    lagMax: lag(delay.max),
    heap: process.memoryUsage().heapUsed,
  };
  delay.reset();
  process.send?.(answer);
});
// Being asked is no reason to stay alive.
process.channel?.unref();
