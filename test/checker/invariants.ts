// The invariants of docs/concepts/safety.md on the checked world: at every write, at every pod that goes, in every state, and in every state of rest.
// (7 compares ends and 8 looks for cycles: graph.ts.)
import { FINALIZER } from '@assistant-platform/api';
import { gatherFacts, type Facts } from '../../operator/rollout/facts.ts';
import type { Plan, Write } from '../../operator/rollout/plan-types.ts';
import { readOrder } from '../../operator/rollout/orders.ts';
import { observedShare, routedComponents } from '../../operator/rollout/routes.ts';
import type { RouteIntent } from '../../operator/rollout/snapshot.ts';
import { capacityFor } from '../../operator/rollout/stages.ts';
import { readProgress, type Status } from '../../operator/rollout/state.ts';
import { observe } from './model/observe.ts';
import { isSame, T0, takesTraffic, type ModelPod, type State } from './model/state.ts';

export interface Violation {
  /** Number in docs/concepts/safety.md; 0: the decision failed. */
  readonly invariant: number;
  readonly message: string;
}

const broken = (invariant: number, message: string): Violation => ({ invariant, message });

const weightOf = (intent: RouteIntent | undefined, hash: string | undefined): number =>
  intent?.backends.find(({ revision }) => revision === hash)?.weight ?? 0;

/**
 * Invariants 2, 4, 5 and 10, at a write: against the pods and routes that there are then, whatever the plan was made from. What people want of a route is
 * that of the plan: an edit in the same moment is no fault of it.
 */
export function checkWrite(write: Write, state: State, seen: State): Violation[] {
  if (state.subject === null) return [];
  if (write.kind === 'WriteRoute') return checkRoute(write.intent, { ...state, subject: seen.subject });
  if (write.kind === 'Status') return checkStatus(write.status, state);
  if (write.kind === 'Metadata' && write.finalizers?.includes(FINALIZER) === false) return checkLeftovers(state);
  return [];
}

function checkRoute(intent: RouteIntent, state: State): Violation[] {
  const f = gatherFacts(observe(state));
  const p = f.progress;
  const { component, backends } = intent;
  const found: Violation[] = [];
  const sum = backends.reduce((total, { weight }) => total + weight, 0);
  if (sum !== 100) found.push(broken(2, `the weights of ${component} sum to ${sum}`));
  const available = (hash: string): number => f.unit(hash, component).available;
  if (!state.hurt && backends.some(({ revision }) => available(revision) > 0))
    for (const { revision, weight } of backends)
      if (weight > 0 && available(revision) === 0)
        found.push(broken(2, `${component} gives ${weight} % to ${revision}, which has no available pods`));
  const before = state.routes.find((route) => route.intent.component === component)?.intent;
  const hash = p.update?.hash;
  if (before === undefined || hash === undefined) return found;
  const [was, will] = [weightOf(before, hash), weightOf(intent, hash)];
  const stableUp = p.stable !== null && available(p.stable.hash) > 0;
  const needed = capacityFor(f.release, component, will);
  if (stableUp && will > was && !state.hurt && available(hash) < needed)
    found.push(broken(2, `${component}: ${will} % for ${hash} with fewer than ${needed} available pods`));
  const leaving = f.target.kind === 'Known' && f.target.hash !== hash;
  const excused = p.abort !== null || leaving || state.hurt || (was === 100 && p.requested < 100);
  if (will < was && !excused)
    found.push(broken(4, `${component}: ${was} % falls to ${will} % while ${hash} goes forward`));
  return found;
}

function checkStatus(status: Status, state: State): Violation[] {
  const f = gatherFacts(observe(state));
  const found: Violation[] = [];
  if (status.observedGeneration !== f.subject.generation)
    found.push(broken(10, 'observedGeneration is not that of the spec it was made from'));
  if (f.subject.deleting || state.hurt) return found;
  const [before, after] = [f.progress, readProgress(status)];
  found.push(...checkReady(status, f, state));
  if (after.routed !== before.routed && after.update?.hash === before.update?.hash)
    found.push(...checkRouted(after.routed, after.requested < before.requested, f, state));
  const same = before.update?.hash === after.update?.hash && before.step?.stepsHash === after.step?.stepsHash;
  // Who promotes fully skips what is left of the step; it is not complete.
  const order = readOrder(f.subject.annotations);
  const skipped = order?.verb === 'promote' && order.index === 'full';
  const completed = same && !skipped && (after.step?.index ?? 0) > (before.step?.index ?? 0);
  if (completed && observedShare(before, f) === null)
    found.push(broken(5, `step ${before.step?.index ?? 0} completed while the components carry different weights`));
  return found;
}

function checkReady(status: Status, f: Facts, state: State): Violation[] {
  const stable = status.stableRevision?.hash;
  const ready = status.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') ?? false;
  if (!ready || stable === undefined) return [];
  return [
    ...(f.target.kind === 'Known' && f.target.hash === stable
      ? []
      : [broken(10, 'Ready, but the spec asks for another revision')]),
    ...f.components(stable).flatMap((component) => {
      const intent = state.traffic.find((each) => each.component === component);
      const served = intent?.backends.filter(({ weight }) => weight > 0) ?? [];
      const whole = served.length === 1 && served[0]?.revision === stable;
      return whole ? [] : [broken(10, `Ready, but traffic of ${component} goes to ${backendsText(intent)}`)];
    }),
  ];
}

const backendsText = (intent: RouteIntent | undefined): string =>
  intent?.backends.map(({ revision, weight }) => `${revision}:${weight}`).join(' ') ?? 'nobody';

/** On the way down `routed` is an upper bound until the smaller share is verified. */
function checkRouted(routed: number, lowered: boolean, f: Facts, state: State): Violation[] {
  const hash = f.progress.update?.hash;
  return routedComponents(f.progress, f).both.flatMap((component) => {
    const share = weightOf(
      state.traffic.find((each) => each.component === component),
      hash,
    );
    return (lowered ? share > routed : share !== routed)
      ? [broken(10, `routed ${routed} claimed, but ${component} really carries ${share}`)]
      : [];
  });
}

/** Invariant 9, when the finalizer goes. */
function checkLeftovers(state: State): Violation[] {
  const { workloads, services, disruptionBudgets, routes, records, copies, adminSecret, pods } = state;
  const names = [...workloads, ...services, ...disruptionBudgets, ...copies, ...pods].map(({ name }) => name);
  const all = [
    ...names,
    ...routes.map(({ intent }) => `route of ${intent.component}`),
    ...records.map(({ hash }) => `record ${hash}`),
    ...(adminSecret ? ['the admin Secret'] : []),
  ];
  return all.length === 0 ? [] : [broken(9, `left behind: ${all.join(', ')}`)];
}

/** Invariant 3: of pods that the controllers take away in this state. */
export function checkRemoved(removed: readonly ModelPod[], state: State): Violation[] {
  return removed.flatMap((pod) => {
    const whole = state.workloads.find((workload) => isSame(pod, workload))?.drain ?? null;
    const over = [pod.drain, whole].some((window) => window !== null && T0 >= window.deadline);
    if (over) return [];
    const what = `a pod of ${pod.component} ${pod.revision} is taken away`;
    if (pod.connected) return [broken(3, `${what} with open sessions before its deadline`)];
    return takesTraffic(state, pod) ? [broken(3, `${what} while it takes traffic`)] : [];
  });
}

/** Invariant 1: what clients feel in this state. */
export function checkState(state: State): Violation[] {
  if (state.hurt || state.subject === null || state.subject.deleting) return [];
  return state.traffic.flatMap(({ component, backends }) =>
    backends
      .filter(
        ({ weight, revision }) =>
          weight > 0 && !state.pods.some((pod) => isSame(pod, { component, revision }) && takesTraffic(state, pod)),
      )
      .map(({ weight, revision }) => broken(1, `${component} sends ${weight} % to ${revision}, where nobody answers`)),
  );
}

/** Invariant 6, when neither the operator nor the gateway has anything left to do at this moment. */
export function checkQuiet({ subject, traffic }: State): Violation[] {
  const { abort, stableRevision, updateRevision } = subject?.status ?? {};
  if (abort === undefined || subject?.deleting !== false) return [];
  return traffic.flatMap((intent) => {
    const hasStable = intent.backends.some(({ revision }) => revision === stableRevision?.hash);
    const left = weightOf(intent, updateRevision?.hash);
    return hasStable && left > 0
      ? [broken(6, `${intent.component} still gives ${left} % to the aborted ${updateRevision?.hash}`)]
      : [];
  });
}

/** Waits that only a person can end, in a phase that is none of rest. */
const FOR_A_PERSON = new Set(['StepKindNotSupported', 'ReferenceMissing', 'MetricFailing']);

/** Where a behaviour may come to rest, and 10: what is told there is so. */
export function checkRest(state: State, later: Plan | null): Violation[] {
  const { subject, pods, workloads } = state;
  if (subject === null) return pods.length + workloads.length === 0 ? [] : [broken(9, 'gone, but its pods are not')];
  const { phase, blockedBy = [], stableRevision } = subject.status;
  const found: Violation[] = [];
  if (later !== null && later.writes.length > 0)
    found.push(
      broken(
        8,
        `at rest, but an hour later it writes ${later.writes.map(({ kind }) => kind).join(', ')} without having asked to look`,
      ),
    );
  const held = blockedBy.some(({ reason }) => FOR_A_PERSON.has(reason));
  const known = phase === 'Healthy' || phase === 'Paused' || (phase === 'Degraded' && blockedBy.length > 0);
  if (!known && !held)
    found.push(broken(8, `rests ${phase ?? 'without a phase'} (${blockedBy.map(({ reason }) => reason).join(', ')})`));
  if (phase === 'Healthy' && stableRevision !== undefined) {
    const f = gatherFacts(observe(state));
    found.push(...checkReady({ ...subject.status }, f, state));
    const others = pods.filter(({ revision }) => revision !== stableRevision.hash);
    if (others.length > 0) found.push(broken(9, `Healthy, but ${others.length} pods of other revisions stay`));
    for (const component of f.components(stableRevision.hash)) {
      const wanted = f.release.components[component]?.replicas ?? 0;
      const { available } = f.unit(stableRevision.hash, component);
      if (available !== wanted) found.push(broken(10, `Healthy, but ${component} has ${available} of ${wanted} pods`));
    }
  }
  return found;
}
