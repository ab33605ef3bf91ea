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
