// Build contexts: which files a Containerfile may COPY, and where they come from. A context is not a folder on disk
// here but a list of mounts, so that 100 MB of a package are not copied to be packed; `writeContext` makes it a folder
// for people who build with Docker or buildah.
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readlink, stat, symlink } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { ContainerfileError } from './containerfile.ts';
import { withParents } from './bases.ts';
import type { LayerStep } from './plan.ts';
import type { TarEntry } from './tar.ts';

/** A file or folder on disk that shows up in a context as `to`. */
export interface Mount {
  /** Path inside the context, without leading slash. */
  readonly to: string;
  /** Absolute path on disk. */
  readonly from: string;
  /** Patterns of paths relative to `from` that are left out, with everything below them. */
  readonly leaveOut?: readonly RegExp[];
  /** Permission bits for a file that was unpacked without them. Default: as on disk, made 0755 or 0644. */
  readonly mode?: number;
}

/** One file or symbolic link of a context. Folders exist by what is in them. */
export type ContextFile =
  | { readonly type: 'file'; readonly from: string; readonly mode: number; readonly size: number }
  | { readonly type: 'link'; readonly target: string };

/** Path inside the context to file. */
export type BuildContext = ReadonlyMap<string, ContextFile>;

/**
 * Lists a context. Permissions become 0755 (executable by its owner) or 0644, whatever the umask of the clone was.
 *
 * @throws when a mount is not there
 */
export async function readContext(mounts: readonly Mount[]): Promise<BuildContext> {
  const files = new Map<string, ContextFile>();
  const add = async (mount: Mount, relative: string, link: boolean): Promise<void> => {
    if (relative !== '' && mount.leaveOut?.some((pattern) => pattern.test(relative)) === true) return;
    const from = join(mount.from, relative);
    const to = relative === '' ? mount.to : posix.join(mount.to, relative);
    if (link) {
      files.set(to, { type: 'link', target: await readlink(from) });
      return;
    }
    const found = await stat(from);
    if (found.isDirectory()) {
      const entries = await readdir(from, { withFileTypes: true });
      await Promise.all(entries.map((entry) => add(mount, posix.join(relative, entry.name), entry.isSymbolicLink())));
      return;
    }
    files.set(to, {
      type: 'file',
      from,
      mode: mount.mode ?? ((found.mode & 0o100) === 0 ? 0o644 : 0o755),
      size: found.size,
    });
  };
  for (const mount of mounts) await add(mount, '', false);
  return files;
}

/** Writes a context as a folder for `docker build`. The folder must not hold anything else. */
export async function writeContext(context: BuildContext, folder: string): Promise<void> {
  for (const [path, file] of context) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    if (file.type === 'link') {
      await symlink(file.target, target);
      continue;
    }
    // Shares the blocks on file systems that can.
    await copyFile(file.from, target, constants.COPYFILE_FICLONE);
    await chmod(target, file.mode);
  }
}

/**
 * What one step of a Containerfile adds to the image, as a layer. As in Docker: the content of a source folder goes
 * into the destination, a source file becomes it or goes into it.
 *
 * @throws ContainerfileError when a source is not in the context
 */
export function layerEntries(step: LayerStep, context: BuildContext, file: string): TarEntry[] {
  if (step.kind === 'folder') {
    if (step.path === '/') return [];
    return withParents([{ type: 'folder', path: step.path.slice(1), mode: 0o755, uid: 0, gid: 0 }]);
  }
  const entries: TarEntry[] = [];
  const { uid, gid } = step;
  for (const source of step.sources) {
    const single = context.get(source);
    if (single !== undefined) {
      const target = step.intoFolder ? posix.join(step.destination, posix.basename(source)) : step.destination;
      entries.push(entryOf(target, single, uid, gid));
      continue;
    }
    const inside = source === '' ? [...context] : [...context].filter(([path]) => path.startsWith(`${source}/`));
    if (inside.length === 0) {
      throw new ContainerfileError(file, step.line, `COPY ${source}: no such file or folder in the build context.`);
    }
    for (const [path, found] of inside) {
      const relative = source === '' ? path : path.slice(source.length + 1);
      entries.push(entryOf(posix.join(step.destination, relative), found, uid, gid));
    }
  }
  return ownParents(withParents(entries), entries, step);
}

function entryOf(target: string, found: ContextFile, uid: number, gid: number): TarEntry {
  const path = target.slice(1);
  return found.type === 'link'
    ? { type: 'link', path, mode: 0o777, uid, gid, target: found.target }
    : { type: 'file', path, mode: found.mode, uid, gid, content: { file: found.from, size: found.size } };
}

/**
 * Folders that the copy makes below its destination belong to the owner of the copy, those above it to root. Folders
 * of the base with a mode of their own are not named again.
 */
function ownParents(
  all: readonly TarEntry[],
  copied: readonly TarEntry[],
  step: Extract<LayerStep, { kind: 'copy' }>,
): TarEntry[] {
  const names = new Set(copied.map((entry) => entry.path));
  const below = `${step.destination.slice(1)}/`;
  return all
    .filter((entry) => names.has(entry.path) || !OWN_MODE.has(entry.path))
    .map((entry) =>
      names.has(entry.path) || !`${entry.path}/`.startsWith(below) ? entry : { ...entry, uid: step.uid, gid: step.gid },
    );
}

const OWN_MODE: ReadonlySet<string> = new Set(['tmp', 'var/tmp', 'root', 'home/node']);
