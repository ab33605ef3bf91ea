import { describe, expect, test } from 'vitest';
import { jsonDisplay, lineDisplay, treeDisplay } from './display.ts';
import { makePaint } from './render/paint.ts';
import type { StatusView } from './render/status.ts';
import { NOW, scenes } from './testing/scenes.ts';

class Sink {
  text = '';
  readonly rows: number;
  readonly columns: number;
  constructor(rows = 60, columns = 120) {
    this.rows = rows;
    this.columns = columns;
  }
  write(text: string): void {
    this.text += text;
  }
}

const view = (title: string, now = NOW): StatusView => ({ ...scenes.find((scene) => scene.title === title)!, now });
const plain = makePaint(false);

describe('the tree display', () => {
  test('goes up by what it drew before, and gives the cursor back', () => {
    const sink = new Sink();
    const display = treeDisplay(sink, plain);
    display.show(view('no-status'));
    const height = sink.text.split('\n').length - 1;
    sink.text = '';
    display.show(view('healthy'));
    expect(sink.text.startsWith(`\u001b[?25l\u001b[${height}A\r\u001b[J`)).toBe(true);
    display.close();
    expect(sink.text.endsWith('\u001b[?25h')).toBe(true);
  });

  test('never draws more than a screen, nor wider', () => {
    const sink = new Sink(8, 30);
    treeDisplay(sink, plain).show(view('canary-analysis'));
    const drawn = sink.text
      .replace(/^.*\u001b\[J/, '')
      .trimEnd()
      .split('\n');
    expect(drawn).toHaveLength(7);
    expect(drawn.at(-1)).toMatch(/^… \d+ more lines$/);
    expect(Math.max(...drawn.map((line) => line.length))).toBeLessThanOrEqual(30);
  });

  test('counts characters of two columns as two, and cuts none in half', () => {
    const sink = new Sink(60, 30);
    const shown = view('healthy');
    const message = `回答を待っています👍${'答'.repeat(40)}`;
    treeDisplay(sink, plain).show({
      ...shown,
      object: { ...shown.object, status: { ...shown.object.status, message } },
    });
    const line = sink.text.split('\n').find((each) => each.includes('回答'));
    expect(line).toBe('├─ 回答を待っています👍答答答…');
  });

  test('keeps to a screen of a single line', () => {
    const sink = new Sink(1, 80);
    treeDisplay(sink, plain).show(view('healthy'));
    expect(sink.text.trimEnd().split('\n')).toHaveLength(1);
  });

  test('shows a note until it is taken back', () => {
    const sink = new Sink();
    const display = treeDisplay(sink, plain);
    display.note('connection lost');
    display.show(view('healthy'));
    display.show(view('healthy'));
    expect(sink.text.match(/connection lost/g)).toHaveLength(2);
    sink.text = '';
    display.note('');
    display.show(view('healthy'));
    expect(sink.text).not.toContain('connection lost');
  });
});

test('the line display writes only news', () => {
  const sink = new Sink();
  const display = lineDisplay(sink, plain);
  display.show(view('healthy'));
  display.show(view('healthy', NOW + 5_000));
  display.show(view('canary-paused'));
  expect(sink.text.trimEnd().split('\n')).toEqual([
    '2026-11-21T10:00:00.000Z support  Healthy  ready 4/4  1.0.0 is stable and serves all traffic',
    '2026-11-21T10:00:00.000Z support  Paused  step 6/7  weight 50%  ready 6/6  holding at 50 %: waits until promoted',
  ]);
});

test('the JSON display writes one document a change', () => {
  const sink = new Sink();
  const display = jsonDisplay(sink);
  display.show(view('healthy'));
  display.show(view('healthy', NOW + 5_000));
  display.show(view('aborted'));
  const documents = sink.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { verdict: string });
  expect(documents.map(({ verdict }) => verdict)).toEqual(['Good', 'Bad']);
});
