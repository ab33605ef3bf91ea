/**
 * The cache outside the tree: what is expensive to make and the same for every clone (compiled programs, unpacked
 * packages, images). A folder in it is either absent or complete, because it is made under another name and renamed.
 */
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { withFileLock } from './lock.ts';

/** The folder of the cache: `$XDG_CACHE_HOME/assistant-platform`, by default in `~/.cache`. */
export function cacheRoot(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  // The XDG specification says that a relative path there is to be ignored.
  const root = base?.startsWith('/') === true ? base : join(homedir(), '.cache');
  return join(root, 'assistant-platform');
}

/**
 * Makes a folder of the cache unless it is there. Safe against being killed at any moment and against another process
 * that makes the same folder: that one is waited for.
 * @param target absolute path of the folder, whose name must say its content (a hash).
 * @param fill puts the content into the folder it is given; the folder appears as `target` only when that succeeded.
 * @param onWait called once when another process is at it already.
 * @returns `target`.
 */
export async function ensureFolder(
  target: string,
  fill: (folder: string) => Promise<void>,
  onWait?: () => void,
): Promise<string> {
  if (await isFolder(target)) return target;
  const parent = dirname(target);
  await mkdir(parent, { recursive: true });
  await withFileLock(join(parent, `.${basename(target)}.lock`), 'exclusive', { onWait }, async () => {
    if (await isFolder(target)) return;
    await removeRemains(parent, basename(target));
    const folder = await mkdtemp(join(parent, `.${basename(target)}.tmp-`));
    try {
      await fill(folder);
      await rename(folder, target);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  });
  return target;
}

/** Whether there is a folder at this path. */
export async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  return found?.isDirectory() === true;
}

/** Whether a folder of the cache has something that was begun by {@link ensureFolder} and never completed. */
export async function hasUnfinished(parent: string): Promise<boolean> {
  return (
    (await isFolder(parent)) &&
    (await readdir(parent)).some((entry) => entry.startsWith('.') && entry.includes('.tmp-'))
  );
}

/** Removes what a killed run of the same work left. The caller holds the lock, so nobody works there. */
async function removeRemains(parent: string, name: string): Promise<void> {
  const remains = (await readdir(parent)).filter((entry) => entry.startsWith(`.${name}.tmp-`));
  await Promise.all(remains.map((entry) => rm(join(parent, entry), { recursive: true, force: true })));
}
