import { expect, test } from 'vitest';
import { nearest } from './spelling.ts';

test.each([
  ['suport', ['demo', 'support'], 'support'],
  ['supprot', ['support', 'demo'], 'support'],
  ['SUPPORT', ['support'], 'support'],
  ['supp', ['support', 'demo'], 'support'],
  ['supp', ['support', 'supply-chain'], null],
  ['dmeo', ['demo'], 'demo'],
  ['x', ['y'], 'y'],
  ['invoice', ['support', 'demo'], null],
  ['', ['a-name'], null],
  ['anything', [], null],
])('%j among %j is %j', (word, known, meant) => {
  expect(nearest(word, known)).toBe(meant);
});
