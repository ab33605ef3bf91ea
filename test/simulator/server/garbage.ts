// The garbage collector of the controller-manager: what belongs to nobody any more goes, a while after its owner went; foreground deletions
// wait for the dependents that block them.
import {
  type Clock,
  configMaps,
  controllerOf,
  deployments,
  endpointSlices,
  type KubeObject,
  podDisruptionBudgets,
  pods,
  type ResourceType,
  resourceName,
  resourceType,
  secrets,
  services,
} from '@assistant-platform/runtime';
import { assistantDeployments, controllerRevisions } from '../../../operator/controller/resources.ts';
import { httpRoutes } from '../../../operator/traffic/httpRoute.ts';
import type { ApiServer } from './server.ts';

/** The resources that this world knows how to delete. */
export const KNOWN_TYPES: readonly ResourceType[] = [
  assistantDeployments,
  deployments,
  pods,
  services,
  endpointSlices,
  podDisruptionBudgets,
  controllerRevisions,
  httpRoutes,
  secrets,
  configMaps,
  resourceType('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
];

const GARBAGE_COLLECTOR = 'garbage-collector';
const FOREGROUND = 'foregroundDeletion';

/** Collects `delayMs` after each deletion, as long as there is something to collect. */
export class GarbageCollector {
  readonly #server: ApiServer;
  readonly #clock: Clock;
  readonly #delayMs: number;
  #pending = false;

  constructor(server: ApiServer, clock: Clock, delayMs = 20) {
    this.#server = server;
    this.#clock = clock;
    this.#delayMs = delayMs;
    server.onChange(({ type, object }) => {
      const waits = object.metadata.finalizers?.includes(FOREGROUND) === true;
      // A dependent that comes after its owner went is garbage from the start.
      const lateChild = type === 'ADDED' && controllerOf(object) !== undefined && !this.#hasOwner(object);
      if (type === 'DELETED' || waits || lateChild) this.#soon();
    });
  }

  #soon(): void {
    if (this.#pending) return;
    this.#pending = true;
    this.#clock.timer(this.#delayMs, () => {
      this.#pending = false;
      this.#collect();
    });
  }

  #hasOwner(object: KubeObject): boolean {
    const uids = new Set([...this.#server.all()].map(({ object: each }) => each.metadata.uid));
    return (object.metadata.ownerReferences ?? []).some(({ uid }) => uids.has(uid));
  }

  #collect(): void {
    const all = [...this.#server.all()];
    const uids = new Set(all.map(({ object }) => object.metadata.uid));
    for (const { resource, object } of all) {
      const type = KNOWN_TYPES.find((each) => resourceName(each) === resource);
      if (type === undefined) continue;
      const { ownerReferences = [], deletionTimestamp, finalizers = [], uid } = object.metadata;
      const orphaned = ownerReferences.length > 0 && ownerReferences.every((owner) => !uids.has(owner.uid));
      if (orphaned && deletionTimestamp === undefined)
        this.#server.delete(type, object.metadata, { by: GARBAGE_COLLECTOR, propagationPolicy: 'Background' });
      if (deletionTimestamp !== undefined && finalizers.includes(FOREGROUND))
        this.#foreground(type, object, uid ?? '', all);
    }
  }

  #foreground(
    type: ResourceType,
    object: KubeObject,
    uid: string,
    all: readonly { resource: string; object: KubeObject }[],
  ): void {
    const ofOwner = all.filter(({ object: each }) =>
      (each.metadata.ownerReferences ?? []).some((owner) => owner.uid === uid),
    );
    // All dependents are deleted, only those that block are waited for (k8s.io/kubernetes pkg/controller/garbagecollector, attemptToDeleteItem).
    const blocking = ofOwner.filter(({ object: each }) =>
      (each.metadata.ownerReferences ?? []).some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
    );
    for (const { resource, object: each } of ofOwner) {
      const dependent = KNOWN_TYPES.find((known) => resourceName(known) === resource);
      if (dependent !== undefined && each.metadata.deletionTimestamp === undefined)
        this.#server.delete(dependent, each.metadata, { by: GARBAGE_COLLECTOR, propagationPolicy: 'Background' });
    }
    if (blocking.length > 0) return;
    const finalizers = (object.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FOREGROUND);
    this.#server.patch(type, object.metadata, { metadata: { finalizers } }, { by: GARBAGE_COLLECTOR });
  }
}
