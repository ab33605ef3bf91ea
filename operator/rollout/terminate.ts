// Deletion: traffic off first, then the drain, then everything in an order that leaves nothing behind; the finalizer goes last.
import { note, type Note } from './decide.ts';
import { drainWindow, isReleased, nextDeadline, tellPods } from './drain.ts';
import { isFollowed, type Facts } from './facts.ts';
import { counted, FINALIZER } from '@assistant-platform/api';
import type { ChildRef, Write } from './plan-types.ts';
import { forced } from './scale.ts';
import type { DrainWindow } from './snapshot.ts';
import type { Wait } from './waits.ts';
import { lasting } from './words.ts';

export interface Termination {
  readonly writes: readonly Write[];
  readonly waits: readonly Wait[];
  readonly notes: readonly Note[];
  readonly lookAgainAt: number | null;
}

/** One step of the deletion. */
export function terminate(f: Facts, since: (wait: Wait) => number, now: number): Termination {
  const { snapshot, subject } = f;
  const done = { waits: [], notes: [], lookAgainAt: null };
  if (!subject.finalizers.includes(FINALIZER)) return { ...done, writes: [] };
  if (snapshot.routes.length > 0) {
    return { ...done, writes: snapshot.routes.map(({ name }) => remove({ kind: 'HTTPRoute', name })) };
  }
  const serving = snapshot.workloads.filter((workload) => workload.replicas > 0);
  if (serving.length > 0) {
    const settling: Wait = {
      reason: 'RouteSettling',
      message: 'the routes are deleted; traffic ends before the drain begins',
      lastsMs: snapshot.settings.settleMs,
    };
    const settled = since(settling) + snapshot.settings.settleMs;
    const drained = serving.some((workload) => workload.drain !== null);
    if (!drained && now < settled) return { ...done, writes: [], waits: [settling], lookAgainAt: settled };
    return drainAll(f, now);
  }
  if (snapshot.pods.some((pod) => !pod.terminating)) return { ...done, writes: [], waits: [leaving(f)] };
  const children = leftBehind(f);
  if (children.length > 0) return { ...done, writes: children.map(remove) };
  const finalizers = subject.finalizers.filter((finalizer) => finalizer !== FINALIZER);
  return { ...done, writes: [{ kind: 'Metadata', finalizers }] };
}

const remove = (ref: ChildRef): Write => ({ kind: 'Delete', ref });

function drainAll(f: Facts, now: number): Termination {
  const writes: Write[] = [];
  const notes: Note[] = [];
  const awaited: DrainWindow[] = [];
  const serving = f.snapshot.workloads.filter(({ replicas }) => replicas > 0);
  for (const workload of serving) {
    const unit = f.unit(workload.revision, workload.component);
    const to = (replicas: number, drain: typeof workload.drain): Write => ({
      kind: 'PatchWorkload',
      name: workload.name,
      replicas,
      drain,
      resourceVersion: workload.resourceVersion,
    });
    const { drain } = workload;
    if (drain === null) {
      const window = drainWindow(f, now);
      const begin = to(unit.pods.some((pod) => pod.running) || !isFollowed(unit) ? workload.replicas : 0, window);
      writes.push(begin);
      notes.push({
        ...note(
          'DrainStarted',
          `${unit.component} ${unit.revision}: ${counted(unit.sockets, 'open session')}, at most ${lasting(f.release.drain.deadlineMs)}`,
        ),
        of: begin,
      });
    } else if (isFollowed(unit) && unit.pods.every((pod) => isReleased(pod, drain, now))) {
      const end = to(0, drain);
      writes.push(end);
      notes.push(...forced(unit, unit.pods, now).map((each) => ({ ...each, of: end })));
    } else {
      writes.push(...tellPods(f, unit.pods, drain, now));
      awaited.push(drain);
    }
  }
  const begins = serving.some(({ drain }) => drain === null);
  return { writes, notes, waits: [leaving(f)], lookAgainAt: begins ? now : nextDeadline(awaited, now) };
}

function leaving(f: Facts): Wait {
  const pods = f.snapshot.pods.filter((pod) => !pod.terminating);
  const open = pods.reduce((sum, pod) => sum + (pod.sessions.kind === 'known' ? pod.sessions.open : 0), 0);
  const deadlines = f.snapshot.workloads.flatMap(({ drain }) => drain?.deadline ?? []);
  return {
    reason: 'DrainBeforeDeletion',
    message: `the deletion goes on after the drain of ${counted(pods.length, 'pod')} with ${counted(open, 'open session')}`,
    ...(deadlines.length === 0 ? {} : { nextCheckAt: Math.max(...deadlines) }),
  };
}

function leftBehind({ snapshot, subject }: Facts): ChildRef[] {
  return [
    ...snapshot.workloads.map(({ name }): ChildRef => ({ kind: 'Deployment', name })),
    ...snapshot.services.map(({ name }): ChildRef => ({ kind: 'Service', name })),
    ...snapshot.budgets.map(({ name }): ChildRef => ({ kind: 'PodDisruptionBudget', name })),
    ...snapshot.records.map(({ hash }): ChildRef => ({ kind: 'ControllerRevision', name: `${subject.name}-${hash}` })),
    ...snapshot.copies.map(({ kind, name }): ChildRef => ({ kind, name })),
    ...(snapshot.adminSecret ? [{ kind: 'Secret', name: `${subject.name}-admin` } as const] : []),
  ];
}
