// Circuit breakers (cockatiel) and bulkheads by dependency, with the state of the breakers in metrics.
import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
} from 'cockatiel';
import type { Metrics } from './metrics.ts';
import { LineFull, createSlots } from './slots.ts';

export interface Guard {
  /**
   * Runs `work` unless the dependency is known to be down or too much is under way.
   * @param signal ends the waiting for a slot; the promise then rejects with its reason
   * @throws DependencyUnavailable without having called `work`; otherwise whatever `work` throws
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  readonly state: () => 'closed' | 'half-open' | 'open';
}

/** The call was not made: the breaker is open, or the pool is full. */
export class DependencyUnavailable extends Error {
  override readonly name = 'DependencyUnavailable';
  readonly reason: 'open' | 'full';
  constructor(dependency: string, reason: 'open' | 'full') {
    super(reason === 'open' ? `${dependency} is cut off after repeated failures` : `${dependency} has no free slot`);
    this.reason = reason;
  }
}

export interface GuardOptions {
  readonly dependency: string;
  readonly metrics: Metrics;
  /** Failures in a row that open the breaker (R-096: 5). */
  readonly failures?: number;
  /** How long it stays open before one call is let through (R-096: 60 s; less where a probe costs nothing). */
  readonly halfOpenAfterMs?: number;
  /** Calls at a time, and how many more may wait. Unbounded when absent. */
  readonly pool?: { readonly size: number; readonly queue: number };
  /** Which errors speak against the dependency; by default all. A caller that gave up, for one, does not. */
  readonly counts?: (error: unknown) => boolean;
}

export function createGuard(options: GuardOptions): Guard {
  const { dependency, metrics, counts = () => true } = options;
  // Only a success closes it: a probe whose caller has left, or that met a dependency that is full, has shown nothing.
  const speaksAgainst = (error: unknown): boolean => breaker.state === CircuitState.HalfOpen || counts(error);
  const breaker: CircuitBreakerPolicy = circuitBreaker(handleWhen(speaksAgainst), {
    breaker: new ConsecutiveBreaker(options.failures ?? 5),
    halfOpenAfter: options.halfOpenAfterMs ?? 60_000,
  });
  const gauge = metrics.breakerState;
  gauge.set({ dependency }, 0);
  breaker.onBreak(() => gauge.set({ dependency }, 2));
  breaker.onHalfOpen(() => gauge.set({ dependency }, 1));
  breaker.onReset(() => gauge.set({ dependency }, 0));
  // The pool is outside: a call that waits for a slot meets the breaker as it is when its turn comes.
  const pool = options.pool && createSlots([...Array(options.pool.size).keys()], options.pool.queue);
  return {
    async run(work, signal) {
      try {
        const call = () => breaker.execute(work, signal);
        return await (pool === undefined ? call() : pool.use(call, signal));
      } catch (error) {
        if (error instanceof BrokenCircuitError) throw new DependencyUnavailable(dependency, 'open');
        if (error instanceof LineFull) throw new DependencyUnavailable(dependency, 'full');
        throw error;
      }
    },
    state: () =>
      breaker.state === CircuitState.Closed ? 'closed' : breaker.state === CircuitState.HalfOpen ? 'half-open' : 'open',
  };
}
