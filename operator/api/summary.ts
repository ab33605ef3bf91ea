// The short texts of status.summary: printed columns of `kubectl get` can show one field each, so what is made of two is made here.
import type { AssistantDeploymentStatus, SummaryStatus } from './assistant-deployment.ts';

/**
 * Makes `status.summary` from the rest of the status. Pure: equal status, equal summary.
 * Step and weight are absent while nothing is under way; the step on the first installation, too.
 */
export function summarize(status: AssistantDeploymentStatus): SummaryStatus {
  // At rest update is stable under another name: counted once.
  const sides = Object.values(status.components ?? {}).flatMap(({ stable, update }) =>
    [stable, underWay(status) ? update : undefined].filter((side) => side !== undefined),
  );
  const sum = (pick: (side: (typeof sides)[number]) => number): number =>
    sides.reduce((total, side) => total + pick(side), 0);
  // A revision that leaves after an abort is still the update revision: its sessions stand in components already.
  const counted = [status.stableRevision?.hash, status.updateRevision?.hash];
  const draining = (status.draining ?? [])
    .filter(({ hash }) => !counted.includes(hash))
    .reduce((total, { sockets }) => total + sockets, 0);
  const flags = (status.flags ?? []).map(({ feature, rollout }) => `${feature}=${rollout}%`);
  return {
    ...(takesSteps(status) && status.step !== undefined ? { step: `${status.step.index}/${status.step.count}` } : {}),
    ...(underWay(status) && status.weight !== undefined ? { weight: `${status.weight.routed}%` } : {}),
    ready: `${sum(({ ready }) => ready)}/${sum(({ replicas }) => replicas)}`,
    connections: sum(({ sockets }) => sockets) + draining,
    ...(flags.length > 0 ? { flag: flags.join(',') } : {}),
    ...(status.chaos === undefined ? {} : { chaos: `${status.chaos.experiment}:${status.chaos.phase}` }),
  };
}

type Revisions = Pick<AssistantDeploymentStatus, 'stableRevision' | 'updateRevision'>;

/** Whether a revision other than the stable one is on its way in, or was aborted. */
export function underWay(status: Revisions): boolean {
  const { stableRevision, updateRevision } = status;
  return updateRevision !== undefined && updateRevision.hash !== stableRevision?.hash;
}

/** Whether a revision goes through the steps; the first release takes none. */
export const takesSteps = (status: Revisions): boolean => underWay(status) && status.stableRevision !== undefined;
