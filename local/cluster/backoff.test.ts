import { describe, expect, it } from 'vitest';
import { crashesInARow, restartDelay } from './backoff.ts';

describe('back-off', () => {
  it('doubles from 250 ms to at most 10 s', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 100].map(restartDelay)).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it('counts crashes in a row and forgets them after a minute of health', () => {
    expect(crashesInARow(3, 59_999)).toBe(4);
    expect(crashesInARow(3, 60_000)).toBe(1);
    expect(crashesInARow(0, 10)).toBe(1);
  });
});
