import { describe, expect, it } from 'vitest';
import type { Outcome } from './http-load.ts';
import { questions, seeded } from './questions.ts';
import { countRequest, noRequests, quantile, shareOf } from './statistics.ts';

const outcome = (rest: Partial<Outcome>): Outcome => ({
  kind: 'common',
  status: 200,
  milliseconds: 5,
  revision: 'aaa',
  tier: 'cache',
  ...rest,
});

describe('countRequest', () => {
  it('tells failures of the platform from errors of a release that is broken on purpose', () => {
    const counts = noRequests();
    const broken = (revision: string) => revision === 'bug';
    countRequest(counts, outcome({}), broken);
    countRequest(counts, outcome({ status: 500, revision: 'bug', tier: '' }), broken);
    countRequest(counts, outcome({ status: 500, revision: 'aaa', tier: '' }), broken);
    countRequest(counts, outcome({ status: 0, revision: '', tier: '', error: 'reset' }), broken);
    expect(counts).toMatchObject({ requests: 4, failures: 2, knownBug: 1, byTier: { cache: 1 } });
    expect(counts.examples).toEqual(['500 aaa', 'no answer  reset']);
  });

  it('counts a broken revision that does not answer, or refuses, as a failure', () => {
    const counts = noRequests();
    countRequest(counts, outcome({ status: 401, revision: 'bug', tier: '' }), () => true);
    countRequest(counts, outcome({ status: 0, revision: '', tier: '' }), () => false);
    expect(counts.failures).toBe(2);
  });
});

describe('quantile and shareOf', () => {
  it('take the nearest rank and the share', () => {
    expect(quantile([5, 1, 3, 2, 4], 0.5)).toBe(3);
    expect(quantile([], 0.99)).toBe(0);
    expect(shareOf('b', { a: 90, b: 10 })).toBe(10);
    expect(shareOf('b', {})).toBe(0);
  });
});

describe('questions', () => {
  it('keep the mix and repeat with the seed', () => {
    const take = (seed: number) => {
      const source = questions(seeded(seed));
      return Array.from({ length: 4000 }, () => source.next().value);
    };
    const first = take(1);
    expect(first).toEqual(take(1));
    const model = first.filter((q) => q.kind === 'new').length / first.length;
    expect(model).toBeGreaterThan(0.01);
    expect(model).toBeLessThan(0.03);
  });
});
