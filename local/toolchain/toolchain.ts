/**
 * The programs that the embedded cluster and Pulumi consist of: found in PATH where a person has them, otherwise
 * compiled from the Go module proxy (or unpacked, for helm) into the cache, once for all clones on the machine.
 */
import { dirname, join } from 'node:path';
import { type Progress, silentProgress } from '../progress/progress.ts';
import { enqueueBuilds, go, thisMachine } from './build-queue.ts';
import { planBuilds } from './build-plan.ts';
import { buildOf, GO_BUILDS, type GoBuild } from './builds.ts';
import { isBuilt } from './compile.ts';
import { packageFile } from './packages.ts';
import { findOnPath, type PathTool } from './path-tools.ts';

/** Every program that can be asked for. */
export type BinaryName =
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'kube-proxy'
  | 'kubectl'
  | 'etcd'
  | 'coredns'
  | 'pause'
  | 'kwok'
  | 'pulumi'
  | 'pulumi-language-nodejs'
  | 'pulumi-resource-kubernetes'
  | 'helm';

/** Where a program comes from on this machine. */
export type BinarySource =
  | { readonly from: 'path'; readonly file: string }
  | { readonly from: 'build'; readonly build: GoBuild; readonly cached: boolean }
  | { readonly from: 'package' };

const PATH_TOOLS: ReadonlySet<string> = new Set<PathTool>(['pulumi', 'pulumi-language-nodejs', 'helm', 'kubectl']);

/**
 * The absolute path of a program, which is compiled or fetched if need be.
 * @param progress shows a task for each part that takes long; nothing is shown when the program is there.
 * @throws when it cannot be had, with what Go or the package manager said last.
 */
export async function ensureBinary(name: BinaryName, progress: Progress = silentProgress): Promise<string> {
  return (await ensureBinaries([name], progress))[name];
}

/**
 * Several programs at once, which is much faster than one after the other: downloads and compiles overlap.
 * @returns the absolute path of each.
 * @throws as {@link ensureBinary} does, once nothing is under way any more.
 */
export async function ensureBinaries<const Name extends BinaryName>(
  names: readonly Name[],
  progress: Progress = silentProgress,
): Promise<Record<Name, string>> {
  const found = new Map<BinaryName, string>();
  const toBuild = new Map<BinaryName, GoBuild>();
  const fetched: Promise<unknown>[] = [];
  for (const name of new Set<BinaryName>(names)) {
    const onPath = await pathTool(name);
    const build = buildOf(name);
    if (onPath !== undefined) found.set(name, onPath);
    else if (build !== undefined) toBuild.set(name, build);
    else fetched.push(packageFile('helm', 'helm', progress).then((path) => found.set(name, path)));
  }
  const building = enqueueBuilds([...toBuild.values()], progress).then((folders) => {
    [...toBuild.keys()].forEach((name, index) => found.set(name, join(folders[index] ?? '', name)));
  });
  const settled = await Promise.allSettled([building, ...fetched]);
  for (const result of settled) if (result.status === 'rejected') throw result.reason;
  return Object.fromEntries(found) as Record<Name, string>;
}

/**
 * The folders that have to come first in PATH for these programs to be found by name, as Pulumi finds its plugins.
 * Programs that are used from PATH add nothing.
 */
export async function pathFolders(
  names: readonly BinaryName[],
  progress: Progress = silentProgress,
): Promise<string[]> {
  const paths = await ensureBinaries(names, progress);
  const ours = await Promise.all(
    names.map(async (name) => ((await pathTool(name)) === undefined ? paths[name] : undefined)),
  );
  return [...new Set(ours.filter((path) => path !== undefined).map((path) => dirname(path)))];
}

/** Where a program would come from, without compiling or fetching anything. */
export async function sourceOf(name: BinaryName): Promise<BinarySource> {
  const file = await pathTool(name);
  if (file !== undefined) return { from: 'path', file };
  const build = buildOf(name);
  if (build === undefined) return { from: 'package' };
  return { from: 'build', build, cached: await isBuilt(build, await go()) };
}

/** About how long it will take to have all of these, in seconds; 0 when all is there. */
export async function estimateSeconds(names: readonly BinaryName[]): Promise<number> {
  const sources = await Promise.all(names.map((name) => sourceOf(name)));
  const missing = new Set(
    sources.flatMap((source) => (source.from === 'build' && !source.cached ? [source.build] : [])),
  );
  if (missing.size === 0) return 0;
  return planBuilds(
    GO_BUILDS.filter((build) => missing.has(build)),
    thisMachine(),
  ).estimateSeconds;
}

function pathTool(name: BinaryName): Promise<string | undefined> {
  return PATH_TOOLS.has(name) ? findOnPath(name as PathTool) : Promise.resolve(undefined);
}
