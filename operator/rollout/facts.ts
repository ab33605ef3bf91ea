// The snapshot seen through the questions that the decision asks: who is available, who carries how much, what may be removed.
import type { ComponentSpec } from '@assistant-platform/api';
import { readProgress, type Progress } from './state.ts';
import { readAsked } from './orders.ts';
import { targetOf, type Target } from './revision.ts';
import type { Release } from './release.ts';
import type { Pod, PodDrain, RevisionRecord, Route, Snapshot, Subject, Workload } from './snapshot.ts';

/** A pod that is drained by itself. */
export type LeavingPod = Pod & { readonly drain: PodDrain };
export const isLeaving = (pod: Pod): pod is LeavingPod => pod.drain !== null;

/** One component of one revision, as it is. */
export interface Unit {
  readonly component: string;
  readonly revision: string;
  readonly workload: Workload | null;
  /** Pods that exist and are not being deleted. */
  readonly pods: readonly Pod[];
  /** Of these, the ones that are drained one by one. */
  readonly leaving: readonly LeavingPod[];
  /** Of these, the ones that take traffic: ready, not leaving, not told to drain. */
  readonly available: number;
  readonly sockets: number;
  /** Every pod that runs has said how many; otherwise `sockets` is a lower bound. */
  readonly socketsKnown: boolean;
}

export interface Facts {
  readonly snapshot: Snapshot;
  readonly subject: Subject;
  readonly release: Release;
  readonly progress: Progress;
  readonly target: Target;
  /** Every revision that has a record or an object, oldest first. */
  readonly revisions: readonly string[];
  record(hash: string): RevisionRecord | null;
  unit(hash: string, component: string): Unit;
  /** Components that a revision consists of. */
  components(hash: string): readonly string[];
  route(component: string): Route | null;
}

/** Derives the facts. Pure, and cheap enough to be made anew at every look. */
export function gatherFacts(snapshot: Snapshot): Facts {
  const { subject } = snapshot;
  const records = new Map(snapshot.records.map((record) => [record.hash, record]));
  const units = indexUnits(snapshot);
  const routes = new Map(snapshot.routes.map((route) => [route.component, route]));
  const target = targetOf(subject.release, snapshot.references, readAsked(subject.annotations), (hash) =>
    records.has(hash),
  );
  const recorded = [...snapshot.records].sort((a, b) => a.sequence - b.sequence).map((record) => record.hash);
  const unrecorded = [...snapshot.workloads, ...snapshot.pods].map(({ revision }) => revision);
  return {
    snapshot,
    subject,
    release: subject.release,
    progress: readProgress(subject.status),
    target,
    revisions: [...new Set([...unrecorded.filter((hash) => !records.has(hash)).sort(), ...recorded])],
    record: (hash) => records.get(hash) ?? null,
    unit: (hash, component) => units.get(unitKey(hash, component)) ?? emptyUnit(hash, component),
    components: (hash) => {
      const record = records.get(hash);
      if (record !== undefined) return Object.keys(record.components).sort();
      if (target.kind === 'Known' && target.hash === hash) return Object.keys(subject.release.components).sort();
      const seen = snapshot.workloads
        .filter((workload) => workload.revision === hash)
        .map(({ component }) => component);
      return [...new Set(seen)].sort();
    },
    route: (component) => routes.get(component) ?? null,
  };
}

/** A component in the spec that made a revision; null where that is not known. What is no part of a revision (path, replicas) may have been edited since. */
export const madeFrom = (f: Facts, hash: string, component: string): Partial<ComponentSpec> | null =>
  f.record(hash)?.source?.components[component] ?? null;

const unitKey = (hash: string, component: string): string => `${hash}/${component}`;

const emptyUnit = (revision: string, component: string): Unit => ({
  component,
  revision,
  workload: null,
  pods: [],
  leaving: [],
  available: 0,
  sockets: 0,
  socketsKnown: true,
});

function indexUnits(snapshot: Snapshot): Map<string, Unit> {
  const pods = Map.groupBy(
    snapshot.pods.filter((pod) => !pod.terminating),
    (pod) => unitKey(pod.revision, pod.component),
  );
  const workloads = new Map(
    snapshot.workloads.map((workload) => [unitKey(workload.revision, workload.component), workload]),
  );
  const units = new Map<string, Unit>();
  for (const key of new Set([...pods.keys(), ...workloads.keys()])) {
    const workload = workloads.get(key) ?? null;
    const mine = (pods.get(key) ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const first = workload ?? mine[0];
    if (first === undefined) continue;
    units.set(key, {
      component: first.component,
      revision: first.revision,
      workload,
      pods: mine,
      leaving: mine.filter(isLeaving),
      available: mine.filter((pod) => pod.ready && pod.drain === null && mayAccept(pod, workload)).length,
      sockets: mine.reduce((sum, pod) => sum + openSockets(pod), 0),
      socketsKnown: mine.every((pod) => !pod.running || pod.sessions.kind !== 'unknown'),
    });
  }
  return units;
}

/** While its revision is drained only its own word that it accepts new sessions counts: an operator that has just started has not heard it yet. */
const mayAccept = (pod: Pod, workload: Workload | null): boolean =>
  workload === null || workload.drain === null ? !isDraining(pod) : accepts(pod);

/** The pod itself says that it accepts new sessions. */
export const accepts = ({ sessions }: Pod): boolean => sessions.kind === 'known' && !sessions.draining;

/** The pod itself says that it refuses new sessions. */
export const isDraining = (pod: Pod): boolean => pod.sessions.kind === 'known' && pod.sessions.draining;

/**
 * The pods that we know are those that there are: the controller of the Deployment has followed its last change, and we have heard of that. Until then
 * nobody can say how many pods a smaller or larger number of replicas takes away or makes.
 */
export const isFollowed = ({ workload, pods }: Unit): boolean =>
  workload === null ||
  (pods.length <= workload.replicas && (workload.podCount === undefined || workload.podCount === pods.length));

/** Open sockets as far as known; a pod that does not say counts as none here, but never as empty (see releasable). */
export const openSockets = (pod: Pod): number => (pod.running && pod.sessions.kind === 'known' ? pod.sessions.open : 0);

/**
 * A pod may be taken away without cutting anybody off: it cannot hold a session, or it refuses new ones and has none left. (An open count of 0
 * on a pod that still accepts proves nothing a moment later.)
 */
export function isEmpty(pod: Pod): boolean {
  if (!pod.running) return true;
  const { sessions } = pod;
  return sessions.kind === 'known' && sessions.draining && sessions.open === 0 && sessions.busy === 0;
}
