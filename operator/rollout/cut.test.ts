import { describe, expect, it } from 'vitest';
import { cut } from './cut.ts';

describe('a text that is cut', () => {
  it('stays as it is while it fits', () => {
    expect(cut('four', 5)).toBe('four');
    expect(cut('four', 4)).toBe('four');
  });

  it('has an ellipsis for what does not fit', () => expect(cut('fives', 4)).toBe('fiv…'));

  it('keeps no half of a character', () => {
    expect(cut('ab😀cd', 4)).toBe('ab…');
    expect(cut('ab😀cd', 5)).toBe('ab😀…');
  });
});
