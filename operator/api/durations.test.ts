import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, InvalidDurationError, parseDuration } from './durations.ts';

describe('parseDuration', () => {
  test.each([
    ['0s', 0],
    ['500ms', 500],
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1h1m1s1ms', 3_661_001],
    ['2m5ms', 120_005],
  ])('%s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each(['', '10', '1d', '5m1h', '-5m', '1.5h', ' 5m', '5 m', '5M', 'ms', '10m\n'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(InvalidDurationError);
  });

  test('reads what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_600_000_000 }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
      }),
    );
  });
});
