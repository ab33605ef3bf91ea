/**
 * Compiles one of the modules under local/binaries into the cache. What is there already under the same key is not
 * compiled again; a run that was killed goes on from Go's own build cache.
 */
import { readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '../progress/progress.ts';
import { buildKey } from './build-key.ts';
import { buildFlags, type GoBuild, WITHOUT_DEBUG_INFORMATION } from './builds.ts';
import { cacheRoot, hasUnfinished, isFolder } from './cache.ts';
import { runCommand } from './command.ts';
import type { Go } from './go.ts';
import { withFileLock, withFileLockIfFree } from './lock.ts';

/** The folder of the modules, local/binaries. */
export const MODULES = join(import.meta.dirname, '..', 'binaries');

/** Niceness of compilers: what a person waits for meanwhile (image builds, a cluster that starts) goes first. */
const NICE = 5;

/** Go's build cache of these builds, apart from the person's own, because it is deleted when all is compiled. */
export function goCacheFolder(): string {
  return join(cacheRoot(), 'go-build');
}

/** Held shared by whoever compiles, exclusively by whoever deletes the build cache. */
function goCacheLock(): string {
  return join(cacheRoot(), 'go-build.lock');
}

/** The folder in the cache that holds, or will hold, the programs of a build. */
export async function outputFolder(build: GoBuild, go: Go): Promise<string> {
  const folder = join(MODULES, build.name);
  const names = (await readdir(folder)).filter(
    (name) => /\.go$|^go\.(?:mod|sum)$/.test(name) && !name.endsWith('_test.go'),
  );
  const files = await Promise.all(
    names.map(async (path) => ({ path, content: await readFile(join(folder, path), 'utf8') })),
  );
  // GOCACHE and GOTOOLCHAIN say where and by which way, not what.
  const environment = { ...go.environment, GOCACHE: undefined, GOTOOLCHAIN: undefined };
  const key = buildKey({ files, goVersion: go.version, flags: [build.packagePath, ...buildFlags(build)], environment });
  return join(cacheRoot(), 'bin', `${build.name}-${key}`);
}

/**
 * Fetches every module that a build needs into Go's module cache (network, little processor).
 * @returns how many packages the program consists of, counting the standard library.
 */
export async function fetchModules(build: GoBuild, go: Go, task: Task, signal?: AbortSignal): Promise<number> {
  task.status('fetching modules');
  let fetched = 0;
  const list = await runCommand('go', ['list', '-mod=readonly', '-deps', build.packagePath], {
    cwd: join(MODULES, build.name),
    env: go.environment,
    ...(signal === undefined ? {} : { signal }),
    onLine: (line) => {
      if (!line.startsWith('go: downloading ')) return;
      fetched += 1;
      task.status(`fetching modules: ${fetched}`);
    },
  });
  const packages = list.split('\n').length;
  task.status(`${packages} packages${fetched === 0 ? '' : `, ${fetched} modules fetched`}`);
  return packages;
}

/**
 * Compiles a build into `folder` and lays its symbolic links.
 * @param packages how many packages there are, for the progress; see {@link fetchModules}.
 * @param jobs compiler processes at a time.
 */
export async function compile(
  build: GoBuild,
  go: Go,
  folder: string,
  how: { readonly packages: number; readonly jobs: number; readonly task: Task; readonly signal?: AbortSignal },
): Promise<void> {
  const [program, ...links] = build.programs;
  let compiled = 0;
  await withFileLock(goCacheLock(), 'shared', {}, () =>
    runCommand(
      'go',
      [
        'build',
        '-v',
        '-p',
        String(how.jobs),
        ...buildFlags(build),
        WITHOUT_DEBUG_INFORMATION,
        '-o',
        join(folder, `.${program}`),
        build.packagePath,
      ],
      {
        cwd: join(MODULES, build.name),
        env: go.environment,
        nice: NICE,
        ...(how.signal === undefined ? {} : { signal: how.signal }),
        onLine: (line) => {
          // `-v` names each package when its compiling begins; anything else is a message, and belongs in the log.
          if (/\s/.test(line)) {
            how.task.log(line);
            return;
          }
          compiled += 1;
          how.task.status(`${compiled} of ${how.packages} packages, ${line}`);
        },
      },
    ),
  );
  await rename(join(folder, `.${program}`), join(folder, program));
  await Promise.all(links.map((link) => symlink(program, join(folder, link))));
}

/** Whether the programs of a build are in the cache. */
export async function isBuilt(build: GoBuild, go: Go): Promise<boolean> {
  return isFolder(await outputFolder(build, go));
}

/**
 * Deletes Go's build cache (several GB) unless somebody compiles at this moment, or a build was broken off: that one goes
 * on from there the next time. `ASSISTANT_PLATFORM_KEEP_BUILD_CACHE=1` keeps it, for people who work on local/binaries.
 * @param evenUnfinished also what a build that was broken off would go on from.
 * @returns whether it was deleted.
 */
export async function deleteBuildCache(evenUnfinished = false): Promise<boolean> {
  if (process.env['ASSISTANT_PLATFORM_KEEP_BUILD_CACHE'] === '1' || !(await isFolder(goCacheFolder()))) return false;
  let deleted = false;
  await withFileLockIfFree(goCacheLock(), 'exclusive', async () => {
    if (!evenUnfinished && (await hasUnfinished(join(cacheRoot(), 'bin')))) return;
    await rm(goCacheFolder(), { recursive: true, force: true });
    deleted = true;
  });
  return deleted;
}
