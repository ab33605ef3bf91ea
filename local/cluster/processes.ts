// Finds processes by what does not lie: pid together with start time, and the instance's mark in the environment.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { INSTANCE_VARIABLE } from './instance.ts';

/** A process that cannot be confused with a later one of the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat: clock ticks since boot. */
  readonly startTime: string;
}

/** A process as people want to see it. */
export interface FoundProcess extends ProcessIdentity {
  readonly command: string;
}

/** The process with that pid now, or undefined when there is none (a zombie counts as none). */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readProc(pid, 'stat');
  if (stat === undefined) return undefined;
  // The second field, the command, is in parentheses and may itself contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startTime = fields[19];
  return startTime === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : { pid, startTime };
}

/** Does exactly this process still run? */
export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** Sends the signal if exactly this process still runs. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits until the process has ended; false when it still runs after `timeoutMs`. */
export async function waitForEnd(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(identity)) {
    if (Date.now() > deadline) return false;
    await delay(25);
  }
  return true;
}

/** Every process that carries the instance's mark, and every descendant of such a process: containers do not carry it. */
export function processesOf(instanceId: string): FoundProcess[] {
  const mark = `${INSTANCE_VARIABLE}=${instanceId}`;
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const parents = new Map(pids.map((pid) => [pid, parentOf(pid)]));
  const found = new Set(pids.filter((pid) => readProc(pid, 'environ')?.split('\0').includes(mark)));
  const belongs = (pid: number | undefined): boolean =>
    pid !== undefined && (found.has(pid) || belongs(parents.get(pid)));
  return pids.filter(belongs).flatMap((pid) => {
    const identity = identify(pid);
    return identity === undefined ? [] : [{ ...identity, command: commandOf(pid) }];
  });
}

/** The only child of the process, or undefined while it has none. */
export function childOf(pid: number): number | undefined {
  const [first] = (readProc(pid, `task/${pid}/children`) ?? '').trim().split(' ');
  return first === undefined || first === '' ? undefined : Number(first);
}

function commandOf(pid: number): string {
  return (readProc(pid, 'cmdline') ?? '').split('\0').join(' ').trim();
}

function parentOf(pid: number): number | undefined {
  const line = /^PPid:\s+(\d+)$/m.exec(readProc(pid, 'status') ?? '')?.[1];
  return line === undefined || line === '0' ? undefined : Number(line);
}

function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return undefined; // ended, or not ours to see
  }
}
