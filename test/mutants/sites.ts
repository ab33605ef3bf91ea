// A mutation site: one place of the decision code where one small change can be made. What it is called, how it is made, how it is shown. Pure.

/** The kinds of change (see operators.ts), in the order of the table. */
export const OPERATORS = [
  'boundary',
  'equality',
  'negate',
  'logical',
  'arithmetic',
  'constant',
  'boolean',
  'literal',
  'default',
  'early return',
  'statement',
  'filter',
  'method',
  'spread',
] as const;

export type Operator = (typeof OPERATORS)[number];

export interface Site {
  /** `drain.ts/boundary/3`: file, operator, and which one of these in the order of the text. Changes when the file does; see {@link Change}. */
  readonly id: string;
  /** Relative to operator/rollout. */
  readonly file: string;
  readonly operator: Operator;
  /** The replaced part of the file's text: [start, end), in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** A change in the words of the source, without its place: whole lines, white space brought to single blanks. */
export interface Change {
  readonly from: string;
  readonly to: string;
}

/** The text of the file with the change made. @throws RangeError when the site does not lie in the text. */
export function applySite(text: string, { id, start, end, replacement }: Omit<Site, 'file' | 'operator'>): string {
  if (start < 0 || end > text.length || start >= end) throw new RangeError(`${id} does not lie in its file`);
  return text.slice(0, start) + replacement + text.slice(end);
}

/** Number of the line on which the site begins, from 1. */
export const lineOf = (text: string, { start }: Site): number => text.slice(0, start).split('\n').length;

/** The lines that a site touches, before and after. */
export function changeOf(text: string, site: Site): Change {
  const from = text.lastIndexOf('\n', site.start - 1) + 1;
  const next = text.indexOf('\n', site.end);
  const to = next === -1 ? text.length : next;
  const after = applySite(text, site);
  return { from: oneLine(text.slice(from, to)), to: oneLine(after.slice(from, to + after.length - text.length)) };
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
