// What each write of a plan does to the world. A write that carries a version is refused when its object has changed since it was seen: that shows here
// as the object being another piece of data.
import type { Manifest } from '../../../operator/rollout/objects.ts';
import type { ChildRef, Write } from '../../../operator/rollout/plan-types.ts';
import { readApplied } from '../../../operator/rollout/worldObjects.ts';
import { arrive, isSame, type State } from './state.ts';

/**
 * Carries one write out.
 * @param seen the state that the plan was made from.
 * @returns null when it is refused because something had changed; that ends the plan.
 */
export function carryOut(write: Write, state: State, seen: State): State | null {
  const next = change(write, state, seen);
  return next === null ? null : arrive(next);
}

function change(write: Write, state: State, seen: State): State | null {
  const { subject } = state;
  switch (write.kind) {
    case 'Metadata': {
      if (subject === null || subject !== seen.subject) return null;
      const finalizers = write.finalizers ?? subject.finalizers;
      if (subject.deleting && finalizers.length === 0) return { ...state, subject: null };
      return {
        ...state,
        subject: { ...subject, finalizers, annotations: merge(subject.annotations, write.annotations) },
      };
    }
    case 'Status':
      if (subject === null || subject !== seen.subject) return null;
      // As JSON has it: members that are undefined are not there.
      return {
        ...state,
        subject: { ...subject, status: JSON.parse(JSON.stringify(write.status)) as typeof write.status },
      };
    case 'Apply':
      return apply(write.object, state);
    case 'CreateAdminSecret':
      return { ...state, adminSecret: true };
    case 'CopyReference': {
      if (state.references[write.reference] !== write.digest) return null;
      const kind = write.reference.startsWith('Secret/') ? 'Secret' : 'ConfigMap';
      const copy = { kind, name: write.name, revision: write.revision } as const;
      return { ...state, copies: [...state.copies.filter(({ name }) => name !== copy.name), copy].sort(byName) };
    }
    case 'PatchWorkload': {
      const workload = state.workloads.find(({ name }) => name === write.name);
      if (workload === undefined || workload !== seen.workloads.find(({ name }) => name === write.name)) return null;
      const patched = { ...workload, replicas: write.replicas, drain: write.drain };
      return { ...state, workloads: state.workloads.map((each) => (each === workload ? patched : each)) };
    }
    case 'WriteRoute': {
      const named = ({ intent }: { intent: { component: string } }) => intent.component === write.intent.component;
      const route = state.routes.find(named);
      if (route !== seen.routes.find(named) || (route === undefined) !== (write.resourceVersion === null)) return null;
      const { generation = 0, acceptedGeneration = 0 } = route ?? {};
      const written = { intent: write.intent, generation: generation + 1, acceptedGeneration };
      const others = state.routes.filter((each) => each !== route);
      return {
        ...state,
        routes: [...others, written].sort((a, b) => (a.intent.component < b.intent.component ? -1 : 1)),
      };
    }
    case 'MarkPod':
      if (!state.pods.some(({ name }) => name === write.pod.name)) return null;
      return {
        ...state,
        pods: state.pods.map((pod) => (pod.name === write.pod.name ? { ...pod, drain: write.drain } : pod)),
      };
    case 'DrainPod':
      return {
        ...state,
        pods: state.pods.map((pod) =>
          pod.name === write.pod.name && pod.running && !pod.draining ? { ...pod, draining: true } : pod,
        ),
      };
    case 'Delete':
      return remove(write.ref, state);
  }
}

function merge(
  before: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>> | undefined,
): Readonly<Record<string, string>> {
  const all: Record<string, string | null> = { ...before, ...changes };
  const kept = Object.entries(all).flatMap(([key, value]) => (value === null ? [] : [[key, value] as const]));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

/** The list with an object in the place of the one of its name. */
const put = <T extends { readonly name: string }>(list: readonly T[], object: T): readonly T[] =>
  [...list.filter(({ name }) => name !== object.name), object].sort(byName);

function apply(object: Manifest, state: State): State {
  const applied = readApplied(object);
  switch (applied.kind) {
    case 'ControllerRevision': {
      const { record } = applied;
      return { ...state, records: [...state.records.filter(({ hash }) => hash !== record.hash), record] };
    }
    case 'Deployment': {
      const { workload } = applied;
      const before = state.workloads.find(({ name }) => name === workload.name);
      // An apply over an existing one leaves the annotations of the drain: another field manager wrote them.
      const { podCount = 0, drain = null } = before ?? {};
      return { ...state, workloads: put(state.workloads, { ...workload, podCount, drain }) };
    }
    case 'Service':
      return { ...state, services: put(state.services, applied.service) };
    case 'PodDisruptionBudget':
      return { ...state, disruptionBudgets: put(state.disruptionBudgets, applied.budget) };
  }
}

function remove({ kind, name }: ChildRef, state: State): State {
  const others = <T extends { readonly name: string }>(list: readonly T[]): readonly T[] =>
    list.filter((each) => each.name !== name);
  switch (kind) {
    case 'Deployment':
      return { ...state, workloads: others(state.workloads) };
    case 'Service':
      return { ...state, services: others(state.services) };
    case 'PodDisruptionBudget':
      return { ...state, disruptionBudgets: others(state.disruptionBudgets) };
    case 'ControllerRevision':
      return { ...state, records: state.records.filter(({ hash }) => !name.endsWith(hash)) };
    case 'HTTPRoute':
      return { ...state, routes: state.routes.filter(({ intent }) => `support-${intent.component}` !== name) };
    case 'ConfigMap':
    case 'Secret':
      return { ...state, copies: others(state.copies), adminSecret: state.adminSecret && name !== 'support-admin' };
  }
}

/** Pods of a Deployment. */
export const podsOf = (state: State, unit: { component: string; revision: string }) =>
  state.pods.filter((pod) => isSame(pod, unit));
