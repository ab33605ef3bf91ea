// The objects an informer knows, by key and by index. It never goes back in time: an event older than what it holds
// (a replayed watch, or one that has not caught up with our own write) changes nothing.
import type { KubeObject, ObjectRef } from '../objects/objects.ts';
import { compareResourceVersions, objectKey, parseObjectKey } from '../objects/objects.ts';

/** Gives the values under which an object is found in an index. */
export type Indexer<T> = (object: T) => readonly string[];

/** What a change to the store did. `Nothing`: it was known, or older than what is known. */
export type StoreChange<T> =
  | { type: 'Added'; object: T }
  | { type: 'Updated'; object: T; old: T }
  | { type: 'Deleted'; object: T }
  | { type: 'Nothing' };

/** Of an object that we deleted, or took out of the selection, before the watch told of it. */
interface Tombstone {
  uid: string | undefined;
  /** Deleted: no state of this uid is news. Otherwise it may come back by a later write. */
  deleted: boolean;
  /** States up to this version are past, of namesakes too. */
  resourceVersion: string | undefined;
  generation: number;
}

/** What a finished list said: at this version there was nothing within it but what it had. */
interface FinishedList {
  within: (ref: ObjectRef) => boolean;
  resourceVersion: string;
}

const nothing = { type: 'Nothing' } as const;

export interface StoreOptions<T> {
  /** Index name -> the values of an object. */
  indexers?: Record<string, Indexer<T>>;
  /** Keep the objects as JSON text; each is parsed when it is asked for. */
  compact?: boolean;
}

/** A set of objects of one type that moves forward only. */
export class Store<T extends KubeObject> {
  /** Text: a compact object. */
  readonly #objects = new Map<string, T | string>();
  readonly #compact: boolean;
  readonly #tombstones = new Map<string, Tombstone>();
  /** While writes are under way, whose answers may be overtaken: the version of the last removal that the watch told of, by key. */
  readonly #removed = new Map<string, string>();
  /** Likewise: the lists that were finished meanwhile. */
  #lists: FinishedList[] = [];
  #writes = 0;
  readonly #indexers: ReadonlyMap<string, Indexer<T>>;
  readonly #indexes = new Map<string, Map<string, Set<string>>>();
  #generation = 0;

  constructor({ indexers = {}, compact = false }: StoreOptions<T> = {}) {
    this.#compact = compact;
    this.#indexers = new Map(Object.entries(indexers));
    for (const name of this.#indexers.keys()) this.#indexes.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Deletions of ours that the watch has not told of yet, for tests of their bound. */
  get buried(): number {
    return this.#tombstones.size;
  }

  get(ref: ObjectRef): T | undefined {
    return this.#read(objectKey(ref));
  }

  has(ref: ObjectRef): boolean {
    return this.#objects.has(objectKey(ref));
  }

  *values(): Generator<T, void, undefined> {
    for (const kept of this.#objects.values()) yield unpacked(kept);
  }

  /** @throws RangeError when there is no such index. */
  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (!index)
      throw new RangeError(`no index "${name}"; there are: ${[...this.#indexes.keys()].join(', ') || 'none'}`);
    const found: T[] = [];
    for (const key of index.get(value) ?? []) {
      const object = this.#read(key);
      if (object) found.push(object);
    }
    return found;
  }

  /** A write is sent, whose result will come in by {@link upsert} or {@link bury}; to be followed by {@link endWrite}. */
  beginWrite(): void {
    this.#writes += 1;
  }

  /** The result has come in, or there is none. */
  endWrite(): void {
    this.#writes -= 1;
    if (this.#writes > 0) return;
    this.#removed.clear();
    this.#lists = [];
  }

  /** Takes in an object that was listed, watched or written. */
  upsert(object: T): StoreChange<T> {
    const key = objectKey(object.metadata);
    const old = this.#read(key);
    if (!old) {
      if (this.#isBuried(key, object)) return nothing;
      this.#tombstones.delete(key);
      return { type: 'Added', object: this.#put(key, object) };
    }
    const order = compareResourceVersions(object.metadata.resourceVersion, old.metadata.resourceVersion);
    if (order !== undefined && order <= 0) return nothing;
    this.#unindex(key, old);
    return { type: 'Updated', object: this.#put(key, object), old };
  }

  /** Takes in a deletion that was watched; `object` is the last state, at the version of the deletion. */
  remove(object: T): StoreChange<T> {
    const key = objectKey(object.metadata);
    const { uid, resourceVersion } = object.metadata;
    if (this.#writes > 0 && resourceVersion !== undefined && !isUpTo(resourceVersion, this.#removed.get(key)))
      this.#removed.set(key, resourceVersion);
    const old = this.#read(key);
    if (!old) {
      if (this.#tombstones.get(key)?.uid === uid) this.#tombstones.delete(key);
      return nothing;
    }
    const order = compareResourceVersions(resourceVersion, old.metadata.resourceVersion);
    if (order !== undefined && order < 0) return nothing;
    this.#drop(key, old);
    return { type: 'Deleted', object };
  }

  /**
   * Takes in a deletion (or a departure from the selection) that we caused, before the watch tells of it: events of
   * that object still under way, up to `resourceVersion`, are ignored.
   */
  bury(ref: ObjectRef, uid: string | undefined, resourceVersion?: string): StoreChange<T> {
    const key = objectKey(ref);
    const old = this.#read(key);
    if (!old || old.metadata.uid !== uid) return nothing;
    const order = compareResourceVersions(resourceVersion, old.metadata.resourceVersion);
    if (resourceVersion !== undefined && order !== undefined && order < 0) return nothing;
    this.#drop(key, old);
    this.#tombstones.set(key, {
      uid,
      deleted: resourceVersion === undefined,
      resourceVersion: resourceVersion ?? old.metadata.resourceVersion,
      generation: this.#generation,
    });
    return { type: 'Deleted', object: old };
  }

  /** Marks the start of a list; its pages come in by {@link upsert}. Pass the result to {@link finishList}. */
  startList(): number {
    this.#generation += 1;
    return this.#generation;
  }

  /**
   * Removes what a finished list no longer has: objects at most as old as the list that are not among `seen`. Newer ones
   * were written since.
   * @param within what was listed, for example one namespace: of the rest the list says nothing.
   */
  *finishList(
    generation: number,
    resourceVersion: string,
    seen: ReadonlySet<string>,
    within: (ref: ObjectRef) => boolean,
  ): Generator<StoreChange<T>> {
    for (const [key, kept] of this.#objects) {
      if (seen.has(key) || !within(parseObjectKey(key))) continue;
      const object = unpacked(kept);
      const order = compareResourceVersions(object.metadata.resourceVersion, resourceVersion);
      if (order !== undefined && order > 0) continue;
      this.#drop(key, object);
      yield { type: 'Deleted', object };
    }
    for (const [key, tombstone] of this.#tombstones) {
      if (tombstone.generation < generation && within(parseObjectKey(key))) this.#tombstones.delete(key);
    }
    if (this.#writes > 0) this.#lists.push({ within, resourceVersion });
  }

  /** Whether a state of an object that is not here is older than the news of its end. */
  #isBuried(key: string, { metadata }: T): boolean {
    const { uid, resourceVersion } = metadata;
    const tombstone = this.#tombstones.get(key);
    return (
      (tombstone?.deleted === true && tombstone.uid === uid) ||
      isUpTo(resourceVersion, tombstone?.resourceVersion) ||
      isUpTo(resourceVersion, this.#removed.get(key)) ||
      this.#lists.some((list) => isUpTo(resourceVersion, list.resourceVersion) && list.within(metadata))
    );
  }

  #read(key: string): T | undefined {
    const kept = this.#objects.get(key);
    return kept === undefined ? undefined : unpacked(kept);
  }

  #put(key: string, object: T): T {
    this.#objects.set(key, this.#compact ? JSON.stringify(object) : object);
    for (const [name, indexer] of this.#indexers) {
      const index = this.#indexes.get(name);
      for (const value of indexer(object)) {
        const keys = index?.get(value);
        if (keys) keys.add(key);
        else index?.set(value, new Set([key]));
      }
    }
    return object;
  }

  #drop(key: string, object: T): void {
    this.#unindex(key, object);
    this.#objects.delete(key);
  }

  #unindex(key: string, object: T): void {
    for (const [name, indexer] of this.#indexers) {
      const index = this.#indexes.get(name);
      for (const value of indexer(object)) {
        const keys = index?.get(value);
        keys?.delete(key);
        if (keys?.size === 0) index?.delete(value);
      }
    }
  }
}

/** Whether the version is known to be the bound or older. */
const isUpTo = (version: string | undefined, bound: string | undefined): boolean => {
  const order = bound === undefined ? undefined : compareResourceVersions(version, bound);
  return order !== undefined && order <= 0;
};

const unpacked = <T extends KubeObject>(kept: T | string): T =>
  typeof kept === 'string' ? (JSON.parse(kept) as T) : kept;
