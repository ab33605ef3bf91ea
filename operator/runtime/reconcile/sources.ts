// From a change of some object to the requests it causes.
import type { Change, ChangeHandler } from '../cache/informer.ts';
import type { KubeObject, ObjectRef } from '../objects/objects.ts';
import { controllerOf, refOf } from '../objects/objects.ts';
import type { ResourceType } from '../objects/resource-type.ts';
import { groupOf } from '../objects/resource-type.ts';

/** What tells of changes: an Informer does. */
export interface WatchSource<T extends KubeObject> {
  addHandler(handler: ChangeHandler<T>): () => void;
}

/** The requests that a change causes. */
export type RequestMapper<T extends KubeObject> = (change: Change<T>) => readonly ObjectRef[];

/** False: the change is of no interest. */
export type ChangeFilter<T extends KubeObject> = (change: Change<T>) => boolean;

/** Reconciles the changed object itself. */
export const enqueueSelf: RequestMapper<KubeObject> = (change) => [refOf(change.object)];

/** Reconciles the owner that controls the changed object, if it is of the given type; after a change of owner, both. */
export const enqueueController = (ownerType: ResourceType): RequestMapper<KubeObject> => {
  const group = groupOf(ownerType);
  return (change) => {
    const states = change.type === 'Updated' ? [change.old, change.object] : [change.object];
    const requests = new Map<string, ObjectRef>();
    for (const object of states) {
      const owner = controllerOf(object);
      if (owner?.kind !== ownerType.kind || groupOf({ ...ownerType, apiVersion: owner.apiVersion }) !== group) continue;
      const { namespace } = object.metadata;
      requests.set(
        owner.name,
        ownerType.namespaced && namespace ? { namespace, name: owner.name } : { name: owner.name },
      );
    }
    return [...requests.values()];
  };
};

/** Reconciles the object that a label names, in the same namespace: for children without an owner reference. */
export const enqueueByLabel =
  (label: string): RequestMapper<KubeObject> =>
  (change) => {
    const states = change.type === 'Updated' ? [change.old, change.object] : [change.object];
    const names = new Set(states.map(({ metadata }) => metadata.labels?.[label]).filter((name) => name !== undefined));
    const { namespace } = change.object.metadata;
    return [...names].map((name) => (namespace ? { namespace, name } : { name }));
  };

/** Only changes of spec, labels, annotations, or deletion: not of status alone. */
export const specChanged: ChangeFilter<KubeObject> = (change) => {
  if (change.type !== 'Updated') return true;
  const { metadata: before } = change.old;
  const { metadata: after } = change.object;
  return (
    before.generation !== after.generation ||
    before.uid !== after.uid ||
    before.deletionTimestamp !== after.deletionTimestamp ||
    JSON.stringify(before.labels) !== JSON.stringify(after.labels) ||
    JSON.stringify(before.annotations) !== JSON.stringify(after.annotations)
  );
};
