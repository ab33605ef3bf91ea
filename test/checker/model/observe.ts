// A state as the operator sees it.
import type { Pod, Route, Snapshot } from '../../../operator/rollout/snapshot.ts';
import { observedPod, observedRoute } from '../../../operator/rollout/worldObjects.ts';
import { releaseOf, SETTLE_MS } from './specs.ts';
import { T0, type ModelPod, type ModelRoute, type State } from './state.ts';

/** @throws when there is nothing to look at. */
export function observe(state: State): Snapshot {
  const { subject } = state;
  if (subject === null) throw new Error('the AssistantDeployment is gone: nobody looks at it');
  const release = releaseOf(subject.spec);
  return {
    subject: {
      name: 'support',
      namespace: 'assistants',
      uid: 'uid-1',
      generation: subject.generation,
      resourceVersion: '1',
      annotations: subject.annotations,
      finalizers: subject.finalizers,
      deleting: subject.deleting,
      release,
      source: { release: release.release, components: release.components },
      status: subject.status,
    },
    records: state.records,
    workloads: state.workloads.map((each) => ({ ...each, resourceVersion: '1' })),
    pods: state.pods.map(seenPod),
    services: state.services,
    budgets: state.disruptionBudgets,
    routes: state.routes.map(seenRoute),
    adminSecret: state.adminSecret,
    copies: state.copies,
    references: state.references,
    measurements: state.measurements,
    settings: { settleMs: SETTLE_MS },
  };
}

/** All pods are of one age: which of several equal ones goes first is left open (environment.ts). */
export function seenPod(pod: ModelPod): Pod {
  const { trouble, connected, started, ...rest } = pod;
  return {
    ...observedPod({ ...rest, createdAt: T0, broken: false, sockets: connected ? 1 : 0 }),
    phase: started ? 'Running' : 'Pending',
    trouble: trouble === null ? null : { reason: trouble, message: 'it cannot run' },
  };
}

const seenRoute = (route: ModelRoute): Route =>
  observedRoute({ ...route, name: `support-${route.intent.component}`, resourceVersion: '1' });
