import { expect, test } from 'vitest';
import { createMessageRate } from './message-rate.ts';

test('a burst, then the rate, and the wait that is told suffices', () => {
  let time = 0;
  const rate = createMessageRate(10, 5, () => time);
  for (let i = 0; i < 5; i += 1) expect(rate.take()).toEqual({ ok: true });
  expect(rate.take()).toEqual({ ok: false, retryAfterMs: 100, refusals: 1 });
  expect(rate.take()).toMatchObject({ ok: false, refusals: 2 });
  time += 99;
  expect(rate.take().ok).toBe(false);
  time += 1;
  expect(rate.take()).toEqual({ ok: true });
  expect(rate.take()).toMatchObject({ refusals: 1 });
  time += 3_600_000;
  const taken = Array.from({ length: 20 }, () => rate.take().ok);
  expect(taken.filter(Boolean)).toHaveLength(5);
});
