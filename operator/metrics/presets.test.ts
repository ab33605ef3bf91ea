// The presets on counts that a Prometheus would give.
import { describe, expect, it } from 'vitest';
import type { MetricPreset } from '@assistant-platform/api';
import { PrometheusClient } from './prometheus-client.ts';
import { readPreset } from './presets.ts';

const NOW = Date.UTC(2026, 0, 1);
const pods = { name: 'support', namespace: 'assistants', revision: '6c9f7d', components: ['realtime'] };

/** Reads a preset where each query counts what `counts` says of it. */
function read(preset: MetricPreset, counts: (query: string) => number) {
  const client = new PrometheusClient({
    url: 'http://prometheus:9090',
    fetch: (_, init) => {
      const query = (init?.body as URLSearchParams).get('query') ?? '';
      const result = [{ metric: {}, value: [NOW / 1000, String(counts(query))] }];
      return Promise.resolve(Response.json({ status: 'success', data: { resultType: 'vector', result } }));
    },
  });
  const window = { since: NOW - 60_000, at: NOW };
  const { signal } = new AbortController();
  return readPreset(preset, { client, signal, window, begun: window.since, pods, stable: null, usual: new Map() });
}

describe('resumed sessions', () => {
  it('are a share to the last digit: 93 of 100 are 0.93, as a limit has it', async () => {
    const lost = (query: string): number => (query.includes('outcome="not_recovered"') ? 7 : 100);
    expect(await read('SessionResumeRate', lost)).toEqual({
      value: 0.93,
      samples: 100,
      evidence: { events: 7, trials: 100 },
    });
  });

  it('that nobody asked for have no share', async () => {
    expect(await read('SessionResumeRate', () => 0)).toMatchObject({ value: null, samples: 0 });
  });
});
