// What every group of commands is given: the surroundings, the session, and how to end. What is heavy (the client library, the schema) is loaded when a
// command runs, so that help and completion answer at once.
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Assistants } from '../assistants.ts';
import { CommandError } from '../errors.ts';
import type { Io } from '../io.ts';
import type { Paint } from '../render/paint.ts';
import type { SessionOptions } from '../session.ts';

/** Which cluster and namespace. */
export type SessionFlags = Omit<SessionOptions, 'env'>;

/** Given to each group. */
export interface Context {
  readonly program: Command;
  readonly io: Io;
  /**
   * Reads the kubeconfig; asks the cluster nothing yet.
   * @param namespace the one to speak of where no flag names another.
   * @throws CommandError NoCluster.
   */
  readonly open: (namespace?: string) => Promise<Assistants>;
  /** The same with flags that were not given to this program: completion reads them from the line that is being typed. */
  readonly openWith: (flags: SessionFlags) => Promise<Assistants>;
  readonly paint: () => Promise<Paint>;
  /** The exit code of a command that has run. */
  readonly end: (code: number) => void;
}

/** The value of `-o`. */
export interface OutputOption {
  readonly output: 'text' | 'json';
}

/** What a command's options say of its output. */
export const isJson = ({ output }: OutputOption): boolean => output === 'json';

/** `-o text|json`. */
export const output = (): Option =>
  new Option('-o, --output <format>', 'text for people, json for scripts').choices(['text', 'json']).default('text');

/** The name of one object. What is no part of a path would ask the API server for something else: for all of them, say. @throws InvalidArgumentError */
export function nameAlone(text: string): string {
  if (text === '' || /^[.]{1,2}$|[/]/.test(text))
    throw new InvalidArgumentError('write the name of the object alone, such as support.');
  return text;
}

/** The same where a flag without a value counts as not given, as kubectl has it: `-n "$NAMESPACE"`. */
export const nameOrNothing = (text: string): string => (text === '' ? text : nameAlone(text));

/** Examples below a command's help: what to type, and what it does. */
export function examples(...lines: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  const rows = lines.map(([command, what]) => `  kubectl assistant ${command.padEnd(width)}  # ${what}`);
  return `\nExamples:\n${rows.join('\n')}`;
}

/** @throws CommandError BadUsage, naming the flag. */
export async function readDuration(flag: string, text: string): Promise<number> {
  const { InvalidDurationError, parseDuration } = await import('@assistant-platform/api');
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof InvalidDurationError)
      throw new CommandError('BadUsage', `${flag}: ${error.message}`, { cause: error });
    throw error;
  }
}
