// A valid object in the model world: installed, at rest, and nothing written when a fresh snapshot is looked at again. One that is paused or has a
// component without pods waits first, at rest as well, and says for what.
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
/** Long enough for the pods of the other components. Milliseconds. */
const HELD_MS = 3000;

/** How a run in the model ended. */
export interface Rest {
  /** What is wrong; none: installed, at rest. */
  readonly problems: readonly string[];
  /** What the operator applied on the way, as it goes to the API server. */
  readonly applied: readonly Manifest[];
}

/** What the model takes of an object. */
export type Named = Pick<AssistantDeployment, 'spec'> & { readonly metadata: { readonly name: string } };

const withReplicas = (release: ResolvedSpec, few: (replicas: number) => number): ResolvedSpec => ({
  ...release,
  components: Object.fromEntries(
    Object.entries(release.components).map(([name, component]) => [
      name,
      { ...component, replicas: few(component.replicas) },
    ]),
  ),
});

/** Fewer pods, everything else as it is. */
const asWritten = (release: ResolvedSpec): ResolvedSpec =>
  withReplicas(release, (replicas) => Math.min(replicas, PODS_AT_MOST));

/** And nothing that holds the installation: a pod each, no pause. */
const small = (release: ResolvedSpec): ResolvedSpec => ({
  ...withReplicas(asWritten(release), (replicas) => Math.max(replicas, 1)),
  paused: false,
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

/** What the status has to say of an object that is not installed as it is written; null: nothing holds it. */
function heldBy({ paused, components }: ResolvedSpec): RegExp | null {
  if (paused) return /^SpecPaused: /;
  const empty = Object.keys(components).find((name) => components[name]?.replicas === 0);
  return empty === undefined
    ? null
    : new RegExp(`^PodsNotReady: .*set spec\\.components\\.${empty}\\.replicas to 1`, 's');
}

/** Anything that the operator would still write. */
function unrest(world: World): string[] {
  const again = plan(world.snapshot(), world.now);
  return again.writes.length === 0 ? [] : [`not at rest: ${again.writes.map(({ kind }) => kind).join(', ')}`];
}

/** Looks at an object that something holds. */
function problemsOfHeld(run: WorldRun, expected: RegExp): string[] {
  const { world } = run;
  run.run(HELD_MS, 250);
  const told = (world.status.blockedBy ?? []).map(({ reason, message }) => `${reason}: ${message}`);
  const problems = unrest(world);
  if (world.status.stableRevision !== undefined) problems.push('installed, though something holds it');
  if (!told.some((each) => expected.test(each)))
    problems.push(`waits for ${String(expected)}, but says: ${told.join('; ')}`);
  return problems;
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
  const problems: string[] = [];
  const installable = world.release;
  const written = asWritten(withDefaults(object.spec));
  const expected = heldBy(written);
  if (expected !== null) {
    world.release = written;
    problems.push(...problemsOfHeld(run, expected));
    world.edit(() => installable);
  }
  const end = world.now + INSTALLED_WITHIN_MS;
  while (world.now < end && world.status.stableRevision === undefined) run.run(1000, 250);
  run.run(2000, 250);
  const { status } = world;
  problems.push(...run.violations);
  if (status.stableRevision === undefined) problems.push(`not installed: ${status.message ?? 'no status'}`);
  problems.push(...unrest(world));
  if (status.phase !== 'Healthy') problems.push(`phase ${status.phase ?? 'none'}: ${status.message ?? ''}`);
  return { problems, applied };
}
