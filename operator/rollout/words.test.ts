import { expect, it } from 'vitest';
import { lasting, listed } from './words.ts';

it('short times are seconds, long ones can be read at a glance', () => {
  expect([500, 3_000, 90_000, 119_999].map(lasting)).toEqual(['0.5 s', '3 s', '90 s', '119.999 s']);
  expect([120_000, 600_000, 5_400_000, 86_400_000].map(lasting)).toEqual(['2m', '10m', '1h30m', '24h']);
});

it('of many names ten are said, and how many there are besides', () => {
  const names = Array.from({ length: 20_000 }, (_, index) => `Secret/${index}`);
  expect(listed(names.slice(0, 2))).toBe('Secret/0, Secret/1');
  expect(listed(names.slice(0, 10))).toBe(names.slice(0, 10).join(', '));
  expect(listed(names.slice(0, 11))).toBe(`${names.slice(0, 10).join(', ')}, 1 more`);
  expect(listed(names)).toMatch(/Secret\/9, 19990 more$/);
});
