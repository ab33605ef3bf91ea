// The Api over HTTP: paths, content types, limits, retries and metrics. Nothing here keeps state but the connections.
import type { Clock } from '../clock/clock.ts';
import { sleep, systemClock } from '../clock/clock.ts';
import type { RuntimeMetrics } from '../metrics/metrics.ts';
import type { ApplyConfiguration, Draft, KubeObject, ObjectRef } from '../objects/objects.ts';
import { refOf } from '../objects/objects.ts';
import type { ResourcePath, ResourceType } from '../objects/resource-type.ts';
import { pathOf } from '../objects/resource-type.ts';
import type {
  Api,
  ApplyOptions,
  DeleteOptions,
  Deletion,
  ObjectList,
  Page,
  PageOptions,
  RequestOptions,
  SubresourceOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './api.ts';
import type { Connection } from './connection.ts';
import type { ApiStatus } from './errors.ts';
import { ApiError, isNotFound, TransportError } from './errors.ts';
import type { RateLimit } from './token-bucket.ts';
import { TokenBucket } from './token-bucket.ts';
import { asTransportError, readText, Transport } from './transport.ts';
import { linesOf, parseWatchLine } from './watch-stream.ts';

export interface ApiClientOptions {
  connection: Connection;
  /** Field manager of every write, for example `assistant-operator`. */
  fieldManager: string;
  /** Sent as User-Agent, so that audit logs tell who asks. Default: the field manager. */
  userAgent?: string;
  /** Requests a second over all verbs but watch. Default 200, with bursts of 400. */
  rateLimit?: RateLimit;
  /** Limit of a request with its retries, ms. Default 30,000. */
  timeoutMs?: number;
  /** How often a request is sent again when the server says when to come back. Default 5. */
  maxRetries?: number;
  clock?: Clock;
  metrics?: RuntimeMetrics['client'];
}

/** Objects per page of a list. kube-rs and client-go use the same. */
export const defaultPageSize = 500;

interface Call extends RequestOptions {
  /** Kubernetes verb, for metrics. */
  verb: string;
  method: string;
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  contentType?: string;
}

interface StoredList<T> {
  items?: T[];
  metadata?: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
}

/** {@link Api} over HTTPS. One instance for all of a program's requests; leader election takes one of its own. */
export class ApiClient implements Api {
  readonly #transport: Transport;
  readonly #limiter: TokenBucket;
  readonly #clock: Clock;
  readonly #metrics: RuntimeMetrics['client'] | undefined;
  readonly #fieldManager: string;
  readonly #userAgent: string;
  readonly #timeoutMs: number;
  readonly #maxRetries: number;

  constructor(options: ApiClientOptions) {
    const clock = options.clock ?? systemClock;
    this.#clock = clock;
    this.#transport = new Transport(options.connection);
    this.#limiter = new TokenBucket(options.rateLimit ?? { rate: 200, burst: 400 }, clock);
    this.#metrics = options.metrics;
    this.#fieldManager = options.fieldManager;
    this.#userAgent = options.userAgent ?? options.fieldManager;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#maxRetries = options.maxRetries ?? 5;
  }

  get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, options: RequestOptions = {}): Promise<T> {
    return this.#object(type, { ...options, verb: 'GET', method: 'GET', path: pathOf(type, ref) });
  }

  async find<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: RequestOptions = {},
  ): Promise<T | undefined> {
    try {
      return await this.get(type, ref, options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async page<T extends KubeObject>(type: ResourceType<T>, options: PageOptions = {}): Promise<Page<T>> {
    const {
      namespace,
      labelSelector,
      fieldSelector,
      limit,
      continueToken,
      resourceVersion,
      resourceVersionMatch,
      ...rest
    } = options;
    const path = pathOf(type, namespace ? { namespace } : {});
    // With a continue token the server knows the version; giving one again is refused.
    const version = continueToken ? {} : { resourceVersion, resourceVersionMatch };
    const query = { labelSelector, fieldSelector, limit, continue: continueToken, ...version };
    const list = (await this.#call({ ...rest, verb: 'LIST', method: 'GET', path, query })) as StoredList<T>;
    // Taking a proxy's `{}` for an empty list would empty every cache.
    if (!list.metadata?.resourceVersion)
      throw new TransportError(`GET ${path}`, 'Malformed', 'the answer is no list: it has no metadata.resourceVersion');
    const items = list.items ?? [];
    // Items of a typed list come without their type.
    for (const item of items) {
      item.apiVersion = type.apiVersion;
      item.kind = type.kind;
    }
    return {
      items,
      resourceVersion: list.metadata.resourceVersion,
      continueToken: list.metadata.continue === '' ? undefined : list.metadata.continue,
      remainingItemCount: list.metadata.remainingItemCount,
    };
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: PageOptions = {}): Promise<ObjectList<T>> {
    const items: T[] = [];
    let continueToken = options.continueToken;
    for (;;) {
      const page = await this.page(type, { limit: defaultPageSize, ...options, continueToken });
      for (const item of page.items) items.push(item);
      if (page.continueToken === undefined) return { items, resourceVersion: page.resourceVersion };
      continueToken = page.continueToken;
    }
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>, options: WriteOptions = {}): Promise<T> {
    const { namespace } = object.metadata;
    if (type.namespaced && !namespace) throw new TypeError(`create ${type.kind}: metadata.namespace is missing`);
    const path = pathOf(type, namespace ? { namespace } : {});
    return this.#write(type, { verb: 'POST', method: 'POST', path, body: typed(type, object) }, options);
  }

  update<T extends KubeObject>(type: ResourceType<T>, object: T, options: SubresourceOptions = {}): Promise<T> {
    const path = pathOf(type, at(refOf(object), options.subresource));
    return this.#write(type, { verb: 'PUT', method: 'PUT', path, body: typed(type, object) }, options);
  }

  updateStatus<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.update(type, object, { ...options, subresource: 'status' });
  }

  apply<T extends KubeObject>(
    type: ResourceType<T>,
    object: ApplyConfiguration<T>,
    options: ApplyOptions = {},
  ): Promise<T> {
    const { name, namespace } = object.metadata;
    const path = pathOf(type, at({ name, ...(namespace ? { namespace } : {}) }, options.subresource));
    // YAML is a superset of JSON: the content type is `apply-patch+yaml`, the body may be JSON (API concepts, SSA).
    const contentType = 'application/apply-patch+yaml';
    const query = { force: options.force ?? true };
    return this.#write(
      type,
      { verb: 'APPLY', method: 'PATCH', path, body: typed(type, object), contentType, query },
      options,
    );
  }

  applyStatus<T extends KubeObject>(
    type: ResourceType<T>,
    object: ApplyConfiguration<T>,
    options: ApplyOptions = {},
  ): Promise<T> {
    return this.apply(type, object, { ...options, subresource: 'status' });
  }

  patch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: object,
    options: SubresourceOptions = {},
  ): Promise<T> {
    const path = pathOf(type, at(ref, options.subresource));
    const contentType = 'application/merge-patch+json';
    return this.#write(type, { verb: 'PATCH', method: 'PATCH', path, body: patch, contentType }, options);
  }

  async delete<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: DeleteOptions = {},
  ): Promise<Deletion<T>> {
    const { signal, timeoutMs, dryRun, ...rest } = options;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...rest, ...(dryRun ? { dryRun: ['All'] } : {}) };
    const answer = (await this.#call({
      verb: 'DELETE',
      method: 'DELETE',
      path: pathOf(type, ref),
      body,
      signal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })) as ApiStatus | T;
    return answer.kind === 'Status'
      ? { state: 'Gone', uid: (answer as ApiStatus).details?.uid }
      : { state: 'Terminating', object: typed(type, answer as T) };
  }

  async *watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds } = options;
    const query = {
      watch: true,
      allowWatchBookmarks: true,
      labelSelector,
      fieldSelector,
      resourceVersion,
      timeoutSeconds,
    };
    const path = pathOf(type, namespace ? { namespace } : {}) + queryString(query);
    const request = `WATCH ${path}`;
    const abort = new AbortController();
    const stop = linked(options.signal, abort);
    const watchdog = idleWatchdog(this.#clock, options.idleTimeoutMs, (ms) =>
      abort.abort(new TransportError(request, 'Timeout', `nothing came for ${ms} ms, not even a bookmark`)),
    );
    try {
      const response = await this.#transport.send({
        method: 'GET',
        path,
        headers: { 'user-agent': this.#userAgent },
        signal: abort.signal,
        streaming: true,
      });
      this.#count('GET', response.status);
      if (response.status !== 200) {
        throw refusal(
          request,
          response.status,
          response.headers['retry-after'],
          await readText(request, response, abort.signal),
        );
      }
      for await (const line of linesOf(response.body)) {
        watchdog.restart();
        yield parseWatchLine<T>(request, line);
      }
    } catch (error) {
      throw error instanceof ApiError ? error : asTransportError(request, error, abort.signal);
    } finally {
      watchdog.stop();
      stop();
      // Ends the request when the consumer leaves early; does nothing after a normal end.
      abort.abort();
    }
  }

  /** Closes all connections. Requests under way fail. */
  close(): void {
    this.#transport.close();
  }

  #write<T extends KubeObject>(type: ResourceType<T>, call: Call, options: WriteOptions): Promise<T> {
    const { signal, timeoutMs, dryRun, fieldManager } = options;
    return this.#object(type, {
      ...call,
      signal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      query: { fieldManager: fieldManager ?? this.#fieldManager, dryRun: dryRun ? 'All' : undefined, ...call.query },
    });
  }

  async #object<T extends KubeObject>(type: ResourceType<T>, call: Call): Promise<T> {
    const object = (await this.#call(call)) as T | { metadata?: undefined };
    if (!object.metadata)
      throw new TransportError(
        `${call.method} ${call.path}`,
        'Malformed',
        'the answer is no object: it has no metadata',
      );
    return typed(type, object);
  }

  /** Sends, retries what the server asked to retry, and gives the parsed answer. */
  async #call(call: Call): Promise<unknown> {
    const path = call.path + queryString(call.query ?? {});
    const request = `${call.method} ${path}`;
    const timeoutMs = call.timeoutMs ?? this.#timeoutMs;
    const abort = new AbortController();
    const stop = linked(call.signal, abort);
    const timer = this.#clock.timer(timeoutMs, () =>
      abort.abort(new TransportError(request, 'Timeout', `no answer within ${timeoutMs} ms`)),
    );
    try {
      for (let attempt = 0, refreshCredentials = false; ; attempt++) {
        const limited = await this.#limiter.take(abort.signal);
        this.#metrics?.limited.observe({ verb: call.verb, host: this.#transport.host }, limited / 1000);
        const outcome = await this.#once(call, path, request, abort.signal, refreshCredentials);
        if (!(outcome instanceof Error)) return outcome.value;
        const delay = retryDelay(outcome, call.method, attempt, this.#maxRetries);
        if (delay === undefined) throw outcome;
        refreshCredentials = outcome instanceof ApiError && outcome.code === 401;
        const code = outcome instanceof ApiError ? String(outcome.code) : '<error>';
        this.#metrics?.retries.inc({ code, verb: call.verb, host: this.#transport.host });
        await sleep(this.#clock, delay, abort.signal);
        if (abort.signal.aborted) throw outcome;
      }
    } finally {
      timer.cancel();
      stop();
    }
  }

  async #once(
    call: Call,
    path: string,
    request: string,
    signal: AbortSignal,
    refreshCredentials: boolean,
  ): Promise<{ value: unknown } | Error> {
    const startedAt = this.#clock.monotonic();
    try {
      const response = await this.#transport.send({
        method: call.method,
        path,
        headers: {
          'user-agent': this.#userAgent,
          ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
        },
        body: call.body === undefined ? undefined : JSON.stringify(call.body),
        signal,
        refreshCredentials,
      });
      const text = await readText(request, response, signal);
      this.#count(call.method, response.status);
      if (response.status < 200 || response.status > 299) {
        return refusal(request, response.status, response.headers['retry-after'], text);
      }
      return { value: JSON.parse(text) as unknown };
    } catch (error) {
      if (error instanceof SyntaxError) return new TransportError(request, 'Malformed', 'the answer is no JSON', error);
      this.#metrics?.requests.inc({ code: '<error>', method: call.method, host: this.#transport.host });
      return asTransportError(request, error, signal);
    } finally {
      const seconds = (this.#clock.monotonic() - startedAt) / 1000;
      this.#metrics?.duration.observe({ verb: call.verb, host: this.#transport.host }, seconds);
    }
  }

  #count(method: string, status: number): void {
    this.#metrics?.requests.inc({ code: String(status), method, host: this.#transport.host });
  }
}

const at = (ref: ObjectRef, subresource: string | undefined): ResourcePath =>
  subresource ? { ...ref, subresource } : ref;

const typed = <T extends object>(type: ResourceType, object: T): T & { apiVersion: string; kind: string } => ({
  ...object,
  apiVersion: type.apiVersion,
  kind: type.kind,
});

const queryString = (query: Record<string, string | number | boolean | undefined>): string => {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
};

/** Passes an abort on; the result undoes the link. */
const linked = (from: AbortSignal | undefined, to: AbortController): (() => void) => {
  if (!from) return () => undefined;
  const pass = () => to.abort(from.reason);
  if (from.aborted) pass();
  else from.addEventListener('abort', pass, { once: true });
  return () => from.removeEventListener('abort', pass);
};

const idleWatchdog = (clock: Clock, limit: number | undefined, bark: (limit: number) => void) => {
  const arm = () => (limit === undefined ? undefined : clock.timer(limit, () => bark(limit)));
  let timer = arm();
  const stop = () => timer?.cancel();
  const restart = () => {
    stop();
    timer = arm();
  };
  return { stop, restart };
};

const refusal = (request: string, code: number, retryAfter: string | undefined, text: string): ApiError => {
  const seconds = retryAfter === undefined ? NaN : Number(retryAfter);
  return new ApiError(request, code, parseStatus(text), Number.isFinite(seconds) ? seconds * 1000 : undefined);
};

/** A Status if the body is one; otherwise (a proxy's page, say) its beginning as the message. */
const parseStatus = (text: string): ApiStatus => {
  try {
    const parsed = JSON.parse(text) as ApiStatus | null;
    if (parsed?.kind === 'Status') return parsed;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { message: text.slice(0, 300) };
};

/**
 * When to send again, ms, or undefined for never: as client-go, when the server said so (429, or 5xx with Retry-After);
 * once after 401 with fresh credentials; once for a read whose kept-alive connection turned out to be dead. A write whose
 * answer was lost is never repeated here: the reconcile looks first.
 */
const retryDelay = (error: Error, method: string, attempt: number, maxRetries: number): number | undefined => {
  if (error instanceof TransportError)
    return error.failure === 'Connection' && method === 'GET' && attempt === 0 ? 0 : undefined;
  if (!(error instanceof ApiError) || attempt >= maxRetries) return undefined;
  if (error.code === 401) return attempt === 0 ? 0 : undefined;
  if (error.code === 429 || (error.code >= 500 && error.retryAfterMs !== undefined)) return error.retryAfterMs ?? 1000;
  return undefined;
};
