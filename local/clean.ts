/** `npm run clean`: removes the state of stopped instances of this clone, and on request what the cache holds. */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { clusterStatus, stopCluster } from './cluster/cluster.ts';
import { CHOSEN_INSTANCE } from './start/places.ts';
import { DevStack } from './start/stack.ts';
import { lastTarget } from './start/target.ts';
import { cacheRoot } from './toolchain/cache.ts';
import { deleteBuildCache } from './toolchain/compile.ts';

const USAGE = `Usage: npm run clean [-- options]

Removes the state of the embedded clusters of this folder: their databases, volumes, certificates and logs. What
npm start -- --context NAME brought up on a cluster of yours is removed from it (pulumi destroy).
An instance that runs is left alone unless --stop is given.

  --stop     stop instances that run, and remove their state too
  --cache    also remove the cache that all clones share: compiled programs, packages, images. The next start
             makes them again, which takes about a quarter of an hour. Go's own module cache stays: it may serve
             other projects (go clean -modcache removes it).
  --help     this text
`;

const STATE = resolve(import.meta.dirname, '..', '.state');

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { stop: { type: 'boolean' }, cache: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    console.log(USAGE);
    return 0;
  }
  await removeFromOwnCluster();
  const left = await cleanState(values.stop === true);
  if (values.cache === true) await cleanCache();
  return left === 0 ? 0 : 1;
}

/** What stands on a person's own cluster goes first, for the record of it lies in the state that is removed. */
async function removeFromOwnCluster(): Promise<void> {
  const target = await lastTarget();
  if (target?.kind !== 'own') return;
  const stack = await DevStack.open(target);
  if ((await stack.outputs()) === undefined) return;
  console.log(`Removing the platform from your cluster (context ${target.context}).`);
  await stack.destroy((line) => console.log(`  ${line}`));
}

/** @returns how many instances were left because they run. */
async function cleanState(stop: boolean): Promise<number> {
  if (!existsSync(STATE)) return 0;
  let left = 0;
  for (const entry of await readdir(STATE, { withFileTypes: true })) {
    // Files beside the folders are locks, and a lock file that is removed lets two hold "the same" lock.
    if (!entry.isDirectory() || (CHOSEN_INSTANCE !== undefined && entry.name !== CHOSEN_INSTANCE)) continue;
    const folder = join(STATE, entry.name);
    const { state } = await clusterStatus(folder);
    // What was killed does not run any more, but has left mounts and devices that only a stop removes.
    if (state === 'killed' || (state !== 'absent' && stop)) {
      console.log(`Stopping ${entry.name}.`);
      await stopCluster(folder);
    } else if (state !== 'absent') {
      console.error(`${entry.name} is ${state}: left alone. Stop it first (npm run stop), or give --stop.`);
      left += 1;
      continue;
    }
    await removeFolder(folder);
    console.log(`Removed .state/${entry.name}.`);
  }
  return left;
}

/** A mount below the folder would make its content, which may be the person's own files, part of the removal. */
async function removeFolder(folder: string): Promise<void> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  const inside = mounts.find((path) => path.startsWith(`${folder}/`));
  if (inside !== undefined)
    throw new Error(`${inside} is still mounted, so ${folder} was not removed. Run npm run stop, then clean again.`);
  await rm(folder, { recursive: true, force: true });
}

async function cleanCache(): Promise<void> {
  const root = cacheRoot();
  await deleteBuildCache(true);
  await Promise.all(
    ['bin', 'packages', 'images'].map((name) => rm(join(root, name), { recursive: true, force: true })),
  );
  console.log(`Removed compiled programs, packages and images from ${root}.`);
}

process.exitCode = await main(process.argv.slice(2));
