// The operator as a process of its own, so that a test can kill it as hard as a node that loses power.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../operator/main.ts', import.meta.url));

export class OperatorProcess {
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  /** Everything it said, all lives together. */
  output = '';
  kills = 0;

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  start(): void {
    const child = spawn(process.execPath, [main, ...this.#args], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (this.output += data.toString()));
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
