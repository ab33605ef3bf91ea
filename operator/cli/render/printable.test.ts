import { describe, expect, test } from 'vitest';
import { lineDisplay, treeDisplay } from '../display.ts';
import { ApiServer } from '../testing/api-server.ts';
import { answersOf, NOW, recordsOf, scenes } from '../testing/scenes.ts';
import { historyRows, renderHistory } from './history.ts';
import { renderLint } from './lint.ts';
import { renderList } from './list.ts';
import { makePaint } from './paint.ts';
import { renderPlan } from './plan.ts';
import { documentText, printable } from './printable.ts';
import { renderSockets, socketsView } from './sockets.ts';
import { renderStatus } from './status.ts';
import { renderWhy } from './why.ts';

describe('of what others wrote there stays', () => {
  test.each([
    ['plain text', 'läuft, 50 % 🙂', 'läuft, 50 % 🙂'],
    ['no colour', '\u001b[31mred\u001b[0m', 'red'],
    ['no move of the cursor', 'a\u001b[2J\u001b[5Ab', 'ab'],
    ['no title of the window', 'a\u001b]0;title\u0007b', 'ab'],
    ['no link', '\u001b]8;;http://x\u0007a\u001b]8;;\u0007', 'a'],
    ['no sequence by one character', 'a\u009b31mb', 'ab'],
    ['no half of a sequence', 'a\u001b', 'a '],
    ['no sequence that another one hides', '\u001b\u001b[31m[2Ja', ' [2Ja'],
    ['no line of its own', 'a\r\nsupport  Healthy', 'a support  Healthy'],
    ['no turn of direction', 'a\u202ebc\u2066', 'abc'],
    ['a number', 7, 7],
    ['nothing', null, null],
    ['what is nested', { 'a\n': ['b\n', { c: 'd\u0007' }] }, { 'a ': ['b ', { c: 'd ' }] }],
  ])('%s', (_, given, expected) => {
    expect(printable<unknown>(given)).toEqual(expected);
  });
});

test('a document means what was given', () => {
  const value = { a: ['\u0000\u001b\u007f\u009b\u2028\u202e', 'ä'] };
  const text = documentText(value, 0);
  expect(text).toBe('{"a":["\\u0000\\u001b\\u007f\\u009b\\u2028\\u202e","ä"]}');
  expect(JSON.parse(text)).toEqual(value);
});

/** Colours something, goes up, clears the screen, rings the bell, and begins a line. */
const EVIL = '\u001b[31m\u001b[5A\u001b[2J\u0007\u009b1m\r\nforged';

/** Every text that is no time, name or word that the program knows carries it. */
function poisoned<T>(value: T): T;
function poisoned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => poisoned(entry));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const free = /^(message|reason|release|by|value|why|state|metric|feature|remedy|text|field)$/.test(key);
      return [key, free && typeof member === 'string' ? `${member}${EVIL}` : poisoned<unknown>(member)];
    }),
  );
}

const plain = makePaint(false);
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}]/u;

describe('no control character of the cluster reaches a terminal by', () => {
  test.each(scenes.map(({ title }) => title))('the pages about %s', (title) => {
    const { object, pods } = poisoned(scenes.find((each) => each.title === title)!);
    const lines = [
      ...renderStatus({ object, pods, now: NOW }, plain),
      ...renderWhy(object, NOW),
      ...renderList([object], { namespaces: true, now: NOW }),
      ...renderHistory('support', historyRows(object, recordsOf(object)), NOW),
      ...renderSockets(socketsView(object, poisoned(answersOf(pods))), NOW, plain),
    ];
    expect(lines.filter((line) => unsafe.test(line))).toEqual([]);
    expect(lines.length).toBeGreaterThan(4);
  });

  test('the displays that follow', () => {
    const view = { ...poisoned(scenes.find(({ title }) => title === 'aborted')!), now: NOW };
    const clean = { ...scenes.find(({ title }) => title === 'aborted')!, now: NOW };
    const drawn = (shown: typeof view): string => {
      let text = '';
      const output = { write: (part: string) => (text += part), rows: 100, columns: 400 };
      for (const display of [lineDisplay(output, plain), treeDisplay(output, plain)]) {
        display.note(shown === view ? `lost${EVIL}` : 'lost');
        display.show(shown);
      }
      return text;
    };
    // The controls that the displays write themselves, and no others.
    const controls = (text: string): string[] => text.match(/[\p{Cc}]/gu) ?? [];
    expect(drawn(view)).toContain('forged');
    expect(controls(drawn(view))).toEqual(controls(drawn(clean)));
  });

  test('lint and plan', () => {
    const finding = { severity: 'error', code: 'Rule', file: 'a', line: 1, object: 'b', path: 'c' } as const;
    const view = {
      file: 'a',
      name: 'b',
      namespace: 'c',
      release: EVIL,
      strategy: EVIL,
      checkedBy: { kind: 'ApiServer' },
    };
    const rest = { effects: null, stages: null, paused: false, drainMs: 0, autoscaled: [] } as const;
    const lines = [
      ...renderLint([{ ...finding, message: EVIL, remedy: EVIL }], 1, plain),
      ...renderPlan({ ...view, ...rest, checkedBy: { kind: 'ApiServer' }, refused: [] }, plain),
      ...renderPlan(
        { ...view, ...rest, checkedBy: { kind: 'ApiServer' }, refused: [{ field: EVIL, message: EVIL }] },
        plain,
      ),
    ];
    expect(lines.filter((line) => unsafe.test(line))).toEqual([]);
  });

  test.each([
    [['promote', 'support'], 'canary-paused', 0],
    [['abort', 'support', '--reason', 'x'], 'canary-paused', 0],
    [['abort', 'support', '--reason', 'x'], 'aborted', 3],
    [['retry', 'support'], 'aborted', 0],
    [['undo', 'support', '--dry-run'], 'aborted', 0],
    [['status', 'support'], 'aborted', 1],
    [['status', '-A'], 'aborted', 1],
    [['restart', 'support'], 'canary-paused', 3],
  ])('%j of one that is %s', async (line, title, code) => {
    const object = poisoned(scenes.find((each) => each.title === title)!.object);
    await using api = await ApiServer.start(object, recordsOf(object));
    const said = await api.command(...line);
    expect(said.code, said.all).toBe(code);
    expect(said.all.split('\n').filter((text) => unsafe.test(text) || text.startsWith('forged'))).toEqual([]);
    // Documents hold the values as they are, as JSON writes them.
    const { out } = await api.command(...line, '-o', 'json');
    expect(out.split('\n').filter((text) => unsafe.test(text))).toEqual([]);
    expect(out).toContain('\\u001b[31m');
    expect(out).toContain('\\u009b');
  });
});
