// A state as the operator sees it.
import type { Pod, Snapshot } from '../../../operator/rollout/snapshot.ts';
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
  return {
    name: pod.name,
    uid: pod.name,
    component: pod.component,
    revision: pod.revision,
    ip: pod.running ? '198.18.0.1' : null,
    running: pod.running,
    ready: pod.ready && !pod.draining,
    terminating: false,
    removal: null,
    createdAt: T0,
    drain: pod.drain,
    trouble: pod.trouble === null ? null : { reason: pod.trouble, message: 'it cannot run' },
    sessions: pod.running
      ? { kind: 'known', open: pod.connected ? 1 : 0, busy: 0, draining: pod.draining }
      : { kind: 'unknown' },
  };
}

function seenRoute({ intent, generation, acceptedGeneration }: ModelRoute) {
  return {
    component: intent.component,
    name: `support-${intent.component}`,
    intent,
    generation,
    resourceVersion: '1',
    acceptance:
      acceptedGeneration === generation
        ? ({ kind: 'Accepted' } as const)
        : ({ kind: 'Pending', earlier: acceptedGeneration > 0 } as const),
  };
}
