import { expect, it } from 'vitest';
import { counted } from './words.ts';

it('one is one, none and many are many', () => {
  expect([0, 1, 2].map((count) => counted(count, 'pod'))).toEqual(['0 pods', '1 pod', '2 pods']);
});
