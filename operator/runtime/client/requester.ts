// One request to the API server and its fate: limits, retries, time-outs, metrics; and one watch. Knows paths and answers, but
// no resource types.
import { linkAbort } from '../clock/abort.ts';
import type { Clock } from '../clock/clock.ts';
import { sleep, systemClock } from '../clock/clock.ts';
import type { RuntimeMetrics } from '../metrics/metrics.ts';
import type { KubeObject } from '../objects/objects.ts';
import type { RequestOptions, WatchEvent } from './api.ts';
import type { Connection } from './connection.ts';
import type { ApiStatus } from './errors.ts';
import { ApiError, TransportError } from './errors.ts';
import { withoutManagedFields } from './managed-fields.ts';
import type { RateLimit } from './token-bucket.ts';
import { TokenBucket } from './token-bucket.ts';
import { asTransportError, type HttpResponse, readText, Transport } from './transport.ts';
import { linesOf, parseWatchLine } from './watch-stream.ts';

export interface RequesterOptions {
  connection: Connection;
  /** Sent as User-Agent, so that audit logs tell who asks. */
  userAgent: string;
  /** Requests a second over all verbs but watch. Default 200, with bursts of 400. */
  rateLimit?: RateLimit;
  /** Limit of a request with its retries, ms. Default 30,000. */
  timeoutMs?: number;
  /** How often a request is sent again when the server says when to come back. Default 5. */
  maxRetries?: number;
  clock?: Clock;
  metrics?: RuntimeMetrics['client'];
}

/** Parameters of a URL; those that are undefined or empty are left out. */
export type Query = Record<string, string | number | boolean | undefined>;

/** One request. */
export interface Call extends RequestOptions {
  /** Kubernetes verb, for metrics. */
  verb: string;
  method: string;
  path: string;
  query?: Query;
  body?: unknown;
  contentType?: string;
  /** No more is read of the answer. Default: all of it. */
  maxBytes?: number | undefined;
}

/** One watch. */
export interface WatchCall {
  path: string;
  query: Query;
  idleTimeoutMs: number | undefined;
  signal: AbortSignal | undefined;
}

/** Sends requests as the head of the file says. */
export class Requester {
  readonly #transport: Transport;
  readonly #limiter: TokenBucket;
  readonly #clock: Clock;
  readonly #metrics: RuntimeMetrics['client'] | undefined;
  readonly #userAgent: string;
  readonly #timeoutMs: number;
  readonly #maxRetries: number;

  constructor(options: RequesterOptions) {
    const clock = options.clock ?? systemClock;
    this.#clock = clock;
    this.#transport = new Transport(options.connection);
    this.#limiter = new TokenBucket(options.rateLimit ?? { rate: 200, burst: 400 }, clock);
    this.#metrics = options.metrics;
    this.#userAgent = options.userAgent;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#maxRetries = options.maxRetries ?? 5;
  }

  /** Sends, retries what the server asked to retry, and gives the parsed answer. @throws ApiError, TransportError. */
  async call(call: Call): Promise<unknown> {
    const path = call.path + queryString(call.query ?? {});
    const request = `${call.method} ${path}`;
    const timeoutMs = call.timeoutMs ?? this.#timeoutMs;
    const abort = new AbortController();
    const stop = linkAbort(call.signal, abort);
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
      const text = await readText(request, response, signal, call.maxBytes);
      this.#count(call.method, response.status);
      if (response.status < 200 || response.status > 299) {
        return refusal(request, response.status, response.headers['retry-after'], text);
      }
      return { value: JSON.parse(withoutManagedFields(text)) as unknown };
    } catch (error) {
      if (error instanceof SyntaxError) return new TransportError(request, 'Malformed', 'the answer is no JSON', error);
      this.#metrics?.requests.inc({ code: '<error>', method: call.method, host: this.#transport.host });
      return asTransportError(request, error, signal);
    } finally {
      const seconds = (this.#clock.monotonic() - startedAt) / 1000;
      this.#metrics?.duration.observe({ verb: call.verb, host: this.#transport.host }, seconds);
    }
  }

  /** Opens a watch, with fresh credentials where the known ones are refused, and reads it to its end. Throws as {@link Api.watch} does. */
  async *watch<T extends KubeObject>(call: WatchCall): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const path = call.path + queryString(call.query);
    const request = `WATCH ${path}`;
    const abort = new AbortController();
    const stop = linkAbort(call.signal, abort);
    const watchdog = idleWatchdog(this.#clock, call.idleTimeoutMs, (ms) =>
      abort.abort(new TransportError(request, 'Timeout', `nothing came for ${ms} ms, not even a bookmark`)),
    );
    try {
      let response = await this.#open(path, abort.signal, false);
      if (response.status === 401) {
        response.body.resume();
        response = await this.#open(path, abort.signal, true);
      }
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

  /** Sends a watch, whose body has yet to be read. */
  async #open(path: string, signal: AbortSignal, refreshCredentials: boolean): Promise<HttpResponse> {
    const headers = { 'user-agent': this.#userAgent };
    const request = { method: 'GET', path, headers, signal, streaming: true, refreshCredentials };
    const response = await this.#transport.send(request);
    this.#count(request.method, response.status);
    return response;
  }

  #count(method: string, status: number): void {
    this.#metrics?.requests.inc({ code: String(status), method, host: this.#transport.host });
  }
}

const queryString = (query: Query): string => {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
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
