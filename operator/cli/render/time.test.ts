import { expect, test } from 'vitest';
import { span, until } from './time.ts';

test.each([
  [-5, '0s'],
  [999, '0s'],
  [42_500, '42s'],
  [190_000, '3m10s'],
  [7_509_000, '2h5m'],
  [3_600_000 * 30, '30h'],
  [3_600_000 * 50, '2d'],
])('%d ms is %s', (milliseconds, text) => {
  expect(span(milliseconds)).toBe(text);
});

test('a time that has passed is null', () => {
  expect(until('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:00Z'))).toBeNull();
  expect(until('2026-01-01T00:00:09Z', Date.parse('2026-01-01T00:00:00Z'))).toBe('9s');
});
