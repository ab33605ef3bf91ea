/**
 * Runs other programs to their end: lines of their output as they come, and an error that says what ran, how it ended
 * and what it last said.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** How to run a program. */
export interface CommandOptions {
  readonly cwd?: string;
  /** Added to `process.env`; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Called for every line of standard output and standard error. */
  readonly onLine?: (line: string) => void;
  /** Kills the program (SIGTERM to its process group) when aborted. */
  readonly signal?: AbortSignal;
  /** Added to the niceness: long compiles shall not slow what a person waits for. */
  readonly nice?: number;
}

/** A program that could not be started, or ended badly. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** The exit status; null when a signal ended the program or it never started. */
  readonly status: number | null;
  /** Last lines of its output, oldest first. */
  readonly tail: readonly string[];

  constructor(message: string, status: number | null, tail: readonly string[], options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.tail = tail;
  }
}

const TAIL_LINES = 15;

/**
 * Runs a program to its end.
 * @returns everything it wrote to standard output.
 * @throws {@link CommandError} unless it ends with status 0.
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: stopping must reach what the program itself has started, such as compilers.
    detached: true,
  });
  const kill = (): void => killGroup(child);
  const tail: string[] = [];
  const output: string[] = [];
  const remember = (line: string): void => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    options.onLine?.(line);
  };
  const lines = [
    eachLine(child.stdout, (line) => {
      output.push(line);
      remember(line);
    }),
    eachLine(child.stderr, remember),
  ];
  forward(child, options.nice);
  options.signal?.addEventListener('abort', kill, { once: true });
  try {
    const ended = await new Promise<{ status: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
      child.once('error', (cause) =>
        reject(new CommandError(`Cannot start ${program}: ${cause.message}`, null, tail, { cause })),
      );
      child.once('exit', (status, signal) => resolve({ status, signal }));
    });
    await Promise.all(lines);
    if (ended.status === 0) return output.join('\n');
    const how = ended.signal === null ? `ended with status ${ended.status ?? '?'}` : `was ended by ${ended.signal}`;
    const last = tail.at(-1);
    const said = last === undefined ? '' : `: ${last}`;
    throw new CommandError(`${commandLine(program, args)} ${how}${said}`, ended.status, tail);
  } finally {
    options.signal?.removeEventListener('abort', kill);
    running.delete(child);
  }
}

/** A command as a person would type it, shortened in the middle of long ones. */
export function commandLine(program: string, args: readonly string[]): string {
  const text = [program, ...args]
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word)))
    .join(' ');
  return text.length <= 160 ? text : `${text.slice(0, 120)} … ${text.slice(-36)}`;
}

const running = new Set<ChildProcess>();
let watching = false;

/**
 * Programs run in groups of their own, so a Ctrl-C at the terminal does not reach them by itself. When this process
 * is told to end it passes that on, and then ends as it would have without us.
 */
function forward(child: ChildProcess, nice: number | undefined): void {
  running.add(child);
  if (nice !== undefined && child.pid !== undefined) setPriority(child.pid, nice);
  if (watching) return;
  watching = true;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const onSignal = (): void => {
      for (const each of running) killGroup(each);
      process.removeListener(signal, onSignal);
      // Others may have a listener that cleans up; without one, the default ends the process now.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    };
    process.on(signal, onSignal);
  }
  process.once('exit', () => {
    for (const each of running) killGroup(each);
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGTERM');
  } catch (error) {
    // ESRCH: it ended between the check and the signal, which is what was wanted.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function eachLine(stream: Readable, onLine: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) onLine(line);
}
