import { expect, test } from 'vitest';
import type { LogEntry, Placed } from '../conversation/entries.ts';
import { turnsBefore } from './history.ts';

const place = (entries: LogEntry[]): Placed[] =>
  entries.map((entry, index) => ({ entry, position: { epoch: 'e', offset: index + 1 } }));
const message = (text: string): LogEntry => ({ type: 'message', clientId: 'c', user: 'u', text, at: 0 });
const done = (text: string, more: Partial<Extract<LogEntry, { type: 'done' }>> = {}): LogEntry => ({
  ...{ type: 'done', answerId: 'a', replyTo: 1, text, tier: 'model', degraded: false, outcome: 'complete', at: 0 },
  ...more,
});

test('questions and whole answers before the question, oldest first', () => {
  const token: LogEntry = { type: 'token', answerId: 'a', replyTo: 1, index: 0, text: 'b' };
  const entries = place([message('a'), token, done('b'), message('now'), message('later')]);
  expect(turnsBefore(entries, 4)).toEqual([
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b' },
  ]);
});

test('rules and aborted answers teach nothing; number and length are bounded', () => {
  expect(
    turnsBefore(place([done('r', { tier: 'rules' }), done('x', { outcome: 'aborted' }), message('q')]), 3),
  ).toEqual([]);
  const many = place(Array.from({ length: 20 }, (_, index) => message(`${index} ${'y'.repeat(1_000)}`)));
  const turns = turnsBefore(many, 21);
  expect(turns.map(({ content }) => content.split(' ')[0])).toEqual(['14', '15', '16', '17', '18', '19']);
  for (const { content } of turns) expect(content).toHaveLength(400);
});
