// Rollouts of the model world as the tests of single situations begin them and look at them.
import { expect } from 'vitest';
import { canary, sampleRelease, withVersion } from './releases.ts';
import type { Snapshot } from './snapshot.ts';
import { World } from './world.ts';
import type { WorldOptions } from './worldObjects.ts';
import { WorldRun } from './worldRun.ts';

/** A first release that is healthy. */
export function installed(strategy = canary(), options: Partial<WorldOptions> = {}): WorldRun {
  const run = new WorldRun(new World(sampleRelease('1.0.0', strategy), options));
  run.run(8000);
  expect(run.world.status.phase).toBe('Healthy');
  return run;
}

/** As when the controllers of the Deployments are down: what was asked of them last has not happened. */
export const unfollowed = (snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  workloads: snapshot.workloads.map((workload) => ({ ...workload, podCount: -1 })),
});
/** Edits the spec to another version. */
export const release = (run: WorldRun, version: string): void =>
  run.world.edit((before) => withVersion(before, version));
/** Why it waits, first things first. */
export const waits = (run: WorldRun): string[] => (run.world.status.blockedBy ?? []).map(({ reason }) => reason);
export const condition = (run: WorldRun, type: string) =>
  run.world.status.conditions?.find((each) => each.type === type);
export const podsOf = (run: WorldRun, component: string) => run.world.pods.filter((pod) => pod.component === component);
/** Of the traffic of a component, for the new revision, percent. */
export const share = (run: WorldRun, component: string): number | undefined =>
  run.world.routes
    .get(component)
    ?.intent.backends.find(({ revision }) => revision === run.world.status.updateRevision?.hash)?.weight;
