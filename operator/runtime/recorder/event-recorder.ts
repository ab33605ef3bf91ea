// Tells people what happened, as events.k8s.io/v1 Events on the object concerned. Recording never waits and never throws:
// an Event is for reading, nothing may depend on it. What repeats becomes a series on one Event (client-go tools/events,
// KEP-383), except that the note belongs to the key here: "holding at 10 %" and "holding at 50 %" are two Events.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Api } from '../client/api.ts';
import { ApiError, isAlreadyExists, isNamespaceTerminating, isNotFound, TransportError } from '../client/errors.ts';
import { TokenBucket } from '../client/token-bucket.ts';
import type { Clock, Random, Timer } from '../clock/clock.ts';
import { microTime, systemClock } from '../clock/clock.ts';
import type { Logger } from '../log/logger.ts';
import { silentLogger } from '../log/logger.ts';
import type { RuntimeMetrics } from '../metrics/metrics.ts';
import type { Event } from '../objects/builtin.ts';
import { events } from '../objects/builtin.ts';
import type { KubeObject } from '../objects/objects.ts';
import { objectKey } from '../objects/objects.ts';
import { WorkQueue } from '../queue/work-queue.ts';

/** What happened. */
export interface EventInput {
  /** Warning: a person may have to act. Default Normal. */
  type?: 'Normal' | 'Warning';
  /** Why, in CamelCase, for machines, for example `WeightSet`. At most 128 characters. */
  reason: string;
  /** What was done, in CamelCase, for example `SetWeight`. At most 128 characters. Default: the reason. */
  action?: string;
  /** For people. Cut at 1,024 bytes, the limit of the API. */
  note: string;
  /** A second object concerned. */
  related?: KubeObject;
}

export interface EventRecorderOptions {
  api: Api;
  /** Who reports: a qualified name, for example `assistant-platform.io/operator`. */
  reportingController: string;
  /** Which instance of it. Default: the host name, which is the pod's name in a cluster. */
  reportingInstance?: string;
  clock?: Clock;
  random?: Random;
  logger?: Logger;
  metrics?: RuntimeMetrics['events'];
  /** The same event again within this time continues the series, ms. Default 6 min (client-go). */
  seriesGapMs?: number;
  /** A growing series is written at most so often, ms. Default 30 s. */
  seriesWriteMs?: number;
}

/** Limits that keep a fault of ours from flooding the API server. */
const maxSeries = 4096;
const maxPending = 1000;
const maxTries = 5;
const perObject = { rate: 1 / 30, burst: 50 };
const flushMs = 3_000;

const noteLimit = 1024;
const nameLimit = 128;

interface Series {
  key: string;
  event: Omit<Event, 'metadata' | 'apiVersion' | 'kind'> & { metadata: { name: string; namespace: string } };
  count: number;
  lastAt: number;
  /** Count that the API server has; 0: not created yet. */
  written: number;
  writtenAt: number;
}

/** See the head of the file. {@link EventRecorder.run} must run for events to be sent. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #instance: string;
  readonly #series = new Map<string, Series>();
  readonly #budgets = new Map<string, TokenBucket>();
  readonly #queue: WorkQueue<Series>;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#instance = (options.reportingInstance ?? hostname()).slice(0, nameLimit);
    // Series exist from the start, so that rates and alerts see the first increase.
    for (const outcome of ['created', 'series', 'dropped', 'failed']) options.metrics?.recorded.inc({ outcome }, 0);
    this.#queue = new WorkQueue<Series>({
      name: 'events',
      keyOf: (series) => series.key,
      backoff: { baseMs: 500, maxMs: 10_000, factor: 2, jitter: 0.5 },
      clock: this.#clock,
      ...(options.random ? { random: options.random } : {}),
    });
  }

  /** Records that something happened to `regarding`. Returns at once. */
  record(regarding: KubeObject, input: EventInput): void {
    const now = this.#clock.now();
    const { seriesGapMs = 360_000, seriesWriteMs = 30_000 } = this.#options;
    const key = seriesKey(regarding, input);
    const running = this.#series.get(key);
    if (running && now - running.lastAt <= seriesGapMs) {
      running.count += 1;
      running.lastAt = now;
      // The second one shows at once that it repeats; later ones are gathered.
      const afterMs =
        running.count === 2 ? 0 : Math.max(0, running.writtenAt + seriesWriteMs - this.#clock.monotonic());
      this.#queue.add(running, { afterMs });
      return;
    }
    if (this.#queue.size >= maxPending || !this.#budgetOf(objectKey(regarding.metadata)).tryTake()) {
      this.#drop('too many events', regarding, input);
      return;
    }
    const series: Series = {
      key,
      event: this.#build(regarding, input, now),
      count: 1,
      lastAt: now,
      written: 0,
      writtenAt: -Infinity,
    };
    this.#series.delete(key);
    this.#series.set(key, series);
    for (const oldest of this.#series.keys()) {
      if (this.#series.size <= maxSeries) break;
      this.#series.delete(oldest);
    }
    this.#queue.add(series);
  }

  /** Sends what is recorded until the signal aborts; then sends the rest, for at most 3 s. */
  async run(signal: AbortSignal): Promise<void> {
    const deadline = new AbortController();
    let timer: Timer | undefined;
    const stop = () => {
      void this.#queue.shutDown();
      // For the write under way as well: whoever stops waits for it, and gives the lease up only then.
      timer = this.#clock.timer(flushMs, () => deadline.abort());
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    for (let work = await this.#queue.get(); work; work = await this.#queue.get()) {
      const series = work.item;
      try {
        await this.#write(series, deadline.signal);
        this.#queue.forget(series);
      } catch (error) {
        this.#retry(series, error);
      } finally {
        this.#queue.done(series);
      }
    }
    const unsent = [...this.#series.values()].filter((series) => series.written < series.count);
    const results = await Promise.allSettled(unsent.map((series) => this.#write(series, deadline.signal)));
    timer?.cancel();
    for (const result of results) if (result.status === 'rejected') this.#failed(result.reason);
  }

  #budgetOf(object: string): TokenBucket {
    const known = this.#budgets.get(object);
    if (known) return known;
    const bucket = new TokenBucket(perObject, this.#clock);
    this.#budgets.set(object, bucket);
    // A forgotten budget starts full again: the bound on memory matters more.
    for (const oldest of this.#budgets.keys()) {
      if (this.#budgets.size <= maxSeries) break;
      this.#budgets.delete(oldest);
    }
    return bucket;
  }

  #build(regarding: KubeObject, input: EventInput, now: number): Series['event'] {
    // Events on cluster-scoped objects live in the default namespace (client-go).
    const namespace = regarding.metadata.namespace ?? 'default';
    return {
      metadata: { name: eventName(regarding), namespace },
      eventTime: microTime(now),
      reportingController: this.#options.reportingController,
      reportingInstance: this.#instance,
      type: input.type ?? 'Normal',
      reason: input.reason.slice(0, nameLimit),
      action: (input.action ?? input.reason).slice(0, nameLimit),
      note: cutToBytes(input.note, noteLimit),
      regarding: referenceTo(regarding),
      ...(input.related ? { related: referenceTo(input.related) } : {}),
    };
  }

  /** Creates the Event, or writes how long its series has become. */
  async #write(series: Series, signal: AbortSignal): Promise<void> {
    const { api } = this.#options;
    const { count } = series;
    const counted = count > 1 ? { series: { count, lastObservedTime: microTime(series.lastAt) } } : {};
    const options = { signal };
    if (series.written > 0) {
      if (series.written >= count) return;
      try {
        await api.patch(events, series.event.metadata, counted, options);
      } catch (error) {
        if (!isNotFound(error)) throw error;
        // It expired (an hour by default): begin a new one with the count so far.
        series.event.metadata.name = `${series.event.metadata.name.slice(0, -17)}.${uniquePart()}`;
        await api.create(events, { ...series.event, ...counted }, options);
      }
      this.#options.metrics?.recorded.inc({ outcome: 'series' });
    } else {
      try {
        await api.create(events, { ...series.event, ...counted }, options);
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
        // Its name is of chance: it is this one, stored by a try whose answer was lost, with the count of then.
        if (count > 1) await api.patch(events, series.event.metadata, counted, options);
      }
      this.#options.metrics?.recorded.inc({ outcome: 'created' });
    }
    series.written = count;
    series.writtenAt = this.#clock.monotonic();
  }

  #retry(series: Series, error: unknown): void {
    const passing =
      error instanceof TransportError || (error instanceof ApiError && (error.code >= 500 || error.code === 429));
    if (passing && this.#queue.failures(series) < maxTries) {
      this.#queue.addRateLimited(series);
      return;
    }
    this.#queue.forget(series);
    this.#series.delete(series.key);
    this.#failed(error);
  }

  #failed(error: unknown): void {
    this.#options.metrics?.recorded.inc({ outcome: 'failed' });
    // Nothing can be created in a namespace that is being deleted: that is no fault.
    if (!isNamespaceTerminating(error)) this.#logger.warn({ err: error }, 'an event could not be written');
  }

  #drop(why: string, regarding: KubeObject, input: EventInput): void {
    this.#options.metrics?.recorded.inc({ outcome: 'dropped' });
    this.#logger.debug(
      { why, object: objectKey(regarding.metadata), reason: input.reason, note: input.note },
      'event dropped',
    );
  }
}

const referenceTo = (object: KubeObject) => {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
};

const seriesKey = (regarding: KubeObject, input: EventInput): string => {
  const identity = (object: KubeObject | undefined) =>
    object && [object.apiVersion, object.kind, objectKey(object.metadata), object.metadata.uid];
  return JSON.stringify([
    input.type,
    input.reason,
    input.action,
    input.note,
    identity(regarding),
    identity(input.related),
  ]);
};

const uniquePart = () => randomUUID().replaceAll('-', '').slice(0, 16);

/** `<object>.<16 hex digits>`, within the 253 characters of a name. */
const eventName = (regarding: KubeObject): string => `${regarding.metadata.name.slice(0, 236)}.${uniquePart()}`;

/** Cuts a text to so many bytes of UTF-8 without breaking a character, with an ellipsis where it was cut. */
export const cutToBytes = (text: string, limit: number): string => {
  if (Buffer.byteLength(text) <= limit) return text;
  const ellipsis = '…';
  const kept = new Uint8Array(limit - Buffer.byteLength(ellipsis));
  const { read } = new TextEncoder().encodeInto(text, kept);
  return text.slice(0, read) + ellipsis;
};
