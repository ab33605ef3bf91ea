// The core loop: take a request, reconcile it, put it back as the result says. Exceptions end one reconcile, never the loop.
import { randomUUID } from 'node:crypto';
import type { RateLimit } from '../client/token-bucket.ts';
import { linkAbort } from '../clock/abort.ts';
import type { Clock, Random } from '../clock/clock.ts';
import { systemClock } from '../clock/clock.ts';
import type { Logger } from '../log/logger.ts';
import { silentLogger } from '../log/logger.ts';
import type { Registry, RuntimeMetrics } from '../metrics/metrics.ts';
import { runtimeMetrics } from '../metrics/metrics.ts';
import type { KubeObject, ObjectRef } from '../objects/objects.ts';
import { objectKey } from '../objects/objects.ts';
import type { BackoffPolicy } from '../queue/backoff.ts';
import type { Work } from '../queue/work-queue.ts';
import { priority, WorkQueue } from '../queue/work-queue.ts';
import type { ChangeFilter, RequestMapper, WatchSource } from './sources.ts';
import { enqueueSelf } from './sources.ts';
import type { Result } from './result.ts';
import { TerminalError } from './result.ts';

/** Which object to reconcile. It says nothing of why: look at what is there. */
export type Request = ObjectRef;

/** What a reconcile is given besides the request. */
export interface ReconcileContext {
  /** Aborts when the controller must stop now, or the reconcile took too long. Pass it to every call that waits. */
  readonly signal: AbortSignal;
  /** Random, on every log line of this reconcile. */
  readonly reconcileId: string;
  /** With controller, object and reconcileId bound. */
  readonly log: Logger;
  /** Failures in a row of this request before this try. */
  readonly failures: number;
}

/**
 * Brings the world to what the object asks for. May be called at any time, again and again, for objects that are gone as well.
 * @throws anything to be tried again later; TerminalError when trying again cannot help.
 */
export type Reconciler = (request: Request, context: ReconcileContext) => Promise<Result>;

export interface ControllerOptions {
  /** Lower case, in metrics and logs, for example `assistantdeployment`. */
  name: string;
  reconcile: Reconciler;
  /** Requests reconciled at the same time. Default 1. */
  workers?: number;
  /** A reconcile that takes longer is told to stop and counted as an error, ms. Default 2 min. See {@link Controller.stuck}. */
  timeoutMs?: number;
  backoff?: BackoffPolicy;
  retryLimit?: RateLimit;
  clock?: Clock;
  random?: Random;
  logger?: Logger;
  registry?: Registry;
}

/** Reconciles requests that its watches, or {@link Controller.enqueue}, put into its queue. */
export class Controller {
  readonly name: string;
  readonly workers: number;
  readonly #options: ControllerOptions;
  readonly #queue: WorkQueue<Request>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: RuntimeMetrics['controller'] | undefined;
  readonly #stopNow = new AbortController();
  readonly #timeoutMs: number;
  /** Key of what is reconciled, and since when (monotonic ms). */
  readonly #underWay = new Map<string, number>();

  constructor(options: ControllerOptions) {
    this.name = options.name;
    this.workers = options.workers ?? 1;
    if (!Number.isInteger(this.workers) || this.workers < 1)
      throw new RangeError(`controller ${this.name}: workers must be 1 or more, got ${this.workers}`);
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 120_000;
    this.#clock = options.clock ?? systemClock;
    this.#logger = (options.logger ?? silentLogger).child({ controller: this.name });
    this.#metrics = options.registry && runtimeMetrics(options.registry).controller;
    this.#queue = new WorkQueue<Request>({
      name: this.name,
      keyOf: objectKey,
      clock: this.#clock,
      ...(options.backoff ? { backoff: options.backoff } : {}),
      ...(options.retryLimit ? { retryLimit: options.retryLimit } : {}),
      ...(options.random ? { random: options.random } : {}),
      ...(options.registry ? { registry: options.registry } : {}),
    });
    this.#initialiseMetrics();
  }

  /** The queue, to look at: its depth and what is under way. */
  get queue(): Pick<WorkQueue<Request>, 'ready' | 'working' | 'size'> {
    return this.#queue;
  }

  /** What is wrong when a reconcile was told to stop and has not returned for as long again: its worker is lost until a restart. */
  get stuck(): string | undefined {
    const now = this.#clock.monotonic();
    const [key, since] = [...this.#underWay].find(([, begun]) => now - begun > 2 * this.#timeoutMs) ?? [];
    if (key === undefined || since === undefined) return undefined;
    return `the reconcile of ${key} was told to stop after ${this.#timeoutMs} ms and still runs after ${now - since} ms`;
  }

  /** Asks for a reconcile, now or after a delay. */
  enqueue(request: Request, options: { priority?: number; afterMs?: number } = {}): void {
    this.#queue.add(request, options);
  }

  /**
   * Reconciles what `map` makes of each change of the informer's objects (default: the object itself). Objects that are
   * just there at the start wait behind edits. Starts to collect at once, also on a standby.
   * @param gatherMs changes within this time make one reconcile: for objects that change many times in a moment.
   */
  watches<T extends KubeObject>(
    source: WatchSource<T>,
    map: RequestMapper<T> = enqueueSelf,
    filter?: ChangeFilter<T>,
    gatherMs = 0,
  ): this {
    source.addHandler((change) => {
      if (filter && !filter(change)) return;
      const initial = change.type === 'Added' && change.initial;
      for (const request of map(change))
        this.#queue.add(request, {
          priority: initial ? priority.resync : priority.edit,
          afterMs: initial ? 0 : gatherMs,
        });
    });
    return this;
  }

  /**
   * Works until `signal` aborts, then lets running reconciles finish. {@link Controller.abort} ends those too.
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => void this.#queue.shutDown();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    this.#logger.info({ workers: this.workers }, 'controller started');
    await Promise.all(Array.from({ length: this.workers }, () => this.#work()));
    await this.#queue.shutDown();
    signal.removeEventListener('abort', stop);
    this.#logger.info({}, 'controller stopped');
  }

  /** Tells running reconciles to stop now, by their signal. */
  abort(reason: unknown): void {
    this.#stopNow.abort(reason);
  }

  async #work(): Promise<void> {
    for (let work = await this.#queue.get(); work; work = await this.#queue.get()) {
      this.#metrics?.activeWorkers.inc({ controller: this.name });
      try {
        await this.#clock.giveWay();
        await this.#handle(work);
      } finally {
        this.#metrics?.activeWorkers.dec({ controller: this.name });
        this.#queue.done(work.item);
      }
    }
  }

  async #handle({ item: request, priority: itemPriority }: Work<Request>): Promise<void> {
    const reconcileId = randomUUID();
    const log = this.#logger.child({ ...request, reconcileId });
    const startedAt = this.#clock.monotonic();
    const timeoutMs = this.#timeoutMs;
    this.#underWay.set(objectKey(request), startedAt);
    const abort = new AbortController();
    const unlink = linkAbort(this.#stopNow.signal, abort);
    const { signal } = abort;
    let late: Error | undefined;
    const timer = this.#clock.timer(timeoutMs, () => {
      this.#metrics?.timeouts.inc({ controller: this.name });
      late = new Error(`reconcile of ${objectKey(request)} took longer than ${timeoutMs} ms`);
      abort.abort(late);
    });
    const failIfLate = () => {
      if (late) throw late;
    };
    try {
      const result = await this.#options.reconcile(request, {
        signal,
        reconcileId,
        log,
        failures: this.#queue.failures(request),
      });
      failIfLate();
      if (result.kind !== 'requeue') this.#queue.forget(request);
      this.#settle(request, result);
    } catch (error) {
      this.#fail(request, error, log, itemPriority);
    } finally {
      timer.cancel();
      unlink();
      this.#underWay.delete(objectKey(request));
      this.#metrics?.time.observe({ controller: this.name }, (this.#clock.monotonic() - startedAt) / 1000);
    }
  }

  #settle(request: Request, result: Result): void {
    switch (result.kind) {
      case 'done':
        this.#metrics?.reconciles.inc({ controller: this.name, result: 'success' });
        break;
      case 'requeueAfter':
        this.#queue.add(request, { afterMs: result.ms, priority: priority.timer });
        this.#metrics?.reconciles.inc({ controller: this.name, result: 'requeue_after' });
        break;
      case 'requeue':
        this.#queue.addRateLimited(request, { atLeastMs: result.atLeastMs, priority: priority.timer });
        this.#metrics?.reconciles.inc({ controller: this.name, result: 'requeue' });
        break;
    }
  }

  #fail(request: Request, error: unknown, log: Logger, itemPriority: number): void {
    const controller = this.name;
    if (this.#stopNow.signal.aborted) {
      log.info({ err: error }, 'reconcile ended by the stop');
      return;
    }
    this.#metrics?.errors.inc({ controller });
    this.#metrics?.reconciles.inc({ controller, result: 'error' });
    if (error instanceof TerminalError) {
      this.#metrics?.terminalErrors.inc({ controller });
      this.#queue.forget(request);
      log.error({ err: error }, 'reconcile failed for good: waiting for a change');
      return;
    }
    this.#queue.addRateLimited(request, { priority: itemPriority });
    log.error({ err: error, failures: this.#queue.failures(request) }, 'reconcile failed: will be tried again');
  }

  /** Series exist from the start, so that rates and alerts see the first increase. */
  #initialiseMetrics(): void {
    const controller = this.name;
    for (const result of ['success', 'error', 'requeue_after', 'requeue'])
      this.#metrics?.reconciles.inc({ controller, result }, 0);
    for (const family of [this.#metrics?.errors, this.#metrics?.terminalErrors, this.#metrics?.timeouts])
      family?.inc({ controller }, 0);
    this.#metrics?.activeWorkers.set({ controller }, 0);
    this.#metrics?.maxWorkers.set({ controller }, this.workers);
  }
}
