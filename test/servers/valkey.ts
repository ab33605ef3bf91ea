// A real Valkey (the Redis of the platform) for tests, set up as infra does: password, append-only file, fsync always.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageFile } from '@assistant-platform/local/packages';
import { Redis } from 'ioredis';
import { freePort, startServer } from './child-process.ts';
import type { ServerProcess } from './child-process.ts';

export interface ValkeyServer {
  readonly url: string;
  readonly password: string;
  readonly port: number;
  /** The process of the moment: freeze() it to make it hang. */
  readonly process: () => ServerProcess;
  /** A client of the test's own. Close it yourself. */
  client(): Redis;
  /** Stops it, keeping its data. `crash`: SIGKILL. */
  down(how?: 'crash'): Promise<void>;
  /** Starts it again on the same port with its data. */
  up(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

export async function startValkey(password = 'test-password'): Promise<ValkeyServer> {
  const command = await packageFile('valkey', 'valkey-server');
  const folder = await mkdtemp(join(tmpdir(), 'assistant-valkey-'));
  const port = await freePort();
  const client = () => {
    const made = new Redis({
      host: '127.0.0.1',
      port,
      password,
      lazyConnect: true,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: true,
      retryStrategy: () => null,
    });
    // Errors reach the caller by the commands that fail.
    made.on('error', () => undefined);
    return made;
  };
  const isReady = async () => {
    const probe = client();
    try {
      await probe.ping();
      return true;
    } catch {
      // Not listening yet, or loading its data.
      return false;
    } finally {
      probe.disconnect();
    }
  };
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--requirepass', password, '--dir', folder];
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
  const start = () => startServer({ name: 'Valkey', command, args: [...options, ...durable], isReady });
  let server = await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    password,
    port,
    process: () => server,
    client,
    down: (how) => (how === 'crash' ? server.kill() : server.stop()),
    async up() {
      server = await start();
    },
    async remove() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
