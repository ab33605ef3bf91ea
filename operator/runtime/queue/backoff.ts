// Exponential backoff, per item and for a single loop. Pure but for the counts it keeps: chance and time are parameters.
import type { Clock, Random } from '../clock/clock.ts';

/** `base * factor^failures`, at most `max` ms, times a random share of up to `1 + jitter`. */
export interface BackoffPolicy {
  baseMs: number;
  maxMs: number;
  factor: number;
  /** 0: none; 1: each delay is stretched by up to 100 %. */
  jitter: number;
}

/** Delay before the next try after `failures` (0: the first) failures in a row, ms. */
export const backoffDelay = (policy: BackoffPolicy, failures: number, random: Random): number => {
  // factor^failures overflows to Infinity for long outages: min() makes it the maximum again.
  const plain = Math.min(policy.maxMs, policy.baseMs * policy.factor ** failures);
  return plain * (1 + policy.jitter * random());
};

/** Backoff of one loop; counts from the start again after `resetAfterMs` without failure (client-go and kube-rs do so). */
export class LoopBackoff {
  readonly #policy: BackoffPolicy;
  readonly #resetAfterMs: number;
  readonly #clock: Clock;
  readonly #random: Random;
  #failures = 0;
  #quietSince = -Infinity;

  constructor(policy: BackoffPolicy, resetAfterMs: number, clock: Clock, random: Random) {
    this.#policy = policy;
    this.#resetAfterMs = resetAfterMs;
    this.#clock = clock;
    this.#random = random;
  }

  /** Records a failure and gives the delay before the next try, ms. */
  next(): number {
    const now = this.#clock.monotonic();
    if (now - this.#quietSince >= this.#resetAfterMs) this.#failures = 0;
    const delay = backoffDelay(this.#policy, this.#failures, this.#random);
    this.#failures += 1;
    this.#quietSince = now + delay;
    return delay;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }
}
