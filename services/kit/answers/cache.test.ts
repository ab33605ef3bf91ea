import { expect, test } from 'vitest';
import { cacheKey } from './cache.ts';
import type { QuestionKey } from './cache.ts';

const question: QuestionKey = {
  taskType: 'chat',
  tenant: 't1',
  model: 'm1',
  promptVersion: 'p1',
  maxTokens: 64,
  turns: [{ role: 'user', content: 'What is the sea?' }],
};

test('[R-062] the key depends on all that decides the answer', () => {
  const others: QuestionKey[] = [
    { ...question, taskType: 'summary' },
    { ...question, tenant: 't2' },
    { ...question, model: 'm2' },
    { ...question, promptVersion: 'p2' },
    { ...question, maxTokens: 65 },
    { ...question, turns: [{ role: 'user', content: 'What is the see?' }] },
    { ...question, turns: [{ role: 'assistant', content: 'What is the sea?' }] },
    { ...question, turns: [{ role: 'user', content: 'x' }, ...question.turns] },
    { ...question, tenant: 't', taskType: '1chat' },
  ];
  const keys = [question, ...others].map(cacheKey);
  expect(new Set(keys).size).toBe(keys.length);
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{64}$/);
});

test('white space, case and Unicode form make no other question', () => {
  const same = ['  what is\n the   SEA? ', 'What is the sea?'.normalize('NFD')];
  for (const content of same) {
    expect(cacheKey({ ...question, turns: [{ role: 'user', content }] })).toBe(cacheKey(question));
  }
});
