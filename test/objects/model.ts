// A valid object in the model world: installed, at rest, and nothing written when a fresh snapshot is looked at again.
import { withDefaults, type AssistantDeployment, type ResolvedSpec } from '@assistant-platform/api';
import { digest } from '../../operator/rollout/digest.ts';
import { plan } from '../../operator/rollout/plan.ts';
import { referencesOf } from '../../operator/rollout/references.ts';
import { World } from '../../operator/rollout/world.ts';
import { WorldRun } from '../../operator/rollout/worldRun.ts';
import type { Manifest } from '../../operator/rollout/objects.ts';

/** The model has a pod for each replica: so many are enough to see that it scales. */
const PODS_AT_MOST = 4;
/** Longest that an installation may take: pods, routes, and the settle time of the model. Milliseconds. */
const INSTALLED_WITHIN_MS = 60_000;

/** How a run in the model ended. */
export interface Rest {
  /** What is wrong; none: installed, at rest. */
  readonly problems: readonly string[];
  /** What the operator applied on the way, as it goes to the API server. */
  readonly applied: readonly Manifest[];
}

/** What the model takes of an object. */
export type Named = Pick<AssistantDeployment, 'spec'> & { readonly metadata: { readonly name: string } };

/** Fewer pods, everything else as it is. */
const small = (release: ResolvedSpec): ResolvedSpec => ({
  ...release,
  paused: false,
  components: Object.fromEntries(
    Object.entries(release.components).map(([name, component]) => [
      name,
      { ...component, replicas: Math.min(Math.max(component.replicas, 1), PODS_AT_MOST) },
    ]),
  ),
});

/** The world of an object, with everything in it that the object refers to, or without. */
export function worldOf({ metadata, spec }: Named, references: 'There' | 'Missing'): World {
  const release = small(withDefaults(spec));
  const world = new World(release, { arriveEveryMs: 0 });
  const observe = world.snapshot.bind(world);
  world.snapshot = () => {
    const seen = observe();
    return { ...seen, subject: { ...seen.subject, name: metadata.name } };
  };
  for (const reference of Object.values(release.components).flatMap(referencesOf))
    world.references[reference] = references === 'There' ? digest(reference, 8) : null;
  return world;
}

/** Installs an object and looks again. */
export function installAndRest(object: Named): Rest {
  const world = worldOf(object, 'There');
  const applied: Manifest[] = [];
  const write = world.write.bind(world);
  world.write = (each, snapshot) => {
    if (each.kind === 'Apply') applied.push(each.object);
    write(each, snapshot);
  };
  const run = new WorldRun(world);
  const end = world.now + INSTALLED_WITHIN_MS;
  while (world.now < end && world.status.stableRevision === undefined) run.run(1000, 250);
  run.run(2000, 250);
  const { status } = world;
  const problems = [...run.violations];
  if (status.stableRevision === undefined) problems.push(`not installed: ${status.message ?? 'no status'}`);
  const again = plan(world.snapshot(), world.now);
  if (again.writes.length > 0) problems.push(`not at rest: ${again.writes.map(({ kind }) => kind).join(', ')}`);
  if (status.phase !== 'Healthy' && !(world.release.paused && status.phase === 'Paused'))
    problems.push(`phase ${status.phase ?? 'none'}: ${status.message ?? ''}`);
  return { problems, applied };
}
