import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digest, isSame } from './digest.ts';

/** Few keys and values, so that two of them are often the same. */
const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, undefined, true, 0, 1, '', 'a'),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
  ),
})).value;

describe('values', () => {
  it('are the same whatever the order of their keys, and without members that are undefined', () => {
    const [one, other] = [
      { a: 1, b: { c: [1, null] }, d: undefined },
      { b: { c: [1, undefined] }, a: 1 },
    ];
    expect(isSame(one, other)).toBe(true);
    expect(digest(one, 16)).toBe(digest(other, 16));
  });

  it.each([
    [{ a: 1 }, {}],
    [{}, { a: 1 }],
    [{ a: 1 }, { a: '1' }],
    [[1], [1, 2]],
    [[1, 2], [1]],
    [[], {}],
    [{ 0: 1 }, [1]],
    [null, {}],
    [undefined, null],
    ['a', 'b'],
  ])('%o and %o are not the same', (one, other) => {
    expect(isSame(one, other)).toBe(false);
    expect(isSame(other, one)).toBe(false);
  });

  it('property: the same exactly when their digests are', () => {
    fc.assert(
      fc.property(value, value, (one, other) => {
        expect(isSame({ in: one }, { in: other })).toBe(digest({ in: one }, 64) === digest({ in: other }, 64));
      }),
      { numRuns: 2_000 },
    );
  });
});
