// A process that is measured from outside: its processor time and memory as the kernel counts them, its event loop by the probe.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OperatorProcess } from '../../cluster/operator-process.ts';
import type { ProbeAnswer } from './probe.ts';

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

/** A clock tick, in which the kernel counts processor time. */
const TICK_MS = 10;
/** A window with no more processor time than this is quiet. */
const QUIET_PROCESSOR_MS = 2 * TICK_MS;
const WINDOW_MS = 500;
/** So many quiet windows in a row: nothing comes any more. */
const QUIET_WINDOWS = 4;

/** Processor time of a process so far, milliseconds. */
export function processorMs(pid: number): number {
  // Behind the name, which may hold anything, come state (field 3) and so on; utime and stime are fields 14 and 15.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

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
   */
  async quiet(timeoutMs: number): Promise<number> {
    const end = Date.now() + timeoutMs;
    let since = Date.now();
    let quiet = 0;
    let before = this.processorMs();
    while (quiet < QUIET_WINDOWS) {
      if (Date.now() > end) throw new Error(`still busy after ${timeoutMs} ms:\n${this.lastWords}`);
      await delay(WINDOW_MS);
      const now = this.processorMs();
      if (now - before <= QUIET_PROCESSOR_MS) quiet += 1;
      else {
        quiet = 0;
        since = Date.now();
      }
      before = now;
    }
    return since;
  }

  get #pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) throw new Error('the process was not started');
    return pid;
  }
}
