import { describe, expect, it } from 'vitest';
import { Chance } from '../simulator/random.ts';
import { binomial, boundedSum, CHECKS, MAX_RATIO, runCanary, type Traffic } from './canaries.ts';

const usual: Traffic = { weight: 0.2, requests: 500, rate: () => 0.02, ratio: 1, values: 'Bernoulli' };
const run = (traffic: Traffic, count: number) =>
  Array.from({ length: count }, (_, seed) => runCanary(traffic, new Chance(seed + 1)));

describe('simulated canaries', () => {
  it('go the same way with the same seed, and another way with another', () => {
    const bad = { ...usual, ratio: 4 };
    expect(run(bad, 20)).toEqual(run(bad, 20));
    expect(new Set(run(bad, 20).map(({ stoppedAt }) => stoppedAt)).size).toBeGreaterThan(1);
  });

  it('[R-295] just good enough, or equal, are stopped in at most one of a hundred, where one-look tests and thresholds cry wolf', () => {
    for (const traffic of [usual, { ...usual, rate: () => 0.2, ratio: MAX_RATIO, weight: 0.5 }]) {
      const courses = run(traffic, 200);
      expect(courses.filter(({ stoppedAt }) => stoppedAt !== null).length).toBeLessThanOrEqual(2);
      expect(courses.filter(({ stoppedByThreshold }) => stoppedByThreshold).length).toBeGreaterThan(20);
    }
    const border = run({ ...usual, rate: () => 0.2, ratio: MAX_RATIO, weight: 0.5 }, 200);
    expect(border.filter(({ stoppedByRepeatedTest }) => stoppedByRepeatedTest).length).toBeGreaterThan(4);
  });

  it('[R-292] are stopped the sooner the worse they are, with values between 0 and 1 as well', () => {
    const checks = ([2, 4, 8] as const).map((ratio) => {
      const stopped = run({ ...usual, rate: () => 0.05, ratio }, 40).map(({ stoppedAt }) => stoppedAt ?? CHECKS + 1);
      return stopped.reduce((sum, each) => sum + each, 0) / stopped.length;
    });
    expect(checks).toEqual(checks.toSorted((a, b) => b - a));
    expect(checks.at(-1)).toBeLessThan(3);
    const bounded = run({ ...usual, rate: () => 0.2, ratio: 3, weight: 0.5, values: 'Bounded', requests: 100 }, 10);
    expect(bounded.every(({ stoppedAt }) => stoppedAt !== null)).toBe(true);
  });

  it.each([
    { what: 'few events', draw: binomial, rate: 0.05, variance: 0.05 * 0.95 },
    { what: 'many events', draw: binomial, rate: 0.8, variance: 0.8 * 0.2 },
    // U^(1/m − 1) has mean m and second moment m / (2 − m).
    { what: 'values between 0 and 1', draw: boundedSum, rate: 0.3, variance: 0.3 / 1.7 - 0.09 },
  ])('have $what as their rate says', ({ draw, rate, variance }) => {
    const chance = new Chance(7);
    const [draws, trials] = [4000, 60];
    const sums = Array.from({ length: draws }, () => draw(trials, rate, chance));
    const mean = sums.reduce((sum, each) => sum + each, 0) / draws;
    const spread = sums.reduce((sum, each) => sum + (each - mean) ** 2, 0) / draws;
    expect(Math.abs(mean - trials * rate)).toBeLessThan(4 * Math.sqrt((trials * variance) / draws));
    expect(Math.abs(spread / (trials * variance) - 1)).toBeLessThan(0.15);
  });
});
