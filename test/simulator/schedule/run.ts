// One schedule from its beginning to its end: a cluster, the real operator on it, people and faults; then everything heals, and what is left is
// looked at.
import type { Violation } from '../invariants/invariants.ts';
import type { Action } from './actions.ts';
import { perform } from './perform.ts';
import { Run } from './schedule-world.ts';

export interface Outcome {
  readonly violations: readonly Violation[];
  /** What happened, for the person who reads a failing schedule. */
  readonly log: readonly string[];
  readonly figures: Figures;
}

/** Sums over schedules. */
export interface Figures {
  readonly steps: number;
  readonly writes: number;
  readonly requests: number;
  readonly simulatedMs: number;
  readonly sessions: number;
  readonly kills: number;
  readonly handOvers: number;
  /** Actions that are faults, and mishaps that came to pass, by kind. */
  readonly faults: ReadonlyMap<string, number>;
}

export interface RunOptions {
  /** Chance of everything inside the world: latencies, sessions. */
  readonly seed: number;
  readonly actions: readonly Action[];
  /** Keeps every write and log line. */
  readonly verbose?: boolean;
}

const HEALED_WITHIN_MS = 600_000;
/** Sessions at rest are asked for once a minute: two such looks settle their counts. */
const QUIET_MS = 150_000;
const REST_MS = 300_000;
const GONE_WITHIN_MS = 120_000;

/** The weather clears, and a good release is asked for: it must arrive, whatever came before. */
async function heal(run: Run): Promise<void> {
  run.note('> everything heals');
  run.storm.calm();
  run.fleet.skew(0);
  run.cluster.gateway.stall(false);
  run.cluster.sessions.stubborn = false;
  Object.assign(run.cluster.metrics, { down: false, silent: false });
  if (run.people.subject?.metadata.deletionTimestamp !== undefined)
    await run.until(() => run.people.subject === undefined, GONE_WITHIN_MS + 60_000);
  // An order that nobody has read yet would be taken for the release that comes now.
  if (!(await run.until(() => !run.people.waits, 90_000)))
    run.invariants.report(7, 'an order was not taken within 90 s');
  run.people.create();
  run.people.pause(false);
  run.people.strategy('short');
  run.people.compose('both');
  run.people.release('2.0.0');
  const healthy = (): boolean =>
    run.status.phase === 'Healthy' &&
    run.status.stableRevision?.release === '2.0.0' &&
    (run.status.draining ?? []).length === 0;
  if (!(await run.until(healthy, HEALED_WITHIN_MS)))
    run.invariants.report(
      7,
      `not healthy within ${HEALED_WITHIN_MS / 60_000} min of good weather: ${run.status.phase}: ${run.status.message}`,
    );
}

/** Invariant 8: at rest nothing is written; and only the stable revision has pods. */
async function rest(run: Run): Promise<void> {
  let { writes } = run.invariants;
  let quietMs = 0;
  for (let left = HEALED_WITHIN_MS; left > 0 && quietMs < QUIET_MS; left -= 1000) {
    await run.pass(1000);
    quietMs = run.invariants.writes === writes ? quietMs + 1000 : 0;
    ({ writes } = run.invariants);
  }
  await run.pass(REST_MS);
  if (run.invariants.writes !== writes) run.invariants.report(8, `${run.invariants.writes - writes} writes at rest`);
  const stable = run.status.stableRevision?.hash ?? '';
  const strays = run.invariants.pods().filter((pod) => !pod.endsWith(stable));
  if (strays.length > 0) run.invariants.report(9, `pods of old revisions at rest: ${strays.join(', ')}`);
}

/** Invariants 3 and 9: deleting drains first and leaves nothing. */
async function remove(run: Run): Promise<void> {
  run.note('> delete');
  run.people.delete();
  if (!(await run.until(() => run.people.subject === undefined, GONE_WITHIN_MS)))
    run.invariants.report(9, 'deleted, but not gone within two minutes');
  await run.pass(5000);
  run.invariants.checkLeftovers();
}

/** Runs a schedule. Deterministic: the same options give the same outcome. */
export async function runSchedule(options: RunOptions): Promise<Outcome> {
  const run = new Run(options);
  run.people.create();
  await run.pass(4000);
  for (const action of options.actions) {
    await perform(action, run);
    await run.pass(50);
  }
  await heal(run);
  await rest(run);
  await remove(run);
  for (const process of run.fleet.processes) process.kill();
  const { invariants, storm, fleet, cluster, faults } = run;
  for (const [kind, times] of storm.happened) faults.set(`${kind} (requests)`, times);
  return {
    violations: invariants.violations,
    log: run.log,
    figures: {
      steps: options.actions.length,
      writes: invariants.writes,
      requests: storm.requests,
      simulatedMs: run.simulatedMs,
      sessions: cluster.sessions.opened,
      kills: fleet.kills,
      handOvers: fleet.handOvers,
      faults,
    },
  };
}
