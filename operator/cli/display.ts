// How `status --watch` shows changes: a tree that is redrawn in a terminal, a line for each change elsewhere, JSON for machines.
import { stripVTControlCharacters } from 'node:util';
import { summarize } from '@assistant-platform/api';
import type { Output } from './io.ts';
import type { Paint } from './render/paint.ts';
import { documentText, printable } from './render/printable.ts';
import { renderStatus, type StatusView } from './render/status.ts';
import { cutTo, widthOf } from './render/width.ts';
import { verdictOf } from './verdict.ts';

/** Shows one state after the other. */
export interface Display {
  show(view: StatusView): void;
  /** Something besides the object, such as a lost connection; empty when it is over. */
  note(text: string): void;
  /** Leaves the terminal as it was found. */
  close(): void;
  /** Whether it should be shown again every second, for its times. */
  readonly ticks: boolean;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_BELOW = '\u001b[J';

/** Redraws the tree in place. What does not fit on the screen is cut off and counted. */
export function treeDisplay(output: Output, paint: Paint): Display {
  let drawn = 0;
  let note = '';
  return {
    ticks: true,
    show: (view) => {
      const lines = [...renderStatus(view, paint), ...(note === '' ? [] : [paint.wait(printable(note))])];
      const fitting = fit(lines, output);
      output.write(`${HIDE_CURSOR}${up(drawn)}${CLEAR_BELOW}${fitting.join('\n')}\n`);
      drawn = fitting.length;
    },
    note: (text) => {
      note = text;
    },
    close: () => {
      output.write(SHOW_CURSOR);
    },
  };
}

const up = (lines: number): string => (lines === 0 ? '' : `\u001b[${lines}A\r`);

/** At most one screen of lines, none longer than the screen is wide: otherwise moving up by lines would miss. */
function fit(lines: readonly string[], output: Output): string[] {
  // A terminal that does not know its size says 0.
  const rows = output.rows || 24;
  const columns = output.columns || 80;
  const cut = lines.map((line) => {
    const plain = stripVTControlCharacters(line);
    return widthOf(plain) <= columns ? line : cutTo(plain, columns);
  });
  const shown = Math.max(0, rows - 2);
  return cut.length < rows ? cut : [...cut.slice(0, shown), `… ${cut.length - shown} more lines`];
}

/** One line for each change that matters: phase, step, weight, readiness, message. Counts of sockets alone are no news. */
export function lineDisplay(output: Output, paint: Paint): Display {
  let last = '';
  return {
    ticks: false,
    show: (view) => {
      const news = headline(view);
      if (news === last) return;
      last = news;
      output.write(`${paint.faint(new Date(view.now).toISOString())} ${news}\n`);
    },
    note: (text) => {
      if (text !== '') output.write(`${paint.wait(printable(text))}\n`);
    },
    close: () => undefined,
  };
}

/** An object in one line, without times. */
export function headline({ object }: StatusView): string {
  const { metadata, status = {} } = printable(object);
  const { step, weight, ready } = summarize(status);
  const parts = [
    metadata.name,
    status.phase ?? 'Unknown',
    ...(step === undefined ? [] : [`step ${step}`]),
    ...(weight === undefined ? [] : [`weight ${weight}`]),
    `ready ${ready ?? '0/0'}`,
  ];
  return status.message === undefined ? parts.join('  ') : `${parts.join('  ')}  ${status.message}`;
}

/** One JSON document a line for each change. */
export function jsonDisplay(output: Output): Display {
  let last = '';
  return {
    ticks: false,
    show: (view) => {
      const text = documentText(statusJson(view), 0);
      if (text !== last) output.write(`${text}\n`);
      last = text;
    },
    note: () => undefined,
    close: () => undefined,
  };
}

/** What `-o json` prints: stable names, no times of printing. */
export function statusJson({ object, pods }: Omit<StatusView, 'now'>): Record<string, unknown> {
  const { metadata, spec, status } = object;
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    generation: metadata.generation,
    verdict: verdictOf(object),
    release: spec.release,
    strategy: spec.strategy.type,
    status: status ?? null,
    pods: pods.map(({ createdAt, ...pod }) => ({ ...pod, createdAt: new Date(createdAt).toISOString() })),
  };
}
