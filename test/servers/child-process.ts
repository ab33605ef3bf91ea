// A server as a child process of a test: started on a free loopback port, waited for, stopped, never left behind.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export interface ServerCommand {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
  /** Drop to this user and group; servers that refuse to run as root need it. */
  readonly user?: number | undefined;
  /** Resolves true once the server can be used; called again until then. */
  readonly isReady: () => Promise<boolean>;
  /** Milliseconds until which it must be ready. */
  readonly readyWithin?: number;
}

export interface ServerProcess {
  readonly pid: number;
  /** The last lines it wrote. */
  output(): string;
  /** SIGTERM, and SIGKILL when it does not end within `patienceMs` (10 s); resolves when it is gone. */
  stop(patienceMs?: number): Promise<void>;
  /** SIGKILL: what a crash is. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT: a server that hangs. */
  freeze(): void;
  thaw(): void;
}

const keptOutput = 8_000;
const pollMs = 25;
const stopMs = 10_000;
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A TCP port on 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until `look` gives something true-like; asks again every 25 ms. @throws naming `what` after `withinMs` */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  withinMs = 10_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const until = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== null && found !== false) return found as NonNullable<Exclude<T, false>>;
      last = found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > until) {
      throw new Error(`${what}: not within ${withinMs} ms (last seen: ${String(last)})`, { cause: last });
    }
    await wait(pollMs);
  }
}

/** @throws with the last output when the server ends early or is not ready in time */
export async function startServer(what: ServerCommand): Promise<ServerProcess> {
  const child = spawn(what.command, what.args, {
    ...(what.folder === undefined ? {} : { cwd: what.folder }),
    ...(what.user === undefined ? {} : { uid: what.user, gid: what.user }),
    env: { PATH: process.env.PATH ?? '', HOME: '/tmp', LANG: 'C.UTF-8', ...what.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  const keep = (bytes: Buffer) => {
    output = (output + bytes.toString('utf8')).slice(-keptOutput);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let ended: string | undefined;
  const { promise: exit, resolve: exited } = Promise.withResolvers<undefined>();
  const onEnd = (why: string) => {
    ended = why;
    running.delete(child);
    exited(undefined);
  };
  child.once('error', (error) => onEnd(error.message));
  child.once('exit', (code, signal) => onEnd(`exit code ${code ?? signal ?? '?'}`));

  const stopWith = async (signal: NodeJS.Signals, patienceMs = stopMs) => {
    if (ended !== undefined) return;
    child.kill(signal);
    const patience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await exit;
    clearTimeout(patience);
  };

  try {
    await eventually(
      `${what.name} ready`,
      async () => {
        if (ended !== undefined) return { failed: ended };
        return (await what.isReady()) ? { failed: undefined } : undefined;
      },
      what.readyWithin ?? 20_000,
    ).then(({ failed }) => {
      if (failed !== undefined) throw new Error(`${what.name} ended: ${failed}`);
    });
  } catch (cause) {
    await stopWith('SIGKILL');
    throw new Error(`${what.name} could not be started. Its last output:\n${output}`, { cause });
  }
  return {
    pid: child.pid ?? 0,
    output: () => output,
    stop: (patienceMs) => stopWith('SIGTERM', patienceMs),
    kill: () => stopWith('SIGKILL'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}
