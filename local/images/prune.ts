// Keeps the cache of images small: a developer makes a new build with every edit.
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type ImageRecord, readRecord } from './build.ts';

/** Builds kept of each image: the last few edits, and those of another clone. */
const KEPT = 4;
const DAY_MS = 86_400_000;

/**
 * Removes all but the newest builds of one image, and layers and bundles that no build wanted for a day. An archive
 * that another process reads at this moment stays readable to it; what was removed too early is simply made again.
 *
 * @param cache - folder of the cache for images
 * @param ref - reference of the image that was built just now
 * @param now - milliseconds since 1970
 */
export async function removeOldBuilds(cache: string, ref: string, now: number): Promise<void> {
  const builds: { folder: string; wanted: number; record: ImageRecord }[] = [];
  for (const { folder, changed } of await foldersIn(join(cache, 'built'))) {
    const record = await orGone(readRecord(folder));
    if (record !== undefined) builds.push({ folder, wanted: changed, record });
  }
  const old = builds
    .filter((build) => build.record.ref === ref)
    .toSorted((a, b) => b.wanted - a.wanted)
    .slice(KEPT);
  const kept = builds.filter((build) => !old.includes(build));
  const named = new Set(kept.flatMap((build) => build.record.layers.map((layer) => layer.diffId)));
  const parts = [...(await foldersIn(join(cache, 'layers'))), ...(await foldersIn(join(cache, 'bundles')))];
  const unused = parts.filter(
    // A younger one may belong to an image that is being built at this moment.
    ({ folder, changed }) => !named.has(`sha256:${basename(folder)}`) && changed < now - DAY_MS,
  );
  await Promise.all([...old, ...unused].map(({ folder }) => rm(folder, { recursive: true, force: true })));
}

async function foldersIn(parent: string): Promise<{ folder: string; changed: number }[]> {
  const found: { folder: string; changed: number }[] = [];
  for (const entry of (await orGone(readdir(parent, { withFileTypes: true }))) ?? []) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    const folder = join(parent, entry.name);
    const status = await orGone(stat(folder));
    if (status !== undefined) found.push({ folder, changed: status.mtimeMs });
  }
  return found;
}

/** Another process may be removing the same things. */
async function orGone<Result>(work: Promise<Result>): Promise<Result | undefined> {
  return await work.catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
}
