import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Evidence } from './measurement.ts';
import { seeded } from '../../../test/demo/questions.ts';
import { ratioInterval } from './sequential-test.ts';

const counts: fc.Arbitrary<Evidence> = fc
  .record({ trials: fc.integer({ min: 0, max: 1_000_000 }), share: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ trials, share }) => ({ trials, events: Math.floor(trials * share) }));

/** Looks after every 50 requests of each side; returns the trials of a side at the first look at which `stop` holds. */
function firstLook(
  rates: { update: number; stable: number },
  seed: number,
  looks: number,
  stop: (interval: { low: number; high: number }) => boolean,
): number | null {
  const random = seeded(seed);
  const [update, stable] = [
    { events: 0, trials: 0 },
    { events: 0, trials: 0 },
  ];
  for (let look = 0; look < looks; look++) {
    for (let each = 0; each < 50; each++) {
      update.events += random() < rates.update ? 1 : 0;
      stable.events += random() < rates.stable ? 1 : 0;
    }
    update.trials += 50;
    stable.trials += 50;
    if (stop(ratioInterval(update, stable, 0.01))) return update.trials;
  }
  return null;
}

/** ln of the largest likelihood of all pairs of rates with this ratio, by looking for it: it has one summit. */
function bestFit(ratio: number, update: Evidence, stable: Evidence): number {
  const part = ({ events, trials }: Evidence, rate: number): number =>
    (events === 0 ? 0 : events * Math.log(rate)) + (trials === events ? 0 : (trials - events) * Math.log(1 - rate));
  const at = (rate: number): number => part(update, ratio * rate) + part(stable, rate);
  let [from, to] = [0, Math.min(1, 1 / ratio)];
  for (let step = 0; step < 200; step++) {
    const [left, right] = [from + (to - from) / 3, to - (to - from) / 3];
    if (at(left) < at(right)) from = left;
    else to = right;
  }
  return at((from + to) / 2);
}

describe('the interval of a ratio', () => {
  it('says nothing without data', () => {
    expect(ratioInterval({ events: 0, trials: 0 }, { events: 0, trials: 0 }, 0.01)).toEqual({ low: 0, high: Infinity });
  });

  it('has no end beyond a million, however many there were', () => {
    const [always, never] = [
      { events: 1000, trials: 1000 },
      { events: 10, trials: 1e9 },
    ];
    const [more, less] = [ratioInterval(always, never, 0.01), ratioInterval(never, always, 0.01)];
    expect([more.low, more.high]).toEqual([expect.closeTo(1e6, 0), Infinity]);
    expect([less.low, less.high]).toEqual([0, expect.closeTo(1e-6, 9)]);
  });

  it('holds the observed ratio, and narrows as equal evidence grows', () => {
    const narrow = [100, 1000, 10_000, 100_000].map((trials) => {
      const { low, high } = ratioInterval({ events: trials / 50, trials }, { events: trials / 50, trials }, 0.01);
      expect(low).toBeLessThan(1);
      expect(high).toBeGreaterThan(1);
      return Math.log(high / Math.max(low, 1e-9));
    });
    expect(narrow).toEqual(narrow.toSorted((a, b) => b - a));
    expect(narrow.at(-1)).toBeLessThan(0.4);
  });

  it('does not close where everything fails on both sides, however many there were', () => {
    const all = { events: 1_000_000, trials: 1_000_000 };
    const { low, high } = ratioInterval(all, all, 0.05);
    expect(low).toBeCloseTo(1 / high, 9);
    expect(high - 1).toBeCloseTo(1.9e-5, 6);
  });

  it('is turned over when the sides are', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const one = ratioInterval(a, b, 0.05);
        const other = ratioInterval(b, a, 0.05);
        const near = (x: number, y: number): void => {
          if (x > 1e5 || x < 1e-5 || y > 1e5 || y < 1e-5) return; // at the ends of the scale they are told as 0 and Infinity
          expect(x / y).toBeCloseTo(1, 3);
        };
        near(one.low, 1 / other.high);
        near(one.high, 1 / other.low);
      }),
    );
  });

  it('is ordered, holds the observed ratio, and grows with the confidence', () => {
    fc.assert(
      fc.property(counts, counts, (update, stable) => {
        const sure = ratioInterval(update, stable, 0.001);
        const rough = ratioInterval(update, stable, 0.1);
        expect(sure.low).toBeLessThanOrEqual(rough.low);
        expect(sure.high).toBeGreaterThanOrEqual(rough.high);
        expect(rough.low).toBeLessThanOrEqual(rough.high);
        if (update.events === 0 || stable.events === 0) return;
        const observed = update.events / update.trials / (stable.events / stable.trials);
        if (observed > 1e5 || observed < 1e-5) return;
        expect(rough.low).toBeLessThanOrEqual(observed * 1.0001);
        expect(rough.high).toBeGreaterThanOrEqual(observed * 0.9999);
      }),
    );
  });

  it('ends on both sides where the pair of rates that fits best is as unlikely, however few counts there are', () => {
    const few: fc.Arbitrary<Evidence> = fc
      .record({
        trials: fc.double({ min: 0.2, max: 30, noNaN: true }),
        share: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      })
      .map(({ trials, share }) => ({ trials, events: trials * share }));
    let compared = 0;
    fc.assert(
      fc.property(few, few, (update, stable) => {
        const { low, high } = ratioInterval(update, stable, 0.9);
        if (low === 0 || high === Infinity) return;
        compared += 1;
        expect(bestFit(low, update, stable)).toBeCloseTo(bestFit(high, update, stable), 3);
      }),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(50);
  });

  it('ends on one side where the other has no trials: a rate that nobody knows is at most 1', () => {
    const [half, none] = [
      { events: 500, trials: 1000 },
      { events: 0, trials: 0 },
    ];
    const [above, below] = [ratioInterval(half, none, 0.01), ratioInterval(none, half, 0.01)];
    expect([above.low, above.high]).toEqual([expect.closeTo(0.431, 3), Infinity]);
    expect([below.low, below.high]).toEqual([0, expect.closeTo(1 / above.low, 3)]);
  });

  it('takes a single event into account, and the only one that was none', () => {
    const some = { events: 5, trials: 20 };
    for (const events of [1, 19]) {
      const few = { events, trials: 20 };
      for (const [update, stable] of [[few, some] as const, [some, few] as const]) {
        const { low, high } = ratioInterval(update, stable, 0.9);
        expect([low > 0, high < Infinity]).toEqual([true, true]);
        expect(bestFit(low, update, stable)).toBeCloseTo(bestFit(high, update, stable), 3);
      }
    }
  });

  it('takes counts that are not whole, and refuses impossible ones by name', () => {
    const { low, high } = ratioInterval({ events: 10.4, trials: 1000.2 }, { events: 9.7, trials: 998.9 }, 0.01);
    expect([low < 1, high > 1]).toEqual([true, true]);
    expect(() => ratioInterval({ events: 2, trials: 1 }, { events: 0, trials: 1 }, 0.01)).toThrow(
      /2 events in 1 trials/,
    );
    expect(() => ratioInterval({ events: 0, trials: 1 }, { events: -1, trials: 1 }, 0.01)).toThrow(/-1 events in 1/);
    expect(() => ratioInterval({ events: 0, trials: Infinity }, { events: 0, trials: 1 }, 0.01)).toThrow(/Infinity/);
    expect(() => ratioInterval({ events: 0, trials: 1 }, { events: 0, trials: 1 }, 0)).toThrow(/error probability 0/);
    expect(() => ratioInterval({ events: Number.NaN, trials: 1 }, { events: 0, trials: 1 }, 0.01)).toThrow(/NaN/);
    expect(() => ratioInterval({ events: 0, trials: 1 }, { events: 0, trials: 1 }, 1)).toThrow(/error probability/);
  });

  it('[R-295] looked at 40 times, it leaves out the true ratio in at most one of a hundred runs', () => {
    const runs = 600;
    let missed = 0;
    for (let seed = 1; seed <= runs; seed++) {
      const outside = ({ low, high }: { low: number; high: number }): boolean => low > 1 || high < 1;
      if (firstLook({ update: 0.05, stable: 0.05 }, seed, 40, outside) !== null) missed += 1;
    }
    expect(missed / runs).toBeLessThanOrEqual(0.01);
  });

  it('[R-295] refutes a canary that fails ten times as often within a few hundred requests, and passes an equal one', () => {
    const detected = Array.from({ length: 50 }, (_, seed) =>
      firstLook({ update: 0.1, stable: 0.01 }, seed + 1, 40, ({ low }) => low > 1.2),
    );
    expect(detected.every((trials) => trials !== null && trials <= 1000)).toBe(true);
    const equal = { events: 500, trials: 10_000 };
    expect(ratioInterval(equal, equal, 0.01).high).toBeLessThan(1.5);
  });
});
