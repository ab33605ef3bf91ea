import { expect, it } from 'vitest';
import { counted, lasting } from './words.ts';

it('one is one, none and many are many', () => {
  expect([0, 1, 2].map((count) => counted(count, 'pod'))).toEqual(['0 pods', '1 pod', '2 pods']);
});

it('short times are seconds, long ones can be read at a glance', () => {
  expect([500, 3_000, 90_000, 119_999].map(lasting)).toEqual(['0.5 s', '3 s', '90 s', '119.999 s']);
  expect([120_000, 600_000, 5_400_000, 86_400_000].map(lasting)).toEqual(['2m', '10m', '1h30m', '24h']);
});
