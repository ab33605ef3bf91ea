// Runs a service as a process: wrong settings are one readable text and exit code 1; SIGTERM ends it gracefully.
import { SettingsError } from './config.ts';
import type { PodSettings } from './config.ts';
import { stopOnSignal } from './lifecycle.ts';
import type { StopStep } from './lifecycle.ts';
import type { PodBase } from './pod.ts';

/** What a started service gives to be run as a process. */
export interface RunningService {
  readonly base: PodBase;
  /** Resolves when it is ready; rejects when it never will be. */
  readonly ready: Promise<unknown>;
  /** What ends it, in order; asked when the time has come. */
  readonly stopSteps: () => StopStep[];
}

export async function runService<S extends PodSettings>(
  read: () => S,
  start: (settings: S) => Promise<RunningService>,
): Promise<void> {
  try {
    const settings = read();
    const { base, ready, stopSteps } = await start(settings);
    stopOnSignal({
      lifecycle: base.lifecycle,
      log: base.log,
      steps: stopSteps,
      delayMs: settings.SHUTDOWN_DELAY_MS,
      timeoutMs: settings.SHUTDOWN_TIMEOUT_MS + (settings.ASSISTANT_DRAIN_SECONDS ?? 0) * 1000,
    });
    await ready;
  } catch (error) {
    console.error(error instanceof SettingsError ? error.message : error);
    process.exit(1);
  }
}
