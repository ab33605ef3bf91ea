import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketOf } from './bucket.ts';

test('the formula never changes: clients in other languages compute the same', () => {
  expect(['support-1', 'a', 'беседа'].map(bucketOf)).toEqual(
    ['support-1', 'a', 'беседа'].map(
      (id) => Number.parseInt(createHash('sha256').update(id).digest('hex').slice(0, 8), 16) % 100,
    ),
  );
  // As docs/reference/pod-contract.md has them.
  expect(['c1', 'tutorial', 'conversation-1'].map(bucketOf)).toEqual([30, 74, 52]);
});

test('always 0..99, and spread evenly', () => {
  fc.assert(
    fc.property(fc.string(), (id) => {
      const bucket = bucketOf(id);
      return Number.isInteger(bucket) && bucket >= 0 && bucket <= 99;
    }),
  );
  const counts = new Array<number>(100).fill(0);
  for (let i = 0; i < 100_000; i += 1) counts[bucketOf(`conversation-${i}`)]! += 1;
  // Binomial(100000, 1/100): mean 1000, deviation 31; six deviations to each side.
  expect(Math.min(...counts)).toBeGreaterThan(810);
  expect(Math.max(...counts)).toBeLessThan(1_190);
});
