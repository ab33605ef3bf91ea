// An Api whose writes reach the informers at once, so that no reconcile acts on a cache older than its own last write.
import type { Api, Deletion } from '../client/api.ts';
import { isNotFound } from '../client/errors.ts';
import type { KubeObject, ObjectRef } from '../objects/objects.ts';
import type { ResourceType } from '../objects/resource-type.ts';
import { resourceName } from '../objects/resource-type.ts';

/** What observes writes: an Informer does. */
export interface WriteObserver {
  /**
   * A write is sent. Its result may come after the watch has told that the object is gone, and must not bring it back.
   * @returns to be called once the result was shown, or there is none.
   */
  beginWrite(): () => void;
  get(ref: ObjectRef): KubeObject | undefined;
  observeWrite(object: KubeObject): void;
  observeDelete(ref: ObjectRef, deletion: Deletion<KubeObject>): void;
}

/**
 * Wraps an Api: reads and watches pass through; the object that a write returns is shown to the informers of its type
 * before the write resolves. Dry runs are not shown.
 * @param observersOf gives the informers of a resource (`plural.group`); asked at each write.
 */
export const withObservedWrites = (api: Api, observersOf: (resource: string) => Iterable<WriteObserver>): Api => {
  const shown = async <T extends KubeObject>(
    type: ResourceType<T>,
    write: Promise<T>,
    dryRun: boolean | undefined,
  ): Promise<T> => {
    const observers = dryRun ? [] : [...observersOf(resourceName(type))];
    const ends = observers.map((observer) => observer.beginWrite());
    try {
      const object = await write;
      for (const observer of observers) observer.observeWrite(object);
      return object;
    } finally {
      for (const end of ends) end();
    }
  };
  return {
    get: (type, ref, options) => api.get(type, ref, options),
    find: (type, ref, options) => api.find(type, ref, options),
    page: (type, options) => api.page(type, options),
    list: (type, options) => api.list(type, options),
    watch: (type, options) => api.watch(type, options),
    create: (type, object, options) => shown(type, api.create(type, object, options), options?.dryRun),
    update: (type, object, options) => shown(type, api.update(type, object, options), options?.dryRun),
    updateStatus: (type, object, options) => shown(type, api.updateStatus(type, object, options), options?.dryRun),
    apply: (type, object, options) => shown(type, api.apply(type, object, options), options?.dryRun),
    applyStatus: (type, object, options) => shown(type, api.applyStatus(type, object, options), options?.dryRun),
    patch: (type, ref, patch, options) => shown(type, api.patch(type, ref, patch, options), options?.dryRun),
    delete: async (type, ref, options) => {
      const observers = options?.dryRun ? [] : [...observersOf(resourceName(type))];
      const uids = observers.map((observer) => observer.get(ref)?.metadata.uid);
      const ends = observers.map((observer) => observer.beginWrite());
      try {
        const deletion = await api.delete(type, ref, options);
        for (const observer of observers) observer.observeDelete(ref, deletion);
        return deletion;
      } catch (error) {
        // What the cache held before the request was gone already: the watch has just not told of it yet.
        if (isNotFound(error))
          observers.forEach((observer, index) => observer.observeDelete(ref, { state: 'Gone', uid: uids[index] }));
        throw error;
      } finally {
        for (const end of ends) end();
      }
    },
  };
};
