/**
 * Locks between processes, on files, by flock(1) of util-linux. The kernel drops such a lock with the process that
 * holds it, however that ended: there are no stale locks, and waiting needs no polling.
 */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Many may hold a shared lock at a time; an exclusive one keeps everybody else out. */
export type LockMode = 'shared' | 'exclusive';

/** How to wait for a lock. */
export interface LockOptions {
  /** Called once if somebody else holds the lock and it has to be waited for. */
  readonly onWait?: (() => void) | undefined;
}

/**
 * Runs `work` while holding the lock on `path`, which is created when it is absent and never removed (removing a lock
 * file lets two processes hold "the same" lock).
 * @throws when flock(1) is missing, and whatever `work` throws.
 */
export async function withFileLock<T>(
  path: string,
  mode: LockMode,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let release = await take(path, mode, false);
  if (release === undefined) {
    options.onWait?.();
    release = await take(path, mode, true);
  }
  if (release === undefined) throw new Error(`flock(1) gave up waiting for ${path} although it was told to wait.`);
  try {
    return await work();
  } finally {
    await release();
  }
}

/**
 * Runs `work` if the lock on `path` is free at this moment.
 * @returns whether it ran.
 */
export async function withFileLockIfFree(path: string, mode: LockMode, work: () => Promise<void>): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  const release = await take(path, mode, false);
  if (release === undefined) return false;
  try {
    await work();
    return true;
  } finally {
    await release();
  }
}

/** What flock(1) exits with when the lock is held by another and it was told not to wait. */
const BUSY = 75;

/**
 * A child holds the lock while its standard input is open. When this process ends, even by SIGKILL, the kernel closes
 * the pipe, `cat` ends, and the lock is free.
 */
function take(path: string, mode: LockMode, wait: boolean): Promise<(() => Promise<void>) | undefined> {
  const how = [mode === 'shared' ? '-s' : '-x', ...(wait ? [] : ['-n', '-E', String(BUSY)])];
  const child = spawn('flock', [...how, path, 'sh', '-c', 'echo held; exec cat > /dev/null'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return new Promise((resolve, reject) => {
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    child.once('error', (cause) =>
      reject(new Error(`Cannot run flock(1), which is part of util-linux: ${cause.message}`, { cause })),
    );
    child.once('exit', (status) => {
      if (status === BUSY) resolve(undefined);
      else reject(new Error(`flock(1) on ${path} ended with status ${status ?? '?'}: ${complaint.trim()}`));
    });
    child.stdout.once('data', () => {
      resolve(async () => {
        child.stdin.end();
        await exited;
      });
    });
  });
}
