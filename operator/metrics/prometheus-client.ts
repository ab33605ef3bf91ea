// The part of Prometheus' HTTP API that we use: instant queries, of a range also (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries).
import { unescape } from 'node:querystring';
import { inTime, textOf, TooLongError } from '@assistant-platform/runtime';
import { z } from 'zod';

/** One series of the result. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What was scraped of a series, the oldest first. Epoch ms. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly { readonly at: number; readonly value: number }[];
}

/** The query could not be answered: the message says what was asked where, and what came back. */
export class PrometheusError extends Error {
  override readonly name = 'PrometheusError';
}

export interface PrometheusClientOptions {
  /** Base URL, without `/api/v1`. Credentials in it are sent as basic authentication, and are no part of what errors say. */
  readonly url: string;
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}

/** The longest answer that is read, bytes after decompression: a query that asks for everything must not cost the operator its memory. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

const NATIVE_HISTOGRAM =
  'the query gives a native histogram; write one that gives a number, for example with histogram_quantile(...)';

/**
 * All or an error: a part of the counts would hide what is wrong. Thanos and VictoriaMetrics give what they can unless told, in this order; Prometheus
 * has all, and takes no notice.
 */
const ALL_STORES = { partial_response: 'false', deny_partial_response: '1' };

const point = z.tuple([z.number(), z.string()]);
const labels = z.record(z.string(), z.string());
const answer = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    data: z.discriminatedUnion('resultType', [
      z.object({
        resultType: z.literal('vector'),
        // Native histograms have no value.
        result: z.array(z.object({ metric: labels, value: point.optional() })),
      }),
      z.object({ resultType: z.literal('scalar'), result: point }),
      z.object({
        resultType: z.literal('matrix'),
        // Native histograms have no values.
        result: z.array(z.object({ metric: labels, values: z.array(point).default([]) })),
      }),
      z.object({ resultType: z.literal('string'), result: z.unknown() }),
    ]),
  }),
  z.object({ status: z.literal('error'), error: z.string() }),
]);

export class PrometheusClient {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #fetch: typeof fetch;

  constructor({ url, timeoutMs = 10_000, fetch: fetchWith = fetch }: PrometheusClientOptions) {
    const address = new URL(url);
    this.#headers = basicAuthentication(address);
    [address.username, address.password] = ['', ''];
    this.#url = address.href.replace(/\/+$/, '');
    this.#timeoutMs = timeoutMs;
    this.#fetch = fetchWith;
  }

  /**
   * An instant query.
   * @param at evaluation time, epoch ms.
   * @throws PrometheusError when no vector or scalar comes back.
   */
  async query(query: string, at: number, signal: AbortSignal): Promise<readonly Sample[]> {
    const data = await this.#data(query, at, signal);
    switch (data.resultType) {
      case 'scalar':
        return [{ labels: {}, value: numberOf(data.result[1]) }];
      case 'vector':
        return data.result.map(({ metric, value }) => {
          if (value === undefined) throw new PrometheusError(NATIVE_HISTOGRAM);
          return { labels: metric, value: numberOf(value[1]) };
        });
      default:
        throw new PrometheusError(`the query gives a ${data.resultType}; write one that gives a number at one moment`);
    }
  }

  /**
   * What was scraped of the series of a range selector.
   * @param at the end of the range, epoch ms.
   * @throws PrometheusError when it is no range selector.
   */
  async series(selector: string, at: number, signal: AbortSignal): Promise<readonly Series[]> {
    const data = await this.#data(selector, at, signal);
    if (data.resultType !== 'matrix') throw new PrometheusError(`the selector gives a ${data.resultType}, not a range`);
    return data.result.map(({ metric, values }) => ({
      labels: metric,
      points: values.map(([seconds, value]) => ({ at: Math.round(seconds * 1000), value: numberOf(value) })),
    }));
  }

  async #data(query: string, at: number, signal: AbortSignal) {
    const { status, text } = await this.#post(query, at, signal);
    const parsed = answer.safeParse(jsonOf(text));
    if (!parsed.success) {
      const seen = `${this.#url} does not answer as Prometheus does (HTTP ${status})`;
      throw new PrometheusError(`${seen}; is the address right?`);
    }
    if (parsed.data.status === 'error') throw new PrometheusError(`Prometheus refuses the query: ${parsed.data.error}`);
    return parsed.data.data;
  }

  async #post(query: string, at: number, signal: AbortSignal): Promise<{ status: number; text: string }> {
    try {
      return await inTime(this.#timeoutMs, signal, async (within) => {
        const response = await this.#fetch(`${this.#url}/api/v1/query`, {
          method: 'POST',
          headers: this.#headers,
          body: new URLSearchParams({ query, time: String(at / 1000), timeout: `${this.#timeoutMs}ms`, ...ALL_STORES }),
          signal: within,
        });
        return { status: response.status, text: await textOf(response.body, MAX_ANSWER_BYTES) };
      });
    } catch (cause) {
      if (cause instanceof TooLongError)
        throw new PrometheusError(
          `Prometheus at ${this.#url}: ${cause.message}; make it one number, as with sum(...)`,
          {
            cause,
          },
        );
      if (cause instanceof DOMException && cause.name === 'TimeoutError')
        throw new PrometheusError(`Prometheus at ${this.#url} does not answer within ${this.#timeoutMs} ms`, { cause });
      throw new PrometheusError(`Prometheus at ${this.#url} does not answer: ${reasonOf(cause)}`, { cause });
    }
  }
}

/** fetch takes no address with credentials. */
function basicAuthentication({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const credentials = `${unescape(username)}:${unescape(password)}`;
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/** What a proxy says in its stead need not be JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Prometheus writes NaN as JavaScript does, and +Inf where that says Infinity. */
const numberOf = (text: string): number => Number(text.replace('Inf', 'Infinity'));

/** fetch says "fetch failed" and keeps the reason in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error as { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? error.message;
}
