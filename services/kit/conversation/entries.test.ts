import { expect, test } from 'vitest';
import { clientId, conversationId, logEntry, messageText } from './entries.ts';
import { parsePublished } from './log.ts';

test('a message has something to read, a bounded length, and is well-formed text', () => {
  for (const good of ['hi', ' x ', 'многострочно\n\tтекст', '🙂', 'x'.repeat(4_000)]) {
    expect(messageText.safeParse(good).success, JSON.stringify(good)).toBe(true);
  }
  for (const bad of ['', ' \n ', 'x'.repeat(4_001), '\ud800', 'a\u0000b', 'a\u001bb', 7, null]) {
    expect(messageText.safeParse(bad).success, JSON.stringify(bad)).toBe(false);
  }
});

test('ids cannot leave their key', () => {
  for (const bad of ['', 'a b', 'a}b', '{x}', 'a:b', '../a', 'x'.repeat(65), 'ö']) {
    expect(conversationId.safeParse(bad).success, bad).toBe(false);
  }
  for (const bad of ['', 'a b', 'a}b', 'x'.repeat(65)]) expect(clientId.safeParse(bad).success, bad).toBe(false);
});

test('members of a later revision are read over', () => {
  const entry = { type: 'token', answerId: 'a', replyTo: 1, index: 0, text: 'x', later: true };
  expect(logEntry.parse(entry)).toEqual({ type: 'token', answerId: 'a', replyTo: 1, index: 0, text: 'x' });
});

test('what a channel carries', () => {
  const entry = { type: 'token', answerId: 'a', replyTo: 1, index: 0, text: 'two words\n' } as const;
  expect(parsePublished(`ep-1_ 42 ${JSON.stringify(entry)}`)).toEqual({
    position: { epoch: 'ep-1_', offset: 42 },
    entry,
  });
  expect(parsePublished('left 7')).toEqual({ left: 7 });
  for (const bad of ['', 'x', 'e 1 {', 'e 1 {"type":"other"}']) expect(() => parsePublished(bad)).toThrow();
});
