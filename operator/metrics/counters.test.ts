import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { above, boundAbove, podMatchers, quantile, total, type Buckets } from './counters.ts';

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
