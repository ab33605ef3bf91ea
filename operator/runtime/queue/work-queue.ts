// The work queue of a controller: each key waits at most once, is worked on by one worker at a time, fresh edits go before
// the backlog of a start, and failures come back later and later. Semantics of client-go (util/workqueue) and of
// controller-runtime's priority queue (pkg/controller/priorityqueue).
import type { RateLimit } from '../client/token-bucket.ts';
import { TokenBucket } from '../client/token-bucket.ts';
import type { Clock, Random, Timer } from '../clock/clock.ts';
import { systemClock } from '../clock/clock.ts';
import type { Registry, RuntimeMetrics } from '../metrics/metrics.ts';
import { computedGauge, runtimeMetrics } from '../metrics/metrics.ts';
import type { BackoffPolicy } from './backoff.ts';
import { backoffDelay } from './backoff.ts';
import { Heap } from './heap.ts';

/** Priorities of items; higher first, first come first served within one. Any integer may be used. */
export const priority = {
  /** Somebody changed something. */
  edit: 0,
  /** A wait is over. */
  timer: 0,
  /** It was there when we started, or a periodic look. */
  resync: -100,
} as const;

export interface WorkQueueOptions<T> {
  /** Name in metrics. */
  name: string;
  /** Items with the same key are the same work. */
  keyOf: (item: T) => string;
  /** Delay of the n-th retry of an item. Default 5 ms doubling up to 5 min, stretched by up to 10 %. */
  backoff?: BackoffPolicy;
  /** Limit over all retries. Default 10 a second, bursts of 100 (client-go). */
  retryLimit?: RateLimit;
  clock?: Clock;
  random?: Random;
  registry?: Registry;
}

export interface AddOptions {
  /** Default {@link priority.edit}. Adding again with a higher one raises it. */
  priority?: number;
  /** Not before so many ms from now. Of several delays the earliest counts. */
  afterMs?: number;
}

/** An item handed to a worker, who must say {@link WorkQueue.done} when finished. */
export interface Work<T> {
  item: T;
  priority: number;
}

type EntryState = 'Waiting' | 'Ready' | 'Working' | 'Removed';

interface Entry<T> {
  key: string;
  item: T;
  state: EntryState;
  priority: number;
  order: number;
  /** When a waiting entry becomes ready, monotonic ms. */
  readyAt: number;
  /** Since when it is ready, or since when it is worked on. */
  since: number;
  /** Added again while being worked on: what becomes of it when that is done. */
  again: { priority: number; readyAt: number } | undefined;
}

interface Slot<T> {
  entry: Entry<T>;
  priority: number;
  order: number;
  readyAt: number;
}

/** See the head of the file. All methods but {@link get} and {@link shutDown} are synchronous. */
export class WorkQueue<T> {
  readonly #options: WorkQueueOptions<T>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #backoff: BackoffPolicy;
  readonly #retryLimit: TokenBucket;
  readonly #metrics: RuntimeMetrics['queue'] | undefined;
  readonly #labels: { name: string; controller: string };
  readonly #entries = new Map<string, Entry<T>>();
  readonly #failures = new Map<string, number>();
  // Heaps keep outdated slots (an entry raised, or made ready early) until they surface; a slot is current when it
  // agrees with its entry.
  readonly #ready = new Heap<Slot<T>>(
    (a, b) => a.priority > b.priority || (a.priority === b.priority && a.order < b.order),
  );
  readonly #waiting = new Heap<Slot<T>>((a, b) => a.readyAt < b.readyAt);
  readonly #takers: ((work: Work<T> | undefined) => void)[] = [];
  #order = 0;
  #working = 0;
  #readyCount = 0;
  /** Somebody takes from it. Before that (on a standby) it only gathers: nobody is late with what is in it. */
  #taken = false;
  #timer: { readyAt: number; timer: Timer } | undefined;
  #shutDown: PromiseWithResolvers<undefined> | undefined;

  constructor(options: WorkQueueOptions<T>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#backoff = options.backoff ?? { baseMs: 5, maxMs: 300_000, factor: 2, jitter: 0.1 };
    this.#retryLimit = new TokenBucket(options.retryLimit ?? { rate: 10, burst: 100 }, this.#clock);
    this.#labels = { name: options.name, controller: options.name };
    if (options.registry) {
      this.#metrics = runtimeMetrics(options.registry).queue;
      workingQueues(options.registry).add(this as WorkQueue<unknown>);
    }
  }

  get name(): string {
    return this.#options.name;
  }

  /** Items ready to be worked on. */
  get ready(): number {
    return this.#readyCount;
  }

  /** Items being worked on. */
  get working(): number {
    return this.#working;
  }

  /** All items: waiting for their time, ready, and being worked on. */
  get size(): number {
    return this.#entries.size;
  }

  /** Slots held in memory, for tests of their bound. */
  get slots(): number {
    return this.#ready.size + this.#waiting.size;
  }

  /** For metrics: how long each item under way has been worked on, ms. */
  workingFor(): number[] {
    const now = this.#clock.monotonic();
    return [...this.#entries.values()].filter(({ state }) => state === 'Working').map(({ since }) => now - since);
  }

  /** Adds an item, or brings forward the one that is there. Does nothing after {@link shutDown}. */
  add(item: T, options: AddOptions = {}): void {
    if (this.#shutDown) return;
    const key = this.#options.keyOf(item);
    const wanted = {
      priority: options.priority ?? priority.edit,
      readyAt: this.#clock.monotonic() + Math.max(options.afterMs ?? 0, 0),
    };
    const existing = this.#entries.get(key);
    if (!existing) {
      const entry: Entry<T> = { key, item, state: 'Removed', order: 0, since: 0, again: undefined, ...wanted };
      this.#entries.set(key, entry);
      this.#place(entry, wanted);
      return;
    }
    existing.item = item;
    switch (existing.state) {
      case 'Working':
        existing.again = existing.again ? soonest(existing.again, wanted) : wanted;
        break;
      case 'Ready':
        // A delay does not hold back what is ready already.
        if (wanted.priority > existing.priority && wanted.readyAt <= this.#clock.monotonic())
          this.#place(existing, wanted);
        break;
      case 'Waiting':
        if (wanted.readyAt < existing.readyAt || wanted.priority > existing.priority)
          this.#place(existing, soonest(existing, wanted));
        break;
      case 'Removed':
        break;
    }
    this.#dispatch();
  }

  /** Adds an item after the delay that its failures, and the limit over all retries, call for, and not before `atLeastMs`. */
  addRateLimited(item: T, { atLeastMs = 0, ...options }: { priority?: number; atLeastMs?: number } = {}): void {
    const key = this.#options.keyOf(item);
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#metrics?.retries.inc(this.#labels);
    const backoff = backoffDelay(this.#backoff, failures, this.#random);
    const afterMs = Math.max(backoff, this.#retryLimit.reserve(), atLeastMs);
    this.add(item, { ...options, afterMs });
  }

  /** Failures in a row of an item. */
  failures(item: T): number {
    return this.#failures.get(this.#options.keyOf(item)) ?? 0;
  }

  /** The item is well again: its next failure starts at the shortest delay. */
  forget(item: T): void {
    this.#failures.delete(this.#options.keyOf(item));
  }

  /** The next item, when there is one; undefined once the queue is shut down. */
  get(): Promise<Work<T> | undefined> {
    if (!this.#taken) this.#countFromNow();
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#dispatch();
    });
  }

  /** The worker has finished with the item. If it was added meanwhile, it is queued now. */
  done(item: T): void {
    const key = this.#options.keyOf(item);
    const entry = this.#entries.get(key);
    if (entry?.state !== 'Working') throw new RangeError(`queue ${this.name}: done("${key}") without get`);
    this.#working -= 1;
    this.#metrics?.worked.observe(this.#labels, (this.#clock.monotonic() - entry.since) / 1000);
    const { again } = entry;
    entry.again = undefined;
    entry.state = 'Removed';
    if (again && !this.#shutDown) this.#place(entry, again);
    else this.#entries.delete(key);
    if (this.#shutDown && this.#working === 0) this.#shutDown.resolve(undefined);
    this.#dispatch();
  }

  /** Takes nothing more, sends waiting workers home, drops what waits, and resolves when running work is done. */
  async shutDown(): Promise<void> {
    if (!this.#shutDown) {
      this.#shutDown = Promise.withResolvers<undefined>();
      this.#timer?.timer.cancel();
      for (const entry of this.#entries.values()) {
        if (entry.state === 'Ready') this.#countReady(entry, -1);
        if (entry.state === 'Working') continue;
        entry.state = 'Removed';
        this.#entries.delete(entry.key);
      }
      for (const take of this.#takers.splice(0)) take(undefined);
      if (this.#working === 0) this.#shutDown.resolve(undefined);
    }
    await this.#shutDown.promise;
  }

  /** Puts an entry where it belongs by its time and priority. */
  #place(entry: Entry<T>, wanted: { priority: number; readyAt: number }): void {
    const now = this.#clock.monotonic();
    if (entry.state === 'Ready') this.#countReady(entry, -1);
    const wasReady = entry.state === 'Ready';
    Object.assign(entry, wanted);
    entry.order = this.#order++;
    const slot: Slot<T> = { entry, priority: entry.priority, order: entry.order, readyAt: entry.readyAt };
    if (entry.readyAt <= now) {
      entry.state = 'Ready';
      if (!wasReady) {
        entry.since = now;
        if (this.#taken) this.#metrics?.adds.inc(this.#labels);
      }
      this.#countReady(entry, 1);
      this.#ready.push(slot);
      this.#dispatch();
    } else {
      entry.state = 'Waiting';
      this.#waiting.push(slot);
      // An item that is brought forward again and again leaves a slot each time: long delays must not pile them up.
      if (this.#waiting.size > 2 * this.#entries.size + 64)
        this.#waiting.retain((waiting) => isCurrent(waiting, 'Waiting'));
      this.#arm();
    }
  }

  #countReady(entry: Entry<T>, by: 1 | -1): void {
    this.#readyCount += by;
    if (this.#taken) this.#metrics?.depth.inc({ ...this.#labels, priority: String(entry.priority) }, by);
  }

  /** What was gathered counts, and waits, from the moment on that somebody takes it. */
  #countFromNow(): void {
    this.#taken = true;
    for (const entry of this.#entries.values()) {
      if (entry.state !== 'Ready') continue;
      entry.since = this.#clock.monotonic();
      this.#metrics?.adds.inc(this.#labels);
      this.#metrics?.depth.inc({ ...this.#labels, priority: String(entry.priority) });
    }
  }

  /** Hands ready items to waiting workers. */
  #dispatch(): void {
    while (this.#takers.length > 0) {
      if (this.#shutDown) {
        this.#takers.shift()?.(undefined);
        continue;
      }
      const slot = this.#ready.pop();
      if (!slot) return;
      const { entry } = slot;
      if (!isCurrent(slot, 'Ready')) continue;
      const now = this.#clock.monotonic();
      this.#countReady(entry, -1);
      this.#metrics?.waited.observe(this.#labels, (now - entry.since) / 1000);
      entry.state = 'Working';
      entry.since = now;
      this.#working += 1;
      this.#takers.shift()?.({ item: entry.item, priority: entry.priority });
    }
  }

  /** One timer, for the earliest waiting entry. */
  #arm(): void {
    const next = this.#waiting.peek();
    if (!next || (this.#timer && this.#timer.readyAt <= next.readyAt)) return;
    this.#timer?.timer.cancel();
    const timer = this.#clock.timer(next.readyAt - this.#clock.monotonic(), () => {
      this.#timer = undefined;
      this.#ripen();
    });
    this.#timer = { readyAt: next.readyAt, timer };
  }

  #ripen(): void {
    const now = this.#clock.monotonic();
    for (let next = this.#waiting.peek(); next && next.readyAt <= now; next = this.#waiting.peek()) {
      this.#waiting.pop();
      const { entry } = next;
      if (isCurrent(next, 'Waiting')) this.#place(entry, entry);
    }
    this.#arm();
  }
}

const isCurrent = <T>({ entry, order }: Slot<T>, state: EntryState): boolean =>
  entry.state === state && entry.order === order;

const soonest = (left: { priority: number; readyAt: number }, right: { priority: number; readyAt: number }) => ({
  priority: Math.max(left.priority, right.priority),
  readyAt: Math.min(left.readyAt, right.readyAt),
});

const queuesOf = new WeakMap<Registry, Set<WorkQueue<unknown>>>();

/** The queues of a registry; the first call adds the two gauges that are computed from all of them. */
const workingQueues = (registry: Registry): Set<WorkQueue<unknown>> => {
  const known = queuesOf.get(registry);
  if (known) return known;
  const queues = new Set<WorkQueue<unknown>>();
  queuesOf.set(registry, queues);
  const labels = ['name', 'controller'] as const;
  const each =
    (value: (ages: number[]) => number) =>
    (set: (labels: { name: string; controller: string }, value: number) => void) => {
      for (const queue of queues) set({ name: queue.name, controller: queue.name }, value(queue.workingFor()) / 1000);
    };
  computedGauge(
    registry,
    'workqueue_unfinished_work_seconds',
    'How many seconds of work has been done that is in progress and has not been observed by work_duration.',
    labels,
    each((ages) => ages.reduce((sum, age) => sum + age, 0)),
  );
  computedGauge(
    registry,
    'workqueue_longest_running_processor_seconds',
    'How many seconds has the longest running processor for workqueue been running.',
    labels,
    each((ages) => Math.max(0, ...ages)),
  );
  return queues;
};
