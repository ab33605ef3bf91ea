// A clock that stands still until a test moves it.
import type { Clock, Timer } from './clock.ts';

interface Pending {
  at: number;
  order: number;
  callback: () => void;
}

/** So many timers at one moment are a circle: each sets the next without a delay. */
const AT_ONE_MOMENT = 100_000;

/** A {@link Clock} for tests: time moves by {@link ManualClock.advance} only, and timers fire in order of their due time. */
export class ManualClock implements Clock {
  #time: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#time = start;
  }

  now(): number {
    return this.#time;
  }

  monotonic(): number {
    return this.#time;
  }

  timer(delay: number, callback: () => void): Timer {
    const pending: Pending = { at: this.#time + Math.max(delay, 0), order: this.#order++, callback };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** Nothing is due while time stands still. */
  giveWay(): Promise<void> {
    return Promise.resolve();
  }

  /** How many timers wait. */
  get timers(): number {
    return this.#pending.size;
  }

  /** Milliseconds until the next timer is due, or undefined when none waits. */
  get nextTimerIn(): number | undefined {
    const next = this.#next();
    return next && next.at - this.#time;
  }

  /**
   * Moves time on by `delay` ms, firing what falls due, and lets promise callbacks run after each timer.
   * @throws when time stands still because timers keep setting timers for the same moment.
   */
  async advance(delay: number): Promise<void> {
    const target = this.#time + delay;
    let fired = 0;
    await settle();
    for (let next = this.#next(); next && next.at <= target; next = this.#next()) {
      this.#pending.delete(next);
      fired = next.at > this.#time ? 0 : fired + 1;
      if (fired > AT_ONE_MOMENT) throw new Error(`${fired} timers fired at ${this.#time} ms, and time did not move on`);
      this.#time = Math.max(this.#time, next.at);
      next.callback();
      await settle();
    }
    this.#time = target;
    await settle();
  }

  #next(): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (!first || pending.at < first.at || (pending.at === first.at && pending.order < first.order)) first = pending;
    }
    return first;
  }
}

/** Lets every promise callback that is ready run: one turn of the macrotask queue. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
