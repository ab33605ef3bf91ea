import { expect, test } from 'vitest';
import { backoffMs, pause } from './backoff.ts';

test('[R-099] the window doubles up to its cap, and the wait is spread over it', () => {
  const bounds = Array.from({ length: 8 }, (_, attempt) => backoffMs(attempt, 100, 2_000, () => 1 - Number.EPSILON));
  expect(bounds).toEqual([100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000]);
  expect(backoffMs(3, 100, 2_000, () => 0)).toBe(80);
  const waits = Array.from({ length: 10_000 }, () => backoffMs(3, 100, 2_000));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(80);
  expect(Math.max(...waits)).toBeLessThanOrEqual(800);
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  // Uniform in [80, 800]: mean 440, deviation of the mean 2.1.
  expect(Math.abs(mean - 440)).toBeLessThan(15);
  expect(backoffMs(10_000, 100, 2_000, () => 0.5)).toBeLessThanOrEqual(2_000);
});

test('a pause ends early when its signal is aborted', async () => {
  const ending = new AbortController();
  const long = pause(60_000, ending.signal);
  ending.abort();
  expect(await long).toBe(false);
  expect(await pause(60_000, AbortSignal.abort())).toBe(false);
  expect(await pause(1, new AbortController().signal)).toBe(true);
});
