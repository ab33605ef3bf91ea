import { describe, expect, it } from 'vitest';
import { type BucketRange, BUCKETS, cookiePattern, headerPattern, splitBuckets } from './buckets.ts';

const weights = Array.from({ length: BUCKETS + 1 }, (_, weight) => weight);
const buckets = Array.from({ length: BUCKETS }, (_, bucket) => bucket);
const isEmpty = ({ from, to }: BucketRange): boolean => from === to;

/** What a gateway does: some search, some want the whole value to match. Both must come to the same. */
function matches(pattern: string, value: string): boolean {
  const found = new RegExp(pattern).test(value);
  expect(new RegExp(`^(?:${pattern})$`).test(value)).toBe(found);
  return found;
}

describe('bucket patterns', () => {
  it('decide every bucket at every weight, in header and cookie, for exactly one side [R-294]', () => {
    for (const weight of weights) {
      const sides = splitBuckets(weight);
      for (const bucket of buckets) {
        const expected = { update: bucket < weight, stable: bucket >= weight };
        for (const [side, range] of Object.entries(sides) as ['update' | 'stable', BucketRange][]) {
          if (isEmpty(range)) continue; // no rule is written for it
          const [header, cookie] = [headerPattern(range), cookiePattern(range)];
          expect(matches(header, String(bucket)), `${header} on ${bucket} at ${weight}`).toBe(expected[side]);
          for (const text of [
            `x-assistant-bucket=${bucket}`,
            `a=1; x-assistant-bucket=${bucket}; b=2`,
            `a=1;x-assistant-bucket=${bucket}`,
          ])
            expect(matches(cookie, text), `${cookie} on ${text} at ${weight}`).toBe(expected[side]);
        }
      }
    }
  });

  it.each([
    '',
    '100',
    '007',
    '-1',
    '+1',
    '1.0',
    '1e1',
    ' 5',
    '5 ',
    '5; x=1',
    '5,6',
    '0x5',
    '٥',
    '5\n',
    '99999',
    'NaN',
    '5`',
  ])('match nothing that is not a bucket: %j', (value) => {
    for (const weight of weights.slice(1)) {
      const { update } = splitBuckets(weight);
      expect(matches(headerPattern(update), value)).toBe(false);
      // In a cookie "5; x=1" is the bucket 5 and another cookie.
      if (value !== '5; x=1') expect(matches(cookiePattern(update), `x-assistant-bucket=${value}`)).toBe(false);
    }
  });

  it.each([
    'y-x-assistant-bucket=5',
    'x-assistant-bucket2=5',
    'xx-assistant-bucket=5',
    'a="x-assistant-bucket=5"',
    'a=b,x-assistant-bucket=5',
    'x-assistant-bucket=55555',
    'X-ASSISTANT-BUCKET=5',
  ])('take no other cookie for the bucket: %s', (cookie) => {
    expect(matches(cookiePattern({ from: 0, to: BUCKETS }), cookie)).toBe(false);
  });

  it('are short and hold nothing that a gateway could take for the end of its rule', () => {
    for (const weight of weights.slice(1, -1))
      for (const range of Object.values(splitBuckets(weight)))
        for (const pattern of [headerPattern(range), cookiePattern(range)]) {
          expect(pattern.length).toBeLessThan(80);
          expect(pattern).not.toMatch(/[`"'\\]/);
        }
    expect(headerPattern(splitBuckets(33).update)).toBe('^([0-9]|[1-2][0-9]|3[0-2])$');
    expect(headerPattern(splitBuckets(33).stable)).toBe('^(3[3-9]|[4-9][0-9])$');
    expect(headerPattern(splitBuckets(1).update)).toBe('^(0)$');
  });
});
