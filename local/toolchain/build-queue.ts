/**
 * Runs builds side by side as the plan of the machine allows: modules of the next builds are fetched (network) while
 * earlier ones compile (processor), in the order of {@link GO_BUILDS}.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type Progress, silentProgress, type Task } from '../progress/progress.ts';
import { type BuildPlan, estimateBuild, type Machine, planBuilds } from './build-plan.ts';
import { type BuildName, GO_BUILDS, type GoBuild } from './builds.ts';
import { ensureFolder, isFolder } from './cache.ts';
import { compile, deleteBuildCache, fetchModules, goCacheFolder, outputFolder } from './compile.ts';
import { findGo, type Go } from './go.ts';
import { Slots } from './slots.ts';

/** Fetching is bound by the network and by unpacking; more than two at once gain nothing. */
const CONCURRENT_FETCHES = 2;

interface Schedule {
  readonly machine: Machine;
  readonly plan: BuildPlan;
  readonly fetches: Slots;
  readonly compiles: Slots;
}

let compiler: Promise<Go> | undefined;
let schedule: Schedule | undefined;
let compiledSomething = false;
const underWay = new Map<BuildName, Promise<string>>();

/** The Go compiler, looked for once in a process. */
export function go(): Promise<Go> {
  compiler ??= findGo(goCacheFolder());
  return compiler;
}

/** Cores, and memory that can be had without swapping. */
export function thisMachine(): Machine {
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  if (available === null)
    throw new Error('/proc/meminfo has no line MemAvailable: this needs a Linux kernel of 3.14 or newer.');
  return { cores: availableParallelism(), availableMemoryMiB: Number(available[1]) / 1024 };
}

/**
 * The folders with the programs of builds, in the order asked for. What is missing is compiled; what is asked for
 * twice at a time is compiled once.
 * @throws what fetching or compiling threw first, when all have settled.
 */
export async function enqueueBuilds(
  builds: readonly GoBuild[],
  progress: Progress = silentProgress,
): Promise<string[]> {
  const goes = await go();
  const folders = await Promise.all(builds.map((build) => outputFolder(build, goes)));
  const cached = await Promise.all(folders.map((folder) => isFolder(folder)));
  const work = builds.map((build, index) => ({ build, folder: folders[index] ?? '', cached: cached[index] === true }));
  // Entered without a pause in between, the most wanted first, so that it also gets the first slot.
  for (const { build, folder } of work.filter((each) => !each.cached).sort((a, b) => rank(a.build) - rank(b.build))) {
    if (!underWay.has(build.name)) underWay.set(build.name, track(build, run(build, folder, goes, progress)));
  }
  const settled = await Promise.allSettled(
    work.map(({ build, folder }) => underWay.get(build.name) ?? Promise.resolve(folder)),
  );
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

function rank(build: GoBuild): number {
  return GO_BUILDS.indexOf(build);
}

/** Forgets a build when it has settled; after the last one the build cache has done its duty. */
async function track(build: GoBuild, work: Promise<string>): Promise<string> {
  try {
    return await work;
  } finally {
    underWay.delete(build.name);
    if (underWay.size === 0 && compiledSomething) {
      compiledSomething = false;
      await deleteBuildCache();
    }
  }
}

function scheduleOf(): Schedule {
  if (schedule === undefined) {
    const machine = thisMachine();
    const plan = planBuilds(GO_BUILDS, machine);
    const [fetches, compiles] = [new Slots(CONCURRENT_FETCHES), new Slots(plan.concurrentBuilds)];
    schedule = { machine, plan, fetches, compiles };
  }
  return schedule;
}

async function run(build: GoBuild, folder: string, goes: Go, progress: Progress): Promise<string> {
  const { machine, plan, fetches, compiles } = scheduleOf();
  const packages = await fetches.run(rank(build), () =>
    progress.task(`fetch modules of ${build.name}`, {}, (task) => fetchModules(build, goes, task)),
  );
  return compiles.run(rank(build), () =>
    progress.task(
      `compile ${title(build)}`,
      { estimateSeconds: estimateBuild(build, machine, plan) },
      async (task: Task) => {
        const made = await ensureFolder(
          folder,
          async (temporary) => {
            await compile(build, goes, temporary, { packages, jobs: plan.jobs, task });
            compiledSomething = true;
          },
          () => task.status('another process is compiling it; waiting for it'),
        );
        task.status(`${packages} packages`);
        return made;
      },
    ),
  );
}

/** The name with the version, without the time and commit of versions that have no tag. */
function title(build: GoBuild): string {
  if (build.upstream === undefined) return build.name;
  const told = build.linkerVariables['main.version'] ?? build.upstream.version;
  return `${build.name} ${told.replace(/^v/, '')}`;
}
