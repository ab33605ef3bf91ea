// What people look up is complete: every reason that the decision can give stands in docs/reference/reasons.md.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WAIT_REASONS } from './waits.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/reasons.md'), 'utf8');
const rowOf = (reason: string): string | undefined =>
  page.split('\n').find((line) => line.startsWith('|') && line.includes(`\`${reason}\``));

/** Reasons of the Events that the rules tell: the first argument of note(). */
const events = new Set(
  readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .flatMap((name) => [...readFileSync(join(import.meta.dirname, name), 'utf8').matchAll(/\bnote\(\s*'([A-Za-z]+)'/g)])
    .map(([, reason]) => reason ?? ''),
);

describe('docs/reference/reasons.md', () => {
  it.each(WAIT_REASONS)('has the wait %s, with what to do', (reason) => {
    const cells =
      rowOf(reason)
        ?.split('|')
        .map((cell) => cell.trim()) ?? [];
    expect(cells.slice(1, 4).map((cell) => cell.length > 5)).toEqual([true, true, true]);
  });

  it('names every Event of the decision', () => {
    expect(events.size).toBeGreaterThan(15);
    expect([...events].filter((reason) => rowOf(reason) === undefined)).toEqual([]);
  });

  it('names no Event that nobody tells of', () => {
    const [, rows = ''] = /^## Events$([\s\S]*?)^## /m.exec(page) ?? [];
    const named = [...rows.matchAll(/`([A-Z][A-Za-z]+)`/g)].map(([, reason = '']) => reason);
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((reason) => !events.has(reason) && !(WAIT_REASONS as string[]).includes(reason))).toEqual([]);
  });
});
