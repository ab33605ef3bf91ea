import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../clock/manual-clock.ts';
import { backoffDelay, LoopBackoff } from './backoff.ts';
import { Heap } from './heap.ts';

const policy = { baseMs: 100, maxMs: 1_000, factor: 2, jitter: 0.5 };

describe('backoff', () => {
  it('doubles up to the maximum and is stretched by chance', () => {
    expect([0, 1, 2, 3, 4, 10_000].map((failures) => backoffDelay(policy, failures, () => 0))).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ]);
    expect(backoffDelay(policy, 1, () => 0.999)).toBeCloseTo(299.9);
  });

  it('starts anew after a time of health, and only then', async () => {
    const clock = new ManualClock();
    const backoff = new LoopBackoff(policy, 5_000, clock, () => 0);
    expect([backoff.next(), backoff.next(), backoff.next()]).toEqual([100, 200, 400]);
    await clock.advance(400 + 4_999);
    expect(backoff.next()).toBe(800);
    await clock.advance(800 + 5_000);
    expect(backoff.next()).toBe(100);
  });
});

describe('Heap', () => {
  it('property: gives its elements in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        const heap = new Heap<number>((a, b) => a < b);
        for (const number of numbers) heap.push(number);
        heap.retain((number) => number % 3 !== 0);
        const out: number[] = [];
        for (let next = heap.pop(); next !== undefined; next = heap.pop()) out.push(next);
        expect(out).toEqual(numbers.filter((number) => number % 3 !== 0).sort((a, b) => a - b));
        expect(heap.size).toBe(0);
      }),
    );
  });
});
