/** How many compiles run side by side on this machine, and how long they will take. Pure. */
import type { GoBuild } from './builds.ts';

/** What the machine has to give. */
export interface Machine {
  readonly cores: number;
  /** Memory that may be used now, in MiB. */
  readonly availableMemoryMiB: number;
}

/** How the builds run. */
export interface BuildPlan {
  /** Builds side by side: the second fills the cores while the first links, or compiles its one huge package. */
  readonly concurrentBuilds: number;
  /** `go build -p`: compiler processes at a time in each build. */
  readonly jobs: number;
  /** All of the given builds, in seconds of wall clock. */
  readonly estimateSeconds: number;
}

/** Memory that stays free for everything else, in MiB. */
const RESERVE_MIB = 1024;

/** Of the largest compiler process, what the other processes of the same build take on top. */
const SIDE_PROCESSES = 1.5;

/**
 * Chooses so that the largest builds of the list may meet at their peaks without swapping; on a small machine one
 * build with one process runs, however little memory there is.
 */
export function planBuilds(builds: readonly GoBuild[], machine: Machine): BuildPlan {
  const peaks = builds.map((build) => build.peakMemoryMiB).sort((a, b) => b - a);
  const [largest = 0, second = 0] = peaks;
  const room = machine.availableMemoryMiB - RESERVE_MIB;
  const together = (largest + second) * SIDE_PROCESSES <= room;
  const concurrentBuilds = builds.length > 1 && together ? 2 : 1;
  const jobs = largest * SIDE_PROCESSES <= room ? Math.max(1, machine.cores) : 1;
  const cpuSeconds = builds.reduce((sum, build) => sum + build.cpuSeconds, 0);
  return {
    concurrentBuilds,
    jobs,
    estimateSeconds: Math.ceil(cpuSeconds / usedCores(machine.cores, concurrentBuilds, jobs)),
  };
}

/** About how long one build takes when it runs as the plan says, in seconds. */
export function estimateBuild(build: GoBuild, machine: Machine, plan: BuildPlan): number {
  const share = usedCores(machine.cores, plan.concurrentBuilds, plan.jobs) / plan.concurrentBuilds;
  return Math.ceil(build.cpuSeconds / share);
}

/** Cores kept busy on average. A build alone leaves about a fifth unused; no build can use more than about eight. */
function usedCores(cores: number, concurrentBuilds: number, jobs: number): number {
  const possible = Math.min(cores, jobs * concurrentBuilds, 8);
  return Math.max(0.8, possible * (concurrentBuilds > 1 ? 0.95 : 0.8));
}
