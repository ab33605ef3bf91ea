// The operator as a process of its own, so that a test can kill it as hard as a node that loses power.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../operator/main.ts', import.meta.url));

export interface OperatorProcessOptions {
  /** File to run; default the source. */
  readonly main?: string;
  /** Arguments of Node itself, and more environment. */
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Called for what it sends over its IPC channel; it gets one only with this. */
  readonly onMessage?: (message: unknown) => void;
}

export class OperatorProcess {
  readonly #args: readonly string[];
  readonly #options: OperatorProcessOptions;
  #child: ChildProcess | undefined;
  /** Everything it said, all lives together. */
  output = '';
  kills = 0;

  constructor(args: readonly string[], options: OperatorProcessOptions = {}) {
    this.#args = args;
    this.#options = options;
  }

  /** Of the present life; undefined before the first. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Asks what listens on its IPC channel. */
  send(message: string): void {
    this.#child?.send(message);
  }

  start(): void {
    const { main: file = main, nodeArgs = [], env = {}, onMessage } = this.#options;
    const child = spawn(process.execPath, [...nodeArgs, file, ...this.#args], {
      stdio: ['ignore', 'pipe', 'pipe', ...(onMessage === undefined ? [] : (['ipc'] as const))],
      env: { ...process.env, ...env },
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data: Buffer) => (this.output += data.toString()));
    if (onMessage !== undefined) child.on('message', onMessage);
    this.#child = child;
  }

  /** SIGKILL: no good-bye. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.kills += 1;
    await this.#end('SIGKILL');
  }

  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
    return child.exitCode;
  }

  /** Lines of its log that carry an error. */
  errors(): string[] {
    return this.output.split('\n').filter((line) => line.includes('"level":"error"'));
  }
}
