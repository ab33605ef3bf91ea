import { describe, expect, it } from 'vitest';
import { replaceSection, table } from './figures.ts';

describe('replaceSection', () => {
  const page = 'before\n<!-- a -->\nold\n<!-- /a -->\nafter\n';

  it('replaces its own section and nothing else', () => {
    expect(replaceSection(page, 'a', 'new')).toBe('before\n<!-- a -->\nnew\n<!-- /a -->\nafter\n');
  });

  it('names the lines that a page lacks', () => {
    expect(() => replaceSection(page, 'b', 'new')).toThrow('<!-- b -->');
  });
});

describe('table', () => {
  it('is Markdown', () => {
    expect(table(['', 'here'], [['x', '1 s']])).toBe('|  | here |\n| --- | --- |\n| x | 1 s |');
  });
});
