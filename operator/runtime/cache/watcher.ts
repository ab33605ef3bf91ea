// Follows one collection for ever: list, watch from there, watch again where it broke off, list anew when the past is
// gone. A list is the beginning of a watch, which the API server sends object by object from its memory (KEP-3157); by pages
// where it cannot do that. The state is a closed union and each step maps it to the next, after kube-rs (kube-runtime/src/watcher.rs);
// time-outs and delays are client-go's (tools/cache/reflector.go).
import type { Api, Page, Selection } from '../client/api.ts';
import { ApiError, isGone, isInvalid, isTimeout, isTooLong, TransportError } from '../client/errors.ts';
import type { Clock, Random } from '../clock/clock.ts';
import { sleep } from '../clock/clock.ts';
import type { KubeObject } from '../objects/objects.ts';
import type { ResourceType } from '../objects/resource-type.ts';
import { resourceName } from '../objects/resource-type.ts';
import type { BackoffPolicy } from '../queue/backoff.ts';
import { LoopBackoff } from '../queue/backoff.ts';

/** Where a watcher is. */
export type WatcherState =
  /** Nothing is known, or what was known can no longer be continued. */
  | { phase: 'Empty' }
  /** In the middle of a list, after some pages or before a first one that is to be smaller. */
  | { phase: 'Listing'; continueToken: string | undefined; pageSize: number }
  /** Everything up to `resourceVersion` is known: watch from there. */
  | { phase: 'Known'; resourceVersion: string };

/** What a watcher tells. Between ListStarted and ListDone come the objects of a list as Pages. */
export type WatcherEvent<T> =
  | { type: 'ListStarted' }
  | { type: 'Page'; items: T[] }
  | { type: 'ListDone'; resourceVersion: string }
  | { type: 'WatchStarted'; resourceVersion: string }
  | { type: 'Changed'; object: T }
  | { type: 'Deleted'; object: T }
  | { type: 'Bookmark'; resourceVersion: string }
  | { type: 'Failed'; error: WatcherError; retryInMs: number };

/** A step that failed; the watcher goes on after a delay. `cause` is the ApiError or TransportError. */
export class WatcherError extends Error {
  override readonly name = 'WatcherError';
  readonly step: 'List' | 'Watch';

  constructor(step: 'List' | 'Watch', resource: string, cause: Error) {
    super(`cannot ${step.toLowerCase()} ${resource}: ${cause.message}`, { cause });
    this.step = step;
  }

  /** Short and of few values, for a metric label. */
  get reason(): string {
    const { cause } = this;
    if (cause instanceof ApiError) return cause.reason;
    if (cause instanceof TransportError) return cause.failure;
    return 'Unknown';
  }
}

/** Numbers that tests shorten. */
export interface WatchTuning {
  /** Lists come as the beginning of a watch, where the API server can do that; false: by pages. */
  streamedLists: boolean;
  /** Objects per page, at most. */
  pageSize: number;
  /** A page that is longer is asked for anew with fewer objects, bytes: a hundred large ones at once would need a gibibyte. */
  pageBytes: number;
  /** The server is asked to end a watch after a random time between this and its double, s, so that many clients spread. */
  watchSeconds: number;
  /** The client gives up on a watch so long after the server should have ended it, ms. */
  hardLimitGraceMs: number;
  /** A watch on which nothing came for so long is dead, ms: bookmarks come about once a minute. */
  idleTimeoutMs: number;
  backoff: BackoffPolicy;
  /** The backoff starts anew after so long without failure, ms. */
  backoffResetMs: number;
  /** A watch that ends without an event sooner than this counts as a failure, ms. */
  shortWatchMs: number;
}

export const defaultWatchTuning: WatchTuning = {
  streamedLists: true,
  pageSize: 100,
  pageBytes: 4 * 2 ** 20,
  watchSeconds: 300,
  hardLimitGraceMs: 30_000,
  idleTimeoutMs: 180_000,
  backoff: { baseMs: 800, maxMs: 30_000, factor: 2, jitter: 1 },
  backoffResetMs: 120_000,
  shortWatchMs: 1_000,
};

export interface WatcherOptions<T extends KubeObject> {
  api: Api;
  type: ResourceType<T>;
  selection: Selection;
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  tuning?: Partial<WatchTuning>;
}

/** Follows the collection until the signal aborts. Never throws for what the API server or the network do. */
export async function* watchCollection<T extends KubeObject>(
  options: WatcherOptions<T>,
): AsyncGenerator<WatcherEvent<T>, void, undefined> {
  const { clock, random, signal, type } = options;
  const tuning = { ...defaultWatchTuning, ...options.tuning };
  const backoff = new LoopBackoff(tuning.backoff, tuning.backoffResetMs, clock, random);
  let state: WatcherState = { phase: 'Empty' };
  let lastListAt = -Infinity;
  const stopped = () => signal.aborted;
  /** The list that is under way or to come. */
  let byPages = !tuning.streamedLists;
  const reach = (reached: WatcherState): void => void (state = reached);
  while (!stopped()) {
    try {
      if (state.phase === 'Empty') lastListAt = clock.monotonic();
      if (state.phase === 'Known') state = yield* watchStep(options, tuning, state.resourceVersion, reach);
      else if (byPages) {
        state = yield* listStep(options, tuning, state);
        byPages = state.phase !== 'Known' || !tuning.streamedLists;
      } else {
        state = yield* watchStep(options, tuning, undefined, reach);
        // It ended before all was sent: pages come to an end everywhere.
        byPages = state.phase !== 'Known';
      }
    } catch (error) {
      if (stopped()) return;
      if (!(error instanceof ApiError || error instanceof TransportError)) throw error;
      const step = state.phase === 'Known' ? 'Watch' : 'List';
      if (step === 'List' && !byPages) {
        byPages = isInvalid(error) || isTimeout(error);
        if (isInvalid(error)) continue;
      }
      // The past is gone: what the token or the version stood for cannot be continued.
      const gone = isGone(error);
      if (gone) state = { phase: 'Empty' };
      const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
      const rested = clock.monotonic() - lastListAt >= tuning.backoff.maxMs;
      const retryInMs = gone && rested ? 0 : Math.max(asked, backoff.next());
      yield { type: 'Failed', error: new WatcherError(step, resourceName(type), error), retryInMs };
      await sleep(clock, retryInMs, signal);
    }
  }
}

/** One page of a list; where it is too long, a smaller one the next time. */
async function* listStep<T extends KubeObject>(
  options: WatcherOptions<T>,
  tuning: WatchTuning,
  state: Exclude<WatcherState, { phase: 'Known' }>,
): AsyncGenerator<WatcherEvent<T>, WatcherState, undefined> {
  const { api, type, selection, signal } = options;
  if (state.phase === 'Empty') yield { type: 'ListStarted' };
  const { continueToken, pageSize: limit } =
    state.phase === 'Listing' ? state : { continueToken: undefined, pageSize: tuning.pageSize };
  // A single object is taken however long it is.
  const maxBytes = limit > 1 ? tuning.pageBytes : undefined;
  let page: Page<T>;
  try {
    page = await api.page(type, { ...selection, signal, limit, maxBytes, continueToken });
  } catch (error) {
    if (!isTooLong(error)) throw error;
    return { phase: 'Listing', continueToken, pageSize: Math.ceil(limit / 4) };
  }
  yield { type: 'Page', items: page.items };
  if (page.continueToken !== undefined) {
    const pageSize = Math.min(tuning.pageSize, Math.ceil(limit * 1.25));
    return { phase: 'Listing', continueToken: page.continueToken, pageSize };
  }
  yield { type: 'ListDone', resourceVersion: page.resourceVersion };
  return { phase: 'Known', resourceVersion: page.resourceVersion };
}

/** So many objects of a streamed list are told at a time. */
const STREAMED_AT_ONCE = 10;

/**
 * One watch, to its end. Without a version it begins with a list. `reach` is told of each version as it is passed on, so that a
 * watch that breaks is continued from the last event that the consumer has taken.
 */
async function* watchStep<T extends KubeObject>(
  options: WatcherOptions<T>,
  tuning: WatchTuning,
  from: string | undefined,
  reach: (state: WatcherState) => void,
): AsyncGenerator<WatcherEvent<T>, WatcherState, undefined> {
  const { api, type, selection, clock, random, signal } = options;
  const timeoutSeconds = Math.ceil(tuning.watchSeconds * (1 + random()));
  const hardLimit = new AbortController();
  const stop = () => hardLimit.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const limitMs = timeoutSeconds * 1000 + tuning.hardLimitGraceMs;
  const timer = clock.timer(limitMs, () =>
    hardLimit.abort(
      new TransportError(`WATCH ${type.plural}`, 'Timeout', `the server did not end the watch within ${limitMs} ms`),
    ),
  );
  const startedAt = clock.monotonic();
  let resourceVersion = from;
  let listed: T[] = [];
  let events = 0;
  try {
    yield resourceVersion === undefined ? { type: 'ListStarted' } : { type: 'WatchStarted', resourceVersion };
    const stream = api.watch(type, {
      ...selection,
      resourceVersion,
      timeoutSeconds,
      idleTimeoutMs: tuning.idleTimeoutMs,
      signal: hardLimit.signal,
    });
    for await (const event of stream) {
      events += 1;
      if (resourceVersion === undefined) {
        if (event.type === 'ADDED' || event.type === 'MODIFIED') listed.push(event.object);
        const ends = event.type === 'BOOKMARK' && event.initialEventsEnd === true;
        if (ends || event.type === 'DELETED' || listed.length >= STREAMED_AT_ONCE) {
          yield { type: 'Page', items: listed };
          listed = [];
        }
        if (event.type === 'DELETED') yield { type: 'Deleted', object: event.object };
        if (!ends) continue;
        ({ resourceVersion } = event);
        yield { type: 'ListDone', resourceVersion };
        yield { type: 'WatchStarted', resourceVersion };
      } else if (event.type === 'BOOKMARK') {
        ({ resourceVersion } = event);
        yield { type: 'Bookmark', resourceVersion };
      } else {
        resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
        yield { type: event.type === 'DELETED' ? 'Deleted' : 'Changed', object: event.object };
      }
      reach({ phase: 'Known', resourceVersion });
    }
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', stop);
  }
  if (events === 0 && clock.monotonic() - startedAt < tuning.shortWatchMs && !signal.aborted) {
    throw new TransportError(`WATCH ${type.plural}`, 'Connection', 'the watch ended at once without an event');
  }
  return resourceVersion === undefined ? { phase: 'Empty' } : { phase: 'Known', resourceVersion };
}
