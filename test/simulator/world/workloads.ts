// The Deployment and ReplicaSet controllers in one: as many pods as replicas, removed in Kubernetes' own order.
import {
  controllerOf,
  controllerReference,
  type Clock,
  type Deployment,
  deployments,
  type Pod,
  pods,
  resourceName,
} from '@assistant-platform/runtime';
import type { ApiServer } from '../server/server.ts';
import type { Tree } from '../server/trees.ts';
import type { Timing } from './timing.ts';

const BY = 'deployment-controller';

export class WorkloadController {
  readonly #server: ApiServer;
  readonly #clock: Clock;
  readonly #timing: Timing;
  readonly #pending = new Set<string>();
  #created = 0;
  /** Told of each pod that goes because fewer are wanted. */
  onRemoval: (pod: Pod) => void = () => undefined;

  constructor(server: ApiServer, clock: Clock, timing: Timing) {
    this.#server = server;
    this.#clock = clock;
    this.#timing = timing;
    server.onChange(({ resource, object }) => {
      if (resource === resourceName(deployments)) this.#soon(object.metadata.namespace ?? '', object.metadata.name);
      const owner = resource === resourceName(pods) ? controllerOf(object) : undefined;
      if (owner?.kind === 'Deployment') this.#soon(object.metadata.namespace ?? '', owner.name);
    });
  }

  #soon(namespace: string, name: string): void {
    const key = `${namespace}/${name}`;
    if (this.#pending.has(key)) return;
    this.#pending.add(key);
    this.#clock.timer(this.#timing.controllerMs, () => {
      this.#pending.delete(key);
      const deployment = this.#server.find(deployments, { namespace, name });
      if (deployment !== undefined && deployment.metadata.deletionTimestamp === undefined) this.#sync(deployment);
    });
  }

  #sync(deployment: Deployment): void {
    const mine = this.#podsOf(deployment).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const wanted = deployment.spec?.replicas ?? 1;
    for (let missing = wanted - mine.length; missing > 0; missing--) this.#create(deployment);
    const going = mine.toSorted(removalOrder(this.#clock.now())).slice(0, Math.max(0, mine.length - wanted));
    for (const pod of going) {
      this.onRemoval(pod);
      this.#server.delete(pods, pod.metadata, { by: BY });
    }
    this.#writeStatus(deployment);
  }

  #podsOf(deployment: Deployment): Pod[] {
    return this.#server.list(pods).filter((pod) => controllerOf(pod)?.uid === deployment.metadata.uid);
  }

  #create(deployment: Deployment): void {
    this.#created += 1;
    const { template } = deployment.spec ?? {};
    const name = `${deployment.metadata.name}-${String(this.#created).padStart(4, '0')}`;
    this.#server.create(
      pods,
      {
        metadata: {
          ...(template?.metadata as Tree | undefined),
          name,
          namespace: deployment.metadata.namespace,
          ownerReferences: [controllerReference(deployment)],
        },
        spec: template?.spec,
        status: {},
      },
      { by: BY },
    );
  }

  /** Each change of it makes a new version of the Deployment: whoever wants to change that must have seen it. */
  #writeStatus(deployment: Deployment): void {
    const mine = this.#podsOf(deployment).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const ready = mine.filter(isReady).length;
    const status = {
      observedGeneration: deployment.metadata.generation,
      ...(mine.length === 0 ? {} : { replicas: mine.length, updatedReplicas: mine.length }),
      ...(ready === 0 ? {} : { readyReplicas: ready, availableReplicas: ready }),
    };
    this.#server.update(
      deployments,
      { ...(deployment as unknown as Tree), metadata: { ...deployment.metadata, resourceVersion: undefined }, status },
      { by: BY, subresource: 'status' },
    );
  }
}

export const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

/**
 * Who goes first: k8s.io/kubernetes v1.35 pkg/controller/controller_utils.go, ActivePodsWithRanks.Less. All pods are on one node, so that its rank
 * by node never decides; ages count in powers of two (LogarithmicScaleDown), and uids decide among the rest.
 */
export const removalOrder =
  (now: number) =>
  (a: Pod, b: Pod): number => {
    const phases = ['Pending', 'Unknown', 'Running'];
    const keys = (pod: Pod): number[] => [
      pod.spec?.nodeName === undefined ? 0 : 1,
      phases.indexOf(pod.status?.phase ?? 'Pending'),
      isReady(pod) ? 1 : 0,
      Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0),
    ];
    const [left, right] = [keys(a), keys(b)];
    for (const [index, value] of left.entries()) {
      const difference = value - (right[index] ?? 0);
      if (difference !== 0) return difference;
    }
    const times = isReady(a) && isReady(b) ? [readySince(a), readySince(b)] : [createdAt(a), createdAt(b)];
    const [older, newer] = times.map((time) => ageRank(now - time));
    return (older ?? 0) - (newer ?? 0) || ((a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1);
  };

/** In nanoseconds there, and so here: the classes of ages are the same. */
const ageRank = (ms: number): number => (ms > 0 ? Math.trunc(Math.log2(ms * 1e6)) : -1);

const createdAt = (pod: Pod): number => Date.parse(pod.metadata.creationTimestamp ?? '');

const readySince = (pod: Pod): number =>
  Date.parse(pod.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '') || 0;
