// The Deployments: how many pods each revision of each component should have, and the one write that gets it nearer.
import { counted } from '@assistant-platform/api';
import {
  afterRouteIsGone,
  chooseLeaving,
  drainMayBeginAt,
  drainWindow,
  isReleased,
  nextDeadline,
  releasable,
  tellPods,
} from './drain.ts';
import { accepts, isDraining, isFollowed, madeFrom, type Facts, type Unit } from './facts.ts';
import { note, type Note } from './decide.ts';
import { deployment } from './objects.ts';
import type { Write } from './plan-types.ts';
import type { Verification } from './routes.ts';
import type { DrainWindow, Pod, PodDrain, Workload } from './snapshot.ts';
import { capacityFor } from './stages.ts';
import type { Progress } from './state.ts';
import { lasting } from './words.ts';

export interface ScaleResult {
  readonly writes: readonly Write[];
  readonly notes: readonly Note[];
  /** When time alone changes the answer. */
  readonly lookAgainAt: number | null;
}

const nothing: ScaleResult = { writes: [], notes: [], lookAgainAt: null };

const patch = (workload: Workload, replicas: number, drain: DrainWindow | null): Write => ({
  kind: 'PatchWorkload',
  name: workload.name,
  replicas,
  drain,
  resourceVersion: workload.resourceVersion,
});

/** Pods that an active revision should have. Update never shrinks in mid-rollout: somebody may be on any of its pods. */
export function wantedPods(p: Progress, f: Facts, unit: Unit): number {
  const spec = f.release.components[unit.component];
  const live =
    unit.workload === null || unit.workload.drain !== null ? 0 : unit.workload.replicas - unit.leaving.length;
  if (p.stable?.hash === unit.revision)
    return spec?.replicas ?? (unit.workload === null ? replicasBefore(f, unit) : live);
  return Math.max(live, capacityFor(f.release, unit.component, p.requested));
}

/** Of a component that the spec has no longer, and whose Deployment is gone. */
function replicasBefore(f: Facts, { revision, component }: Unit): number {
  const made = madeFrom(f, revision, component);
  return made === null ? 0 : (made.replicas ?? made.autoscaling?.min ?? 1);
}

/** One step towards the wanted pods of a unit of an active revision. */
export function scaleActive(p: Progress, f: Facts, unit: Unit, now: number): ScaleResult {
  const wanted = wantedPods(p, f, unit);
  const { workload, leaving } = unit;
  if (workload === null) {
    const content = f.record(unit.revision)?.components[unit.component];
    if (content === undefined) return nothing; // without its record an old revision cannot be made again
    return {
      ...nothing,
      writes: [{ kind: 'Apply', object: deployment(f.subject, unit.component, unit.revision, content, wanted) }],
    };
  }
  if (workload.drain !== null) return comeBack(f, unit, workload, workload.drain, wanted, now);
  const tell = leaving.flatMap((pod) => tellPods(f, [pod], pod.drain, now));
  const lookAgainAt = nextDeadline(
    leaving.map(({ drain }) => drain),
    now,
  );
  if (!isFollowed(unit)) return { writes: tell, notes: [], lookAgainAt };
  const live = workload.replicas - leaving.length;
  if (wanted > live)
    return { writes: [...tell, patch(workload, wanted + leaving.length, null)], notes: [], lookAgainAt };
  const stray = unit.pods.filter((pod) => pod.drain === null && isDraining(pod));
  if (stray.length > 0) return { writes: [...tell, ...mark(stray, drainWindow(f, now))], notes: [], lookAgainAt: now };
  const surplus = live - wanted;
  const missing = workload.replicas - unit.pods.length;
  if (surplus > 0 && missing > 0)
    return {
      writes: [...tell, patch(workload, workload.replicas - Math.min(surplus, missing), null)],
      notes: [],
      lookAgainAt,
    };
  if (surplus > 0) {
    const chosen = chooseLeaving(unit, surplus);
    return {
      writes: [...tell, ...mark(chosen, drainWindow(f, now))],
      notes: [
        note('ScalingIn', `${unit.component}: from ${live} to ${counted(wanted, 'pod')}; what leaves is drained first`),
      ],
      lookAgainAt: now,
    };
  }
  const going = missing > 0 ? 0 : releasable(unit, now); // a smaller number would only unmake the pod that is to come
  if (going > 0)
    return {
      writes: [...tell, patch(workload, workload.replicas - going, null)],
      notes: forced(unit, leaving, now),
      lookAgainAt,
    };
  // Others of the same class are not released yet: those that may go are put before them first.
  const free = leaving.flatMap((pod) =>
    pod.drain.released !== true && isReleased(pod, pod.drain, now) ? mark([pod], { ...pod.drain, released: true }) : [],
  );
  if (free.length > 0) return { writes: [...tell, ...free], notes: [], lookAgainAt: now };
  return { writes: tell, notes: [], lookAgainAt };
}

/** A revision that was being drained is wanted again: its draining pods leave one by one, fresh ones take their place. */
function comeBack(
  f: Facts,
  unit: Unit,
  workload: Workload,
  drain: DrainWindow,
  wanted: number,
  now: number,
): ScaleResult {
  const told = unit.pods.filter((pod) => pod.drain === null && !accepts(pod));
  if (told.length > 0) return { writes: mark(told, drain), notes: [], lookAgainAt: now };
  const usable = unit.pods.length - unit.leaving.length;
  return {
    writes: [patch(workload, Math.max(wanted, usable) + unit.leaving.length, null)],
    notes: [],
    lookAgainAt: now,
  };
}

const mark = (pods: readonly Pod[], drain: PodDrain): Write[] => pods.map((pod) => ({ kind: 'MarkPod', pod, drain }));

/** One step of the way out of a unit of a retired revision: drain window, drain, no pods. */
export function scaleRetired(p: Progress, f: Facts, routes: Verification, unit: Unit, now: number): ScaleResult {
  const { workload, pods } = unit;
  if (workload === null || (workload.replicas === 0 && workload.drain === null)) return nothing;
  if (workload.replicas === 0) return pods.length === 0 ? { ...nothing, writes: [patch(workload, 0, null)] } : nothing;
  const followed = isFollowed(unit);
  if (workload.drain === null) {
    const begins = drainMayBeginAt(p, f, routes, unit.revision);
    if (begins === null) return nothing;
    if (now < begins) return { ...nothing, lookAgainAt: begins };
    if (followed && !pods.some((pod) => pod.running)) return { ...nothing, writes: [patch(workload, 0, null)] };
    return {
      writes: [patch(workload, workload.replicas, drainWindow(f, now, afterRouteIsGone(f, unit.component)))],
      notes: [
        note(
          'DrainStarted',
          `${unit.component} ${unit.revision}: ${counted(unit.sockets, 'open session')} on ${counted(pods.length, 'pod')}, at most ${lasting(f.release.drain.deadlineMs)}`,
        ),
      ],
      lookAgainAt: now,
    };
  }
  const { drain } = workload;
  if (now < drain.startedAt) return { ...nothing, lookAgainAt: drain.startedAt };
  if (followed && pods.every((pod) => isReleased(pod, drain, now))) {
    const notes = forced(unit, pods, now);
    return {
      ...nothing,
      writes: [patch(workload, 0, drain)],
      notes:
        notes.length > 0
          ? notes
          : [note('DrainCompleted', `${unit.component} ${unit.revision}: nobody is connected any more`)],
    };
  }
  return { writes: tellPods(f, pods, drain, now), notes: [], lookAgainAt: nextDeadline([drain], now) };
}

/** Told when pods go although somebody may be connected. */
export function forced(unit: Unit, pods: readonly Pod[], now: number): Note[] {
  const cut = pods.filter((pod) => !isReleased(pod, null, now));
  if (cut.length === 0) return [];
  const open = cut.reduce((sum, pod) => sum + (pod.sessions.kind === 'known' ? pod.sessions.open : 0), 0);
  const what = `the drain deadline has passed, ${counted(open, 'open session')} on ${counted(cut.length, 'pod')} cut off`;
  return [{ ...note('DrainForced', `${unit.component} ${unit.revision}: ${what}`, 'Warning'), cutOff: open }];
}
