// The clock of one simulated process: it may go wrong by a constant, and it stops for ever when the process is killed.
import type { Clock, Timer } from '@assistant-platform/runtime';

export class ProcessClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  /** Milliseconds that this process's wall clock is ahead. */
  readonly skewMs: number;
  #dead = false;

  constructor(clock: Clock, skewMs = 0) {
    this.#clock = clock;
    this.skewMs = skewMs;
  }

  /** True once the process was killed: nothing that it waits for ever comes. */
  get dead(): boolean {
    return this.#dead;
  }

  now(): number {
    return this.#clock.now() + this.skewMs;
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  timer(delay: number, callback: () => void): Timer {
    if (this.#dead) return { cancel: () => undefined };
    const timer = this.#clock.timer(delay, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        timer.cancel();
        this.#timers.delete(timer);
      },
    };
  }

  giveWay(): Promise<void> {
    return this.#clock.giveWay();
  }

  /** SIGKILL. */
  kill(): void {
    this.#dead = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
