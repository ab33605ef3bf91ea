// The cgroups of an instance: one path in every hierarchy of the machine (v1, v2 or both), made before the kubelet starts, removed after it ended.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A mounted cgroup hierarchy. */
export interface Hierarchy {
  readonly mountPoint: string;
  readonly version: 1 | 2;
  /** v1 only: e.g. `cpu`, `cpuset`. */
  readonly controllers: readonly string[];
}

/** The hierarchies named in the text of /proc/self/mountinfo. Pure. */
export function hierarchies(mountinfo: string): Hierarchy[] {
  return mountinfo.split('\n').flatMap((line): Hierarchy[] => {
    // 36 35 98:0 / /mount/point rw,noatime shared:1 - fstype source superoptions (proc(5))
    const [before, after] = line.split(' - ');
    const mountPoint = before?.split(' ')[4];
    const [type, , options] = after?.split(' ') ?? [];
    if (mountPoint === undefined) return [];
    if (type === 'cgroup2') return [{ mountPoint, version: 2, controllers: [] }];
    if (type === 'cgroup') return [{ mountPoint, version: 1, controllers: (options ?? '').split(',').slice(1) }];
    return [];
  });
}

/**
 * The weight of all pods together. Processes outside of cgroups (an editor, a compiler, the load of a test) count 1024 each, a cgroup of the
 * default weight counts 1024 with all that is in it: dozens of pods would get what one process gets, and their probes would fail.
 */
const CPU_WEIGHT: Readonly<Record<string, string>> = { 'cpu.shares': '16384', 'cpu.weight': '1600' };

/** Makes the cgroup in every hierarchy, ready to have children with processes. */
export async function createCgroup(path: string): Promise<void> {
  for (const { mountPoint, version } of await mounted()) {
    let below = mountPoint;
    for (const part of path.split('/').filter((each) => each !== '')) {
      // v2: a controller reaches the children of a cgroup only when the cgroup says so.
      if (version === 2) await enableControllers(below);
      const dir = join(below, part);
      await mkdir(dir, { recursive: true });
      // v1 cpuset: a new cgroup has no processors and no memory until it is given some.
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        if (version === 1 && existsSync(join(dir, file)) && (await readFile(join(dir, file), 'utf8')).trim() === '') {
          await writeFile(join(dir, file), await readFile(join(below, file), 'utf8'));
        }
      }
      for (const [file, weight] of Object.entries(CPU_WEIGHT)) {
        if (existsSync(join(dir, file))) await writeFile(join(dir, file), weight);
      }
      below = dir;
    }
    if (version === 2) await enableControllers(below);
  }
}

/**
 * Removes the cgroup and all below it from every hierarchy, and its parent when that is empty.
 *
 * @throws Error naming a cgroup that still holds processes after 5 s.
 */
export async function removeCgroup(path: string): Promise<void> {
  const deadline = Date.now() + 5000;
  for (const { mountPoint } of await mounted()) {
    const dir = join(mountPoint, path);
    for (const each of [...tree(dir)].reverse()) {
      // A process that was killed leaves its cgroup a moment after it has gone from /proc.
      for (;;) {
        try {
          await rmdir(each);
          break;
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException;
          if (code === 'ENOENT') break;
          if (code !== 'EBUSY' || Date.now() > deadline)
            throw new Error(`cgroup ${each} cannot be removed`, { cause: error });
          await delay(20);
        }
      }
    }
    await rmdir(dirname(dir)).catch((error: unknown) => {
      // EBUSY: another instance lives there.
      if (!['ENOENT', 'EBUSY', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    });
  }
}

/** The folders of the cgroup that exist, in every hierarchy. */
export function existingCgroups(path: string): string[] {
  return hierarchies(readFileSync('/proc/self/mountinfo', 'utf8'))
    .map(({ mountPoint }) => join(mountPoint, path))
    .filter((dir) => existsSync(dir));
}

async function mounted(): Promise<Hierarchy[]> {
  return hierarchies(await readFile('/proc/self/mountinfo', 'utf8'));
}

async function enableControllers(dir: string): Promise<void> {
  const available = (await readFile(join(dir, 'cgroup.controllers'), 'utf8')).trim();
  for (const controller of available === '' ? [] : available.split(' ')) {
    await writeFile(join(dir, 'cgroup.subtree_control'), `+${controller}`);
  }
}

/** A folder and all folders below it, parents before children. */
function* tree(dir: string): Generator<string> {
  if (!existsSync(dir)) return;
  yield dir;
  for (const entry of readdirSync(dir, { withFileTypes: true }))
    if (entry.isDirectory()) yield* tree(join(dir, entry.name));
}
