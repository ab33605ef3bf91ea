// Brings the platform up once for all end-to-end tests, by the very command that people use, on an instance of its own.
import { execFileSync, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { stopCluster } from '@assistant-platform/local/cluster';
import type { Addresses } from '../../local/start/addresses.ts';

export const repository = path.resolve(import.meta.dirname, '../..');
/** The tests' instance beside a person's `start`. */
export const instance = 'test';
const stateDir = path.join(repository, '.state', instance);
/** Environment in which the commands of `local/` and the demonstration speak of the tests' instance. */
export const environment = { ...process.env, ASSISTANT_PLATFORM_INSTANCE: instance };

declare module 'vitest' {
  interface ProvidedContext {
    readonly where: Addresses;
    readonly stateDir: string;
  }
}

/** vitest global set-up: `npm start`, from nothing. */
export async function setup(project: TestProject): Promise<void> {
  await removeInstance();
  await run(['local/start.ts']);
  const where = execFileSync(process.execPath, ['local/where.ts', '--json'], {
    cwd: repository,
    env: environment,
    encoding: 'utf8',
  });
  project.provide('where', JSON.parse(where) as Addresses);
  project.provide('stateDir', stateDir);
}

/** vitest global tear-down: nothing of the instance is left. */
export async function teardown(): Promise<void> {
  await removeInstance();
}

async function removeInstance(): Promise<void> {
  await stopCluster(stateDir);
  rmSync(stateDir, { recursive: true, force: true });
}

/** Runs a command of ours on the tests' instance, or in another environment, its output shown. @throws when it fails. */
export function run(args: readonly string[], env: NodeJS.ProcessEnv = environment): Promise<void> {
  const child = spawn(process.execPath, args, {
    cwd: repository,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`node ${args.join(' ')} ended with ${code}`));
    });
  });
}
