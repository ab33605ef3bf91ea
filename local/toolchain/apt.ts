/** Fetches Debian packages without installing them. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '../progress/progress.ts';
import { CommandError, runCommand } from './command.ts';
import { locate } from './path-tools.ts';

/** No questions, and no waiting for ever when somebody else (an automatic update) holds the lock. */
export const APT_ENVIRONMENT: Readonly<Record<string, string>> = {
  DEBIAN_FRONTEND: 'noninteractive',
  LC_ALL: 'C.UTF-8',
};
export const APT_OPTIONS: readonly string[] = ['-q', '-y', '-o', 'DPkg::Lock::Timeout=300'];

/**
 * Downloads packages of the machine's own release into a folder; the package lists are refreshed first if they do not
 * know the packages or name files that the mirror no longer has.
 * @returns the absolute paths of the archives.
 */
export async function downloadDebian(packages: readonly string[], folder: string, task: Task): Promise<string[]> {
  if ((await locate('apt-get')) === undefined || (await locate('dpkg-deb')) === undefined) {
    throw new Error(
      `${packages.join(', ')} is taken from Debian or Ubuntu packages, and this machine has no apt-get. ` +
        'Use a cluster of your own instead, with images from a registry: npm start -- --context NAME.',
    );
  }
  const download = (): Promise<string> =>
    runCommand('apt-get', [...APT_OPTIONS, 'download', ...packages], {
      cwd: folder,
      env: APT_ENVIRONMENT,
      onLine: (line) => task.log(line),
    });
  task.status('downloading');
  await download().catch(async (error: unknown) => {
    if (!(error instanceof CommandError) || process.getuid?.() !== 0) throw error;
    await updateLists(task);
    return download();
  });
  return (await readdir(folder)).filter((name) => name.endsWith('.deb')).map((name) => join(folder, name));
}

/** Refreshes the package lists. Needs root. */
export async function updateLists(task: Task): Promise<void> {
  task.status('refreshing the package lists');
  await runCommand('apt-get', [...APT_OPTIONS, 'update'], { env: APT_ENVIRONMENT, onLine: (line) => task.log(line) });
}
