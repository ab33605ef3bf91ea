// What Prometheus, or whatever stands at its address, may answer.
import { describe, expect, it } from 'vitest';
import { buckets, count } from './counters.ts';
import { PrometheusClient } from './prometheus-client.ts';

const NOW = Date.UTC(2026, 0, 1);
const signal = new AbortController().signal;

const vector = (...values: readonly (readonly [labels: Record<string, string>, value: string])[]) =>
  JSON.stringify({
    status: 'success',
    data: { resultType: 'vector', result: values.map(([metric, value]) => ({ metric, value: [NOW / 1000, value] })) },
  });

const answering = (body: string, status = 200): PrometheusClient =>
  new PrometheusClient({ url: 'http://prometheus:9090', fetch: () => Promise.resolve(new Response(body, { status })) });

describe('a number', () => {
  it.each([
    ['0.5', 0.5],
    ['1e-07', 1e-7],
    ['+Inf', Infinity],
    ['-Inf', -Infinity],
    ['NaN', NaN],
  ])('%s is read as Prometheus writes it', async (text, value) => {
    expect(await answering(vector([{}, text])).query('x', NOW, signal)).toEqual([{ labels: {}, value }]);
    const scalar = JSON.stringify({ status: 'success', data: { resultType: 'scalar', result: [NOW / 1000, text] } });
    expect(await answering(scalar).query('x', NOW, signal)).toEqual([{ labels: {}, value }]);
  });

  it('without an end counts nothing', async () => {
    const client = answering(vector([{ le: '1' }, '+Inf'], [{ le: '+Inf' }, '4']));
    const window = { since: NOW - 1000, at: NOW };
    expect(await count(client, 'x{}', window, signal)).toBe(4);
    expect(await buckets(client, 'x{}', window, signal)).toEqual([
      { bound: 1, count: 0 },
      { bound: Infinity, count: 4 },
    ]);
  });
});

describe('a histogram', () => {
  it('has one bucket for a bound, however its pods spell that', async () => {
    const spelt = [
      [{ le: '0.5' }, '1'],
      [{ le: '1' }, '90'],
      [{ le: '1.0' }, '10'],
      [{ le: '+Inf' }, '100'],
    ] as const;
    expect(await buckets(answering(vector(...spelt)), 'x{}', { since: NOW - 1000, at: NOW }, signal)).toEqual([
      { bound: 0.5, count: 1 },
      { bound: 1, count: 100 },
      { bound: Infinity, count: 100 },
    ]);
  });
});

it('an answer of 64 MiB is read no further than 8 MiB', async () => {
  let sent = 0;
  const long = new ReadableStream({
    pull(controller) {
      sent += 1;
      controller.enqueue(new Uint8Array(1024 * 1024).fill(32));
      if (sent === 64) controller.close();
    },
  });
  const fetch = () => Promise.resolve(new Response(long));
  const client = new PrometheusClient({ url: 'http://prometheus:9090', timeoutMs: 2000, fetch });
  await expect(client.query('{__name__!=""}', NOW, signal)).rejects.toThrow(
    'Prometheus at http://prometheus:9090: the answer is longer than 8388608 bytes; make it one number, as with sum(...)',
  );
  expect(sent).toBeLessThan(12);
});

describe('an address with credentials', () => {
  const url = 'https://operator:p%40ss@prometheus.example/prefix/';

  it('is asked with them in a header', async () => {
    const asked: Request[] = [];
    const client = new PrometheusClient({
      url,
      fetch: (...request) => {
        asked.push(new Request(...request));
        return Promise.resolve(new Response(vector([{}, '1'])));
      },
    });
    expect(await client.query('x', NOW, signal)).toEqual([{ labels: {}, value: 1 }]);
    expect(asked.map((request) => [request.url, request.headers.get('authorization')])).toEqual([
      ['https://prometheus.example/prefix/api/v1/query', `Basic ${btoa('operator:p@ss')}`],
    ]);
  });

  it.each<[string, typeof fetch]>([
    ['is gone', () => Promise.reject(new TypeError('fetch failed'))],
    ['says something else', () => Promise.resolve(new Response('<html></html>', { status: 502 }))],
    ['says something else in JSON', () => Promise.resolve(new Response('{}'))],
    [
      'says nothing',
      (_, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
        }),
    ],
  ])('that %s is told without them', async (_, answer) => {
    const client = new PrometheusClient({ url, timeoutMs: 10, fetch: answer });
    const told = client.query('x', NOW, signal).then(String, String);
    expect(await told).toContain('https://prometheus.example/prefix ');
    expect(await told).not.toMatch(/operator|p%40ss|p@ss/);
  });
});

describe('an answer of a part of the stores', () => {
  it('is not wanted: what Thanos and VictoriaMetrics are asked for is all or an error', async () => {
    const bodies: URLSearchParams[] = [];
    const client = new PrometheusClient({
      url: 'http://thanos:9090',
      fetch: (_, init) => {
        bodies.push(init?.body as URLSearchParams);
        return Promise.resolve(new Response(vector([{}, '1'])));
      },
    });
    await client.query('x', NOW, signal);
    await client.series('x[1m]', NOW, signal).catch(() => undefined);
    expect(bodies.map((body) => [body.get('partial_response'), body.get('deny_partial_response')])).toEqual([
      ['false', '1'],
      ['false', '1'],
    ]);
  });
});

describe('what is no answer of Prometheus', () => {
  it.each([
    ['<html>Bad gateway</html>', 502],
    ['Unauthorized', 401],
    ['{"message":"no Route matched"}', 404],
    ['', 302],
  ])('%j is told with its status %i', async (body, status) => {
    await expect(answering(body, status).query('x', NOW, signal)).rejects.toThrow(
      `http://prometheus:9090 does not answer as Prometheus does (HTTP ${status}); is the address right?`,
    );
  });

  it('a native histogram is told as one, with what to write', async () => {
    const result = [{ metric: {}, histogram: [NOW / 1000, { count: '3', sum: '4', buckets: [[0, '1', '2', '3']] }] }];
    const body = JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
    await expect(answering(body).query('x', NOW, signal)).rejects.toThrow(
      'the query gives a native histogram; write one that gives a number, for example with histogram_quantile(...)',
    );
  });

  it('an error of Prometheus is told in its words, whatever its status', async () => {
    const refused = JSON.stringify({ status: 'error', errorType: 'timeout', error: 'query timed out' });
    await expect(answering(refused, 503).query('x', NOW, signal)).rejects.toThrow(
      'Prometheus refuses the query: query timed out',
    );
  });
});
