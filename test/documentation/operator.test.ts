// What people look up is complete: every flag and variable of the operator's help stands in docs/reference/operator.md.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { USAGE } from '../../operator/controller/settings.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/operator.md'), 'utf8');

it.each([
  ['flags', /--[a-z][a-z-]+/g],
  ['variables', /\b[A-Z]+_[A-Z_]+\b/g],
])('docs/reference/operator.md has all %s', (_what, pattern) => {
  const names = [...new Set(USAGE.match(pattern))];
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
