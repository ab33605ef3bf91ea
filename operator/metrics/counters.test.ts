import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { above, boundAbove, count, podMatchers, quantile, rises, telling, total, type Buckets } from './counters.ts';
import { PrometheusClient } from './prometheus-client.ts';

const histogram: Buckets = [
  { bound: 0.1, count: 50 },
  { bound: 0.5, count: 90 },
  { bound: 1, count: 96 },
  { bound: Infinity, count: 100 },
];

describe('a histogram', () => {
  it('gives quantiles as Prometheus does: linear within a bucket', () => {
    expect(quantile(histogram, 0.5)).toBeCloseTo(0.1);
    expect(quantile(histogram, 0.95)).toBeCloseTo(0.5 + (0.5 * 5) / 6);
    expect(quantile(histogram, 0.99)).toBe(1);
    expect(quantile([], 0.5)).toBeNull();
  });

  it('counts what is above one of its bounds', () => {
    expect([above(histogram, 0.1), above(histogram, 1), total(histogram)]).toEqual([50, 4, 100]);
    expect([boundAbove(histogram, 0.3), boundAbove(histogram, 0.5), boundAbove(histogram, 7)]).toEqual([0.5, 0.5, 1]);
  });

  it('has quantiles that rise with q and lie within its bounds', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(counts, fc.double({ min: 0.01, max: 1, noNaN: true }), (own, q) => {
        let sum = 0;
        const made = [0.1, 1, Infinity].map((bound, index) => ({ bound, count: (sum += own[index] ?? 0) }));
        const [lower, upper] = [quantile(made, q / 2), quantile(made, q)];
        if (lower === null || upper === null) return sum === 0;
        return lower <= upper && upper <= 1;
      }),
    );
  });
});

describe('the pods of a revision', () => {
  it('are matched by namespace and name, whatever else they are called', () => {
    const matchers = podMatchers({
      name: 'my.app',
      namespace: 'a',
      revision: '6c9f',
      components: ['chat', 'realtime'],
    });
    expect(matchers).toBe('namespace="a",pod=~"my\\\\.app-chat-6c9f-[a-z0-9-]+|my\\\\.app-realtime-6c9f-[a-z0-9-]+"');
  });

  it('are matched when Kubernetes shortens the name of the Deployment in theirs', () => {
    const name = 'a-very-long-name-of-an-assistant-for-customers';
    const deployment = `${name}-realtime-6c9f7d00`;
    const [, pattern = ''] = /pod=~"(.*)"/.exec(
      podMatchers({ name, namespace: 'a', revision: '6c9f7d00', components: ['realtime'] }),
    ) ?? [''];
    // k8s.io/apiserver/pkg/storage/names: generateName is cut to 58 characters before five random ones are added.
    const pod = `${`${deployment}-7b5d9c6f4-`.slice(0, 58)}x2x4z`;
    expect(deployment.length).toBeGreaterThan(58);
    expect(pod).toMatch(new RegExp(`^(?:${pattern})$`));
  });
});

describe('what series rose by, by their scrapes', () => {
  /** The lives of a container: what it observed between scrapes, in three buckets. The first life begins before the window. */
  const rise = fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 }), fc.nat({ max: 9 }));
  const lives = fc.array(fc.array(rise, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 });
  const bounds = ['0.1', '1', '+Inf'];

  it('is all that was observed, whatever was observed in whichever life; it rises with time and with the bound', () => {
    fc.assert(
      fc.property(lives, fc.nat({ max: 20 }), (observed, until) => {
        const scrapes: { counts: number[]; all: number[] }[] = [];
        const all = [0, 0, 0];
        for (const life of observed) {
          const own = [0, 0, 0];
          // A life that begins no lower than the one before ended cannot be told from it: this one has at least 1 fewer in all.
          const before = scrapes.at(-1)?.counts ?? [0, 0, 0];
          for (const [index, observations] of life.entries()) {
            let below = 0;
            const most = index === 0 && scrapes.length > 0 ? Math.max(0, (before[2] ?? 0) - 1) : Infinity;
            for (const bucket of bounds.keys()) {
              below = Math.min(most, below + (observations[bucket] ?? 0));
              own[bucket] = (own[bucket] ?? 0) + below;
              all[bucket] = (all[bucket] ?? 0) + below;
            }
            scrapes.push({ counts: [...own], all: [...all] });
          }
        }
        // Scrapes are at 0, 1 and so on; at least the last is in the window.
        const since = Math.min(until, scrapes.length - 1) - 1;
        const scrapedIn = (first: number, end: number) =>
          bounds.map((le, bucket) => ({
            labels: { pod: 'a', le },
            points: scrapes.map(({ counts }, at) => ({ at, value: counts[bucket] ?? 0 })).slice(first, end),
          }));
        const seen = (many: number) => rises(scrapedIn(0, many), since).map(({ value }) => value);
        // A few scrapes tell all, of each half.
        const half = Math.floor(scrapes.length / 2);
        const [past, present] = [telling(scrapedIn(0, half), since), telling(scrapedIn(half, scrapes.length), since)];
        const told = present.map(({ labels, points }, bucket) => ({
          labels,
          points: [...(past[bucket]?.points ?? []), ...points],
        }));
        expect(rises(told, since).map(({ value }) => value)).toEqual(seen(scrapes.length));
        const base = scrapes[since]?.all ?? [];
        const [final, earlier] = [seen(scrapes.length), seen(scrapes.length - 1)];
        expect(final).toEqual(all.map((count, bucket) => count - (base[bucket] ?? 0)));
        expect(final).toEqual(final.toSorted((a, b) => a - b));
        expect(final.every((each, bucket) => each >= (earlier[bucket] ?? 0))).toBe(true);
      }),
    );
  });

  it('are asked for hour by hour: a day of them would not fit into the memory', async () => {
    const [at, hour, scrape] = [Date.UTC(2026, 0, 2), 3_600_000, 15_000];
    const since = at - 24 * hour;
    const pieces: number[] = [];
    /** One request at each scrape; the container starts anew every five hours. */
    const value = (time: number) => Math.round((time - since + hour) / scrape) % 1200;
    const client = new PrometheusClient({
      url: 'http://prometheus:9090',
      fetch: (_, init) => {
        const body = init?.body as URLSearchParams;
        const [, range] = /^x\{.*\}\[(\d+)ms\]$/.exec(body.get('query') ?? '') ?? [];
        const data = { resultType: 'vector', result: [{ metric: { restarted: 'a' }, value: [at / 1000, '1'] }] };
        if (range === undefined) return Promise.resolve(Response.json({ status: 'success', data }));
        pieces.push(Number(range) / hour);
        const end = Number(body.get('time')) * 1000;
        const values: [number, string][] = [];
        // As before Prometheus 3: both ends of the range belong to it.
        for (let time = end - Number(range); time <= end; time += scrape)
          values.push([time / 1000, String(value(time))]);
        const matrix = { resultType: 'matrix', result: [{ metric: { pod: 'a' }, values }] };
        return Promise.resolve(Response.json({ status: 'success', data: matrix }));
      },
    });
    // At a new start the counter is 0: those five requests of 5760 nobody saw.
    expect(await count(client, 'x{}', { since, at }, new AbortController().signal)).toBe(5760 - 5);
    expect(Math.max(...pieces)).toBe(1);
    expect(pieces).toHaveLength(25);
  });

  it('counts a series that was not there before from 0, and histograms and pods each for themselves', () => {
    const points = (...values: readonly number[]) => values.map((value, index) => ({ at: 10 + index, value }));
    const told = rises(
      [
        { labels: { pod: 'a', le: '1' }, points: points(5, 2, 3) },
        { labels: { pod: 'a', le: '+Inf' }, points: points(5, 6, 7) },
        { labels: { pod: 'b', le: '+Inf' }, points: points(5, 6, 7) },
      ],
      5,
    );
    expect(told.map(({ labels, value }) => [labels['pod'], labels['le'], value])).toEqual([
      ['a', '1', 8],
      ['a', '+Inf', 12],
      ['b', '+Inf', 7],
    ]);
  });
});
