// A token bucket: lets bursts through and then a steady rate, in order of arrival.
import type { Clock } from '../clock/clock.ts';
import { sleep } from '../clock/clock.ts';

/** `rate` tokens a second; at most `burst` are saved up. */
export interface RateLimit {
  rate: number;
  burst: number;
}

/** Token bucket that may go into debt: each caller is told, or waits, until its own token is there. */
export class TokenBucket {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  #tokens: number;
  #refilledAt: number;

  constructor(limit: RateLimit, clock: Clock) {
    if (!(limit.rate > 0) || !(limit.burst >= 1)) {
      throw new RangeError(`rate limit needs rate > 0 and burst >= 1, got ${limit.rate} and ${limit.burst}`);
    }
    this.#limit = limit;
    this.#clock = clock;
    this.#tokens = limit.burst;
    this.#refilledAt = clock.monotonic();
  }

  /** Takes a token and says how long, in ms, to wait before using it (0: at once). */
  reserve(): number {
    this.#refill();
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#limit.rate) * 1000;
  }

  /** Takes a token if one is there. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Waits for a token, or until the signal aborts. Resolves to the time waited, ms. */
  async take(signal?: AbortSignal): Promise<number> {
    const delay = this.reserve();
    if (delay > 0) await sleep(this.#clock, delay, signal);
    return delay;
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    const earned = ((now - this.#refilledAt) / 1000) * this.#limit.rate;
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + earned);
    this.#refilledAt = now;
  }
}
