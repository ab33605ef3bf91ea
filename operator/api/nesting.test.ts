import { describe, expect, it } from 'vitest';
import { cutNesting, nestsDeeper } from './nesting.ts';

describe('values that are nested too deeply', () => {
  it('are cut where they are too deep, and left as they are elsewhere', () => {
    const value = { kept: [1, { two: 'levels' }], cut: { b: { c: [] } }, none: null };
    expect(cutNesting(value, 3)).toEqual({ kept: [1, { two: 'levels' }], cut: { b: { c: null } }, none: null });
    expect([nestsDeeper(value, 3), nestsDeeper(value, 4)]).toEqual([true, false]);
  });

  it('are the very same when nothing is too deep', () => {
    const value = { a: [{}], b: 'text' };
    expect(cutNesting(value, 3)).toBe(value);
    expect([cutNesting('text', 0), cutNesting(null, 0)]).toEqual(['text', null]);
  });

  it('do not overflow the stack, ten thousand levels down', () => {
    let value: unknown = {};
    for (let level = 0; level < 10_000; level++) value = { value };
    expect(JSON.stringify(cutNesting(value, 2))).toBe('{"value":{"value":null}}');
  });
});
