// A real PostgreSQL for tests. It refuses to run as root, and another user cannot see into root's cache, so then a
// copy of its files is made that user 65534 can read.
import { execFile } from 'node:child_process';
import { chmod, chown, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PACKAGES, ensurePackage } from '@assistant-platform/local/packages';
import { freePort, startServer } from './child-process.ts';

const run = promisify(execFile);

export interface PostgresServer {
  /** With user, password and database. */
  readonly url: string;
  readonly port: number;
  down(): Promise<void>;
  up(): Promise<void>;
  remove(): Promise<void>;
}

const nobody = 65_534;

export async function startPostgres(database = 'unleash', password = 'test-password'): Promise<PostgresServer> {
  const installed = await ensurePackage('postgres');
  const folder = await mkdtemp(join(tmpdir(), 'assistant-postgres-'));
  const user = process.getuid?.() === 0 ? nobody : undefined;
  // The whole package is copied: the programs find their libraries by paths relative to themselves.
  const copy = user === undefined ? installed : join(folder, 'package');
  const home = join(copy, PACKAGES.postgres.files.home);
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, password);
  if (user !== undefined) {
    await chmod(folder, 0o755);
    await cp(installed, copy, { recursive: true });
    await chmod(copy, 0o755);
    for (const path of [data, passwordFile]) await chown(path, user, user);
  }
  const as = user === undefined ? {} : { uid: user, gid: user };
  const environment = { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', HOME: folder };
  const inHome = { ...as, env: environment, cwd: folder };
  const initArgs = ['-D', data, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--no-sync'];
  await run(join(home, 'bin/initdb'), [...initArgs, '--encoding=UTF8', '--locale=C'], inHome);

  const port = await freePort();
  const urlOf = (name: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${name}`;
  const psql = (name: string, sql: string) =>
    run(join(home, 'bin/psql'), ['--no-psqlrc', '--quiet', '--dbname', urlOf(name), '--command', sql], inHome);
  const isReady = async () => {
    try {
      await psql('postgres', 'SELECT 1');
      return true;
    } catch {
      return false;
    }
  };
  const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${data}`, 'fsync=off'];
  const args = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
  const start = () =>
    startServer({ name: 'PostgreSQL', command: join(home, 'bin/postgres'), args, folder, user, isReady });
  let server = await start();
  await psql('postgres', `CREATE DATABASE ${database}`);
  return {
    url: urlOf(database),
    port,
    down: () => server.stop(),
    async up() {
      server = await start();
    },
    async remove() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
