import { expect, test } from 'vitest';
import { renderTable } from './table.ts';

test('columns stand below each other, whatever the width of the characters', () => {
  const rows = [
    ['plain', '|'],
    ['発売', '|'],
    ['ü\u0308x👩‍🚀', '|'],
  ];
  // Columns: 5; 2 of two; ü with a mark, x, and one emoji of two.
  expect(renderTable(['NAME', ''], rows)).toEqual(['NAME', 'plain  |', '発売   |', 'ü\u0308x👩‍🚀   |']);
});
