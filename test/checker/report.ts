// What people read of a check: one line a world, the violations with the shortest way to them, what was reached, and what was bounded.
import { coverageReport } from './coverage.ts';
import type { Found, Result } from './explore.ts';

const NAME_WIDTH = 62;
const count = (value: number, width: number): string => value.toLocaleString('en').padStart(width);

export const HEAD = `${'world'.padEnd(NAME_WIDTH)} ${'states'.padStart(9)} ${'transitions'.padStart(11)} depth  ends   plans       s states/s`;

/** One world as a line of the table. */
export function resultLine(result: Result): string {
  const { world, states, transitions, depth, ends, plans, seconds, cut, violations } = result;
  const figures = `${count(states, 9)} ${count(transitions, 11)} ${count(depth, 5)} ${count(ends, 5)} ${count(plans, 7)} ${seconds.toFixed(1).padStart(7)} ${count(Math.round(states / Math.max(seconds, 0.001)), 8)}`;
  const bad = violations.length === 0 ? '' : `  ${violations.length} VIOLATIONS`;
  return `${world.padEnd(NAME_WIDTH)} ${figures}${bad}${cut === null ? '' : `  CUT: ${cut}`}`;
}

/** A violation and the way to it. */
export function violationText(world: string, { invariant, message, trace }: Found): string {
  const lines = trace.map((line, index) => `  ${String(index + 1).padStart(3)}  ${line}`);
  return [`\nVIOLATION of invariant ${invariant} in "${world}": ${message}`, 'the shortest way to it:', ...lines].join(
    '\n',
  );
}

interface Ending {
  readonly seconds: number;
  /** Every world was visited, and wholly. */
  readonly whole: boolean;
}

/** Sums, and what was reached of all that is declared. */
export function coverageText(
  results: readonly Result[],
  reached: ReadonlyMap<string, string>,
  { seconds, whole }: Ending,
): string {
  const sum = (pick: (result: Result) => number): number => results.reduce((total, result) => total + pick(result), 0);
  const { rows, errors } = coverageReport(reached);
  const table = rows.map(
    ({ kind, value, world, why }) =>
      `  ${kind.padEnd(9)} ${value.padEnd(22)} ${world ?? (why === null ? '-' : `not reached: ${why}`)}`,
  );
  const verdict = whole
    ? errors.map((error) => `ERROR: ${error}`)
    : ['(not every world was visited wholly: what is not reached here says nothing)'];
  return [
    '',
    `${results.length} worlds, ${count(
      sum(({ states }) => states),
      0,
    )} states, ${count(
      sum(({ transitions }) => transitions),
      0,
    )} transitions in ${seconds.toFixed(0)} s: ${sum(({ violations }) => violations.length)} violations`,
    '',
    'Every declared state, and the first world that reached it:',
    ...table,
    ...verdict,
  ].join('\n');
}

/** What was not looked at, so that nobody takes this for a proof of more than it is. */
export const BOUNDS = `
What was bounded:
  - chat and realtime, two pods each (one or three where a person says so); somebody is connected to every pod that takes traffic
  - each deed of a person at most once in a behaviour, and only the deeds that the world names; faults as often as the world's name says
  - of a pod's life: made, runs, is ready, gone. Readiness is lost only by a fault; pods are of one age, any of equal ones may be taken
  - while the operator carries a plan out, one thing may happen between two writes (or before the first), without a bound on how often that is so
  - a stale plan has not heard of the last change: of all of it, or of what one watch (subject, workloads, pods, routes, services) tells
  - clocks stop at 5 s of age: no limit that is compared with one is longer. An accepted route takes effect within the settle time
  - the gateway never refuses a route; the API server never refuses a write but for a conflict`;

/** The same for programs. */
export function jsonText(
  results: readonly Result[],
  reached: ReadonlyMap<string, string>,
  { seconds, whole }: Ending,
): string {
  const { rows, errors } = coverageReport(reached);
  return JSON.stringify({ seconds, whole, worlds: results, reached: rows, errors: whole ? errors : [] }, null, 2);
}
