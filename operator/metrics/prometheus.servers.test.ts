// The presets against a real Prometheus that scrapes the services' own metrics: 50 good canaries and 50 that are bad in eight ways.
import type { ResolvedMetric } from '@assistant-platform/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Canaries, NAMESPACE, PRESETS, type Canary } from '../../test/canaries/made-up.ts';
import { eventually, freePort } from '../../test/servers/child-process.ts';
import { startPrometheus, type PrometheusServer } from '../../test/servers/prometheus.ts';
import { entryOf, judge, standingOf, type AnalysisEntry, type Watch } from '../rollout/analysis/judge.ts';
import { resolvedMetrics } from '../rollout/analysis/test-metrics.ts';
import { PrometheusClient } from './prometheus-client.ts';
import { PrometheusSource } from './prometheus-source.ts';

const EACH = 50;
const EVENTS_PER_SECOND = 60;
const ROUNDS = 4;
const INTERVAL_MS = 8000;
/** How long stable runs before the analyses begin: what is usual is learned from it. */
const WARM_UP_MS = 8000;

let canaries: Canaries;
let prometheus: PrometheusServer;
let source: PrometheusSource;

const compared = resolvedMetrics(
  PRESETS.map((preset) => ({
    name: preset.toLowerCase(),
    preset,
    comparedTo: { stable: { maxRatio: '1.5', confidence: '0.99' } },
  })),
);

const measure = (canary: Canary, metric: ResolvedMetric, since: number) =>
  source.measure(
    {
      metric,
      subject: { name: canary.name, namespace: NAMESPACE },
      order: {
        metric: metric.name,
        since,
        revision: canary.revision,
        stableRevision: canary.stableRevision,
        components: ['chat'],
        dueAt: since,
        againstPast: false,
      },
    },
    AbortSignal.timeout(60_000),
  );

beforeAll(async () => {
  canaries = new Canaries({ good: EACH, bad: EACH, seed: 20261126 });
  const targets = await canaries.start(EVENTS_PER_SECOND);
  prometheus = await startPrometheus(targets);
  source = new PrometheusSource(new PrometheusClient({ url: prometheus.url, timeoutMs: 5000 }), Date.now);
  const { all } = canaries;
  const errors = resolvedMetrics([{ name: 'errors', preset: 'ErrorRate', max: '1' }])[0]!;
  const begun = Date.now();
  await eventually(
    'every pod to be scraped for a while',
    async () => {
      if (Date.now() - begun < WARM_UP_MS) return false;
      const first = await measure(all.at(-1)!, errors, begun);
      return first.kind === 'Reading' && (first.update.samples ?? 0) > 100;
    },
    60_000,
  );
}, 120_000);
afterAll(async () => {
  await prometheus.remove();
  await canaries.stop();
});

describe('presets on a real Prometheus', () => {
  it('[R-292] [R-295] call back 50 bad canaries of eight kinds, and none of 50 good ones', async () => {
    const since = Date.now();
    const watchOf = (metric: ResolvedMetric): Watch => {
      return { metric, since, intervalMs: INTERVAL_MS, endsAt: since + ROUNDS * INTERVAL_MS, errorProbability: 0.01 };
    };
    const entries = new Map<string, AnalysisEntry>();
    const failures = new Map<Canary, { metric: string; reason: string; round: number }>();
    for (let round = 1; round <= ROUNDS; round++) {
      await eventually('the next look', () => Date.now() >= since + round * INTERVAL_MS, 2 * INTERVAL_MS);
      for (const canary of canaries.all) {
        if (failures.has(canary)) continue;
        const results = await Promise.all(compared.map((metric) => measure(canary, metric, since)));
        for (const [index, result] of results.entries()) {
          const watch = watchOf(compared[index]!);
          const key = `${canary.name}/${watch.metric.name}`;
          const measurement = { metric: watch.metric.name, since, at: since + round * INTERVAL_MS, result };
          const entry = judge(watch, entries.get(key) ?? entryOf(watch, []), measurement);
          entries.set(key, entry);
          const standing = standingOf(watch, entry, round === ROUNDS);
          if (standing.kind === 'Failed' && !failures.has(canary))
            failures.set(canary, { metric: watch.metric.name, reason: standing.reason, round });
        }
      }
    }
    print(failures);
    const wrong = canaries.all.filter((canary) => failures.has(canary) !== (canary.fault !== null));
    expect(wrong.map((canary) => [canary.name, canary.fault, failures.get(canary)?.reason])).toEqual([]);
  }, 240_000);

  it('tell a value in the unit that people know', async () => {
    const [canary] = canaries.all;
    const all = resolvedMetrics(PRESETS.map((preset) => ({ name: preset.toLowerCase(), preset, min: '0' })));
    const since = Date.now() - 10_000;
    const values = await Promise.all(
      all.map(async (metric) => {
        const result = await measure(canary!, metric, since);
        return result.kind === 'Reading' ? result.update.value : Number.NaN;
      }),
    );
    const [errors, latency, firstChunk, tokens, fallbacks, aborts, cost, resumed] = values.map((value) => value ?? -1);
    expect(errors).toBeLessThan(0.03);
    expect(latency).toBeGreaterThan(0.08);
    expect(latency).toBeLessThan(0.25);
    expect(firstChunk).toBeGreaterThan(0.3);
    expect(firstChunk).toBeLessThan(0.6);
    expect(tokens).toBeCloseTo(100, -1);
    expect(fallbacks).toBeLessThan(0.1);
    expect(aborts).toBeLessThan(0.05);
    expect(cost).toBeCloseTo(0.002, 3);
    expect(resumed).toBeGreaterThan(0.9);
  });

  it('count errors from the very first one: a series that begins with it is not taken for a start', async () => {
    const bad = canaries.all.find(({ fault }) => fault === 'ErrorRate')!;
    const [metric] = resolvedMetrics([{ name: 'errors', preset: 'ErrorRate', max: '1' }]);
    // Over the whole life of the pods, which is a few scrapes more than the counters are old.
    const result = await measure(bad, metric!, Date.now() - 600_000);
    expect(result.kind === 'Reading' && result.update.value).toBeGreaterThan(0.03);
  });

  it('a query of one’s own is asked, and what cannot be used is said', async () => {
    const [canary] = canaries.all;
    const ask = async (query: string) => {
      const [metric] = resolvedMetrics([{ name: 'own', prometheus: { query }, max: '1' }]);
      return measure(canary!, metric!, Date.now() - 5000);
    };
    expect(
      await ask('count(up{namespace="{{namespace}}",pod=~"{{name}}-{{component}}-{{revision}}-.*"})'),
    ).toMatchObject({
      kind: 'Reading',
      update: { value: 1, samples: null },
    });
    expect(await ask('vector(0) / 0')).toMatchObject({ update: { value: null } });
    expect(await ask('absent(up)')).toMatchObject({ update: { value: null } });
    expect(await ask('up')).toMatchObject({
      kind: 'Error',
      message: expect.stringMatching(/gives 200 series; make it one/) as string,
    });
    expect(await ask('sum(')).toMatchObject({
      kind: 'Error',
      message: expect.stringMatching(/refuses the query: .*parse error/s) as string,
    });
    expect(await ask('up[5m]')).toMatchObject({
      kind: 'Error',
      message: expect.stringMatching(/gives a matrix/) as string,
    });
    expect(await ask('up{a="{{pod}}"}')).toMatchObject({
      kind: 'Error',
      message: expect.stringMatching(/has \{\{pod\}\}/) as string,
    });
  });

  it('a Prometheus that hangs or is gone is an error with its address, and is forgotten when it answers again', async () => {
    const [canary] = canaries.all;
    const [metric] = resolvedMetrics([{ name: 'errors', preset: 'ErrorRate', max: '1' }]);
    const quick = new PrometheusSource(new PrometheusClient({ url: prometheus.url, timeoutMs: 500 }), Date.now);
    const order = {
      metric: 'errors',
      since: Date.now() - 5000,
      revision: canary!.revision,
      stableRevision: null,
      components: ['chat'],
      dueAt: 0,
      againstPast: false,
    };
    const request = { metric: metric!, subject: { name: canary!.name, namespace: NAMESPACE }, order };
    const ask = (of: PrometheusSource) => of.measure(request, AbortSignal.timeout(10_000));
    prometheus.process().freeze();
    try {
      expect(await ask(quick)).toEqual({
        kind: 'Error',
        message: `Prometheus at ${prometheus.url} does not answer within 500 ms`,
      });
    } finally {
      prometheus.process().thaw();
    }
    await eventually('an answer again', async () => (await ask(quick)).kind === 'Reading', 10_000);
    const url = `http://127.0.0.1:${await freePort()}`;
    const nowhere = new PrometheusSource(new PrometheusClient({ url }), Date.now);
    expect(await ask(nowhere)).toEqual({
      kind: 'Error',
      message: `Prometheus at ${url} does not answer: ECONNREFUSED`,
    });
  });
});

/** The table of what was caught, and by what. */
function print(failures: ReadonlyMap<Canary, { metric: string; round: number }>): void {
  const rows = [null, ...PRESETS].map((fault) => {
    const of = canaries.all.filter((canary) => canary.fault === fault);
    const caught = of.flatMap((canary) => failures.get(canary) ?? []);
    const own = caught.filter(({ metric }) => metric === fault?.toLowerCase()).length;
    const looks =
      caught.length === 0 ? '-' : (caught.reduce((sum, { round }) => sum + round, 0) / caught.length).toFixed(1);
    return `  ${(fault ?? 'nothing wrong').padEnd(20)} ${String(of.length).padStart(8)} ${String(caught.length).padStart(11)} ${String(own).padStart(15)} ${looks.padStart(12)}`;
  });
  const head = `  ${'fault'.padEnd(20)} ${'canaries'.padStart(8)} ${'called back'.padStart(11)} ${'by its own'.padStart(15)} ${'looks, mean'.padStart(12)}`;
  console.log([`presets, ${ROUNDS} looks, ${EVENTS_PER_SECOND} events/s a revision:`, head, ...rows].join('\n'));
}
