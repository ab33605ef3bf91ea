// How a command that acts ends: what it did, for people or as a document; what should be known besides goes to standard error either way.
import type { Io } from '../io.ts';
import type { Done, Outcome } from '../render/outcome.ts';
import { renderOutcome } from '../render/outcome.ts';
import { documentText, printable } from '../render/printable.ts';

/** Of every command that does something. */
export interface ReportOptions {
  /** A document instead of words. */
  readonly json: boolean;
}

/** Says what was written to an AssistantDeployment. @returns the exit code. */
export const report = (io: Io, outcome: Outcome, options: ReportOptions): number =>
  reportDone(io, outcome, renderOutcome(outcome), outcome.warnings, options);

/**
 * Says what was done.
 * @param lines the same for people.
 * @param warnings for people; what a script should know of them is in `done` as well.
 * @returns the exit code.
 */
export function reportDone(
  io: Io,
  done: Done,
  lines: readonly string[],
  warnings: readonly string[],
  { json }: ReportOptions,
): number {
  for (const warning of warnings) io.stderr.write(`${printable(warning)}\n`);
  io.stdout.write(`${json ? documentText(done) : lines.join('\n')}\n`);
  return 0;
}
