import { describe, expect, test } from 'vitest';
import { Problem, preferredLanguage, problemDetails, problemTable } from './problems.ts';
import type { ProblemCode } from './problems.ts';

describe('the language is negotiated', () => {
  test.each([
    [undefined, 'en'],
    ['', 'en'],
    ['ru', 'ru'],
    ['ru-RU,ru;q=0.9,en;q=0.8', 'ru'],
    ['en;q=0.5, ru;q=0.7', 'ru'],
    ['de, ru;q=0.1', 'ru'],
    ['de', 'en'],
    ['ru;q=0, en', 'en'],
    ['*', 'en'],
  ] as const)('%s -> %s', (header, language) => {
    expect(preferredLanguage(header)).toBe(language);
  });
});

test('every code has an error status and texts in both languages that differ', () => {
  for (const [code, { status, en, ru }] of Object.entries(problemTable)) {
    expect(status, code).toBeGreaterThanOrEqual(400);
    expect(status, code).toBeLessThan(600);
    expect(en).toMatch(/^[ -~]+\.$/);
    expect(ru).toMatch(/\p{Script=Cyrillic}/u);
  }
});

test('a client is told the table text and the fields, never the cause', () => {
  const cause = new Error('password=hunter2');
  const problem = new Problem('invalid_input', { fields: [{ field: 'text', message: 'must not be empty' }], cause });
  const details = problemDetails(problem, 'r1', 'en');
  expect(details).toMatchObject({ status: 422, code: 'invalid_input', requestId: 'r1', retryable: false });
  expect(JSON.stringify(details)).not.toContain('hunter2');
  const internal = problemDetails(
    new Problem('internal' satisfies ProblemCode, { detail: 'stack', cause }),
    'r2',
    'ru',
  );
  expect(JSON.stringify(internal)).not.toMatch(/stack|hunter2/);
});
