// A process that is measured from outside: its processor time and memory as the kernel counts them, its event loop by the probe.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorProcess } from '../../cluster/operator-process.ts';
import type { ProbeAnswer } from './probe.ts';
import { processorMs, quietSince, type Rest, TICK_MS } from './processor.ts';

export interface MeasuredProcessOptions {
  /** The bundle. */
  readonly main: string;
  readonly args: readonly string[];
  /** Flags of Node itself. */
  readonly nodeArgs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The probe's bundle. */
  readonly probe: string;
  /** Folder with `token`, `ca.crt` and `server`. */
  readonly serviceAccount: string;
}

/** Nothing comes any more after two seconds with no more than a tick or two of work. */
const REST: Rest = { windowMs: 500, windows: 4, processorMs: 2 * TICK_MS };

export class MeasuredProcess {
  readonly #process: OperatorProcess;
  readonly #answers: ((answer: ProbeAnswer) => void)[] = [];
  /** Epoch milliseconds. */
  startedAt = 0;

  constructor({ main, args, nodeArgs, env, probe, serviceAccount }: MeasuredProcessOptions) {
    const { hostname, port } = new URL(readFileSync(join(serviceAccount, 'server'), 'utf8'));
    this.#process = new OperatorProcess(args, {
      main,
      nodeArgs: [...nodeArgs, '--import', probe],
      env: {
        ...env,
        NODE_ENV: 'production',
        KUBERNETES_SERVICE_HOST: hostname,
        KUBERNETES_SERVICE_PORT: port,
        KUBERNETES_SERVICE_ACCOUNT_FOLDER: serviceAccount,
      },
      onMessage: (message) => this.#answers.shift()?.(message as ProbeAnswer),
    });
  }

  start(): void {
    this.startedAt = performance.timeOrigin + performance.now();
    this.#process.start();
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }

  /** The last lines it said. */
  get lastWords(): string {
    return this.#process.output.split('\n').slice(-15).join('\n');
  }

  /** Since it was last asked, or since its start. */
  ask(): Promise<ProbeAnswer> {
    const { promise, resolve } = Promise.withResolvers<ProbeAnswer>();
    this.#answers.push(resolve);
    this.#process.send('ask');
    return promise;
  }

  /** Resident memory now, and the most it ever was. Bytes. */
  memory(): { resident: number; peak: number } {
    const status = readFileSync(`/proc/${this.#pid}/status`, 'utf8');
    const of = (field: string): number => 1024 * Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    return { resident: of('VmRSS'), peak: of('VmHWM') };
  }

  /** Processor time so far, milliseconds. */
  processorMs(): number {
    return processorMs(this.#pid);
  }

  /**
   * Waits until it does nothing for two seconds.
   * @returns epoch milliseconds of when that began.
   * @throws Error with its last lines when it does not come to that in time.
   */
  async quiet(timeoutMs: number): Promise<number> {
    try {
      return await quietSince(() => [this.#pid], REST, timeoutMs);
    } catch (error) {
      throw new Error(`${String(error)}; it said at last:\n${this.lastWords}`, { cause: error });
    }
  }

  get #pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) throw new Error('the process was not started');
    return pid;
  }
}
