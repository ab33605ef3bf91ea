// The simulated API server: what is stored, and what each request does to it, at once and without a network. It does what a real one does as far
// as the operator can see; the contract suite runs against both (contract.ts).
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  type Clock,
  controllerOf,
  type DeleteOptions,
  type Deletion,
  type KubeObject,
  type ObjectRef,
  objectKey,
  type ResourceType,
  resourceName,
} from '@assistant-platform/runtime';
import { applyFields, type Owners, sameOwners, updateOwners } from './fields.ts';
import { alreadyExists, conflict, fieldConflict, internalError, invalid, notFound } from './refusals.ts';
import { type ResourceTraits, traitsOf, wantedPart } from './resources.ts';
import { freeze, isTree, mergePatch, type Tree, treeAt, without } from './trees.ts';

/** A change of one object, as the history keeps it. */
export interface Change {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: string;
  readonly object: KubeObject;
  /** The object before; undefined when it was added. */
  readonly old: KubeObject | undefined;
  /** When, on the server's clock, epoch ms. */
  readonly at: number;
  /** Field manager of the write. */
  readonly by: string;
}

export interface WriteRequest {
  /** Field manager. */
  readonly by: string;
  readonly subresource?: 'status' | undefined;
  readonly dryRun?: boolean | undefined;
  readonly force?: boolean | undefined;
}

interface Entry {
  readonly object: KubeObject;
  readonly owners: Owners;
}

const FOREGROUND = 'foregroundDeletion';

/** See the head of the file. Every object that it hands out is frozen and shared. */
export class ApiServer {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Map<string, Entry>>();
  readonly #history = new Map<string, Change[]>();
  readonly #listeners = new Set<(change: Change) => void>();
  /** A watch may begin with what there is; false: as servers do that cannot do it. */
  streamsLists = true;
  #version = 1000;
  #uids = 0;
  #forgotten = 0;
  readonly #lastForgotten = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The newest version of anything. */
  get version(): number {
    return this.#version;
  }

  /** Changes up to this version are forgotten: a watch from before ends with 410. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Forgets all but what comes from now on (compaction). */
  forget(): void {
    this.#forgotten = this.#version;
    for (const [resource, changes] of this.#history) {
      const last = changes.at(-1);
      if (last !== undefined) this.#lastForgotten.set(resource, last.version);
      changes.length = 0;
    }
  }

  /** Told of every change, in order, in the very moment of it. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The remembered changes of a resource, oldest first. */
  changes(resource: string): readonly Change[] {
    return this.#history.get(resource) ?? [];
  }

  /** The first change of a resource after a version; 'Forgotten' when there was one that is not remembered any more. */
  nextChange(resource: string, version: number): Change | 'Forgotten' | undefined {
    if (version < this.#forgotten && version < (this.#lastForgotten.get(resource) ?? 0)) return 'Forgotten';
    const changes = this.#history.get(resource) ?? [];
    let start = changes.length;
    while (start > 0 && (changes[start - 1]?.version ?? 0) > version) start -= 1;
    return changes[start];
  }

  find<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): T | undefined {
    return this.#entries.get(resourceName(type))?.get(objectKey(ref))?.object as T | undefined;
  }

  get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): T {
    const object = this.find(type, ref);
    if (object === undefined) throw notFound(type, ref);
    return object;
  }

  /** All objects of a type in the order of their keys. */
  list<T extends KubeObject>(type: ResourceType<T>): T[] {
    const entries = this.#entries.get(resourceName(type)) ?? new Map<string, Entry>();
    return [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { object }]) => object as T);
  }

  /** Every object there is, with its resource. */
  *all(): Generator<{ resource: string; object: KubeObject }> {
    for (const [resource, entries] of this.#entries)
      for (const { object } of entries.values()) yield { resource, object };
  }

  create(type: ResourceType, draft: Tree, request: WriteRequest): KubeObject {
    const metadata = treeAt(draft, 'metadata');
    const { generateName } = metadata as { generateName?: string };
    const name = (metadata['name'] as string | undefined) ?? `${generateName ?? ''}${this.#suffix()}`;
    const ref = refIn(type, { ...metadata, name });
    if (metadata['resourceVersion'] !== undefined)
      throw internalError(type, ref, 'resourceVersion should not be set on objects to be created');
    if (this.find(type, ref) !== undefined) throw alreadyExists(type, ref);
    const traits = traitsOf(resourceName(type));
    const body = traits.statusSubresource ? without(draft, 'status') : draft;
    const object = this.#born(type, traits.defaults({ ...body, metadata: { ...metadata, name } }), traits);
    const owners = updateOwners({}, object as unknown as Tree, [], request.by, traits.listKeys);
    return this.#store(type, undefined, { object, owners }, request);
  }

  /** Replaces the object, or its status. */
  update(type: ResourceType, replacement: Tree, request: WriteRequest): KubeObject {
    const ref = refIn(type, treeAt(replacement, 'metadata'));
    const { entry, live } = this.#live(type, ref);
    this.#expect(type, ref, live, treeAt(replacement, 'metadata'), true);
    const traits = traitsOf(resourceName(type));
    if (!traits.unconditionalUpdate && treeAt(replacement, 'metadata')['resourceVersion'] === undefined)
      throw invalid(type, ref, 'metadata.resourceVersion', 'must be specified for an update');
    const after =
      request.subresource === 'status'
        ? { ...live, status: replacement['status'] }
        : this.#keepStatus(traits, live, replacement);
    return this.#change(type, ref, entry, after, request);
  }

  /** JSON merge patch of the object, or of its status. */
  patch(type: ResourceType, ref: ObjectRef, patch: Tree, request: WriteRequest): KubeObject {
    const { entry, live } = this.#live(type, ref);
    this.#expect(type, ref, live, treeAt(patch, 'metadata'));
    const traits = traitsOf(resourceName(type));
    const patched = mergePatch(live, patch) as Tree;
    const after =
      request.subresource === 'status'
        ? { ...live, status: patched['status'] }
        : this.#keepStatus(traits, live, patched);
    return this.#change(type, ref, entry, after, request);
  }

  /** Server-side apply of the object, or of its status. */
  apply(type: ResourceType, config: Tree, request: WriteRequest): KubeObject {
    const metadata = treeAt(config, 'metadata');
    const ref = refIn(type, metadata);
    const traits = traitsOf(resourceName(type));
    const options = { manager: request.by, force: request.force ?? false, keys: traits.listKeys };
    const entry = this.#entries.get(resourceName(type))?.get(objectKey(ref));
    if (entry === undefined) {
      if (request.subresource === 'status') throw notFound(type, ref);
      const body = traits.statusSubresource ? without(config, 'status') : config;
      const applied = applyFields({ metadata: ref }, [], body, options);
      if (applied.kind === 'Conflict') throw fieldConflict(type, ref, applied.conflicts);
      const object = this.#born(type, traits.defaults(applied.object), traits);
      return this.#store(type, undefined, { object, owners: applied.owners }, request);
    }
    const live = entry.object as unknown as Tree;
    this.#expect(type, ref, live, metadata);
    const part = request.subresource === 'status' ? { status: config['status'] } : config;
    const applied = applyFields(live, entry.owners, part, options);
    if (applied.kind === 'Conflict') throw fieldConflict(type, ref, applied.conflicts);
    const after =
      request.subresource === 'status'
        ? { ...live, status: applied.object['status'] }
        : this.#keepStatus(traits, live, applied.object);
    return this.#change(type, ref, entry, after, request, applied.owners);
  }

  delete<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: DeleteOptions & { by: string },
  ): Deletion<T> {
    const { entry, live } = this.#live(type, ref);
    const { metadata } = entry.object;
    for (const field of ['uid', 'resourceVersion'] as const) {
      const wanted = options.preconditions?.[field];
      if (wanted !== undefined && wanted !== metadata[field])
        throw conflict(
          type,
          ref,
          `Precondition failed: ${field} in precondition: ${wanted}, ${field} in object meta: ${metadata[field] ?? ''}`,
        );
    }
    const finalizers = [
      ...(metadata.finalizers ?? []),
      ...(options.propagationPolicy === 'Foreground' ? [FOREGROUND] : []),
    ];
    const grace = this.#graceSeconds(type, entry.object, options);
    if (finalizers.length === 0 && grace === 0) {
      if (!options.dryRun) this.#remove(type, entry, options.by, options.propagationPolicy === 'Orphan');
      return { state: 'Gone', uid: metadata.uid };
    }
    if (metadata.deletionTimestamp !== undefined) return { state: 'Terminating', object: entry.object as T };
    const marked = {
      ...live,
      metadata: {
        ...metadata,
        deletionTimestamp: timestamp(this.#clock.now() + grace * 1000),
        deletionGracePeriodSeconds: grace,
        ...(finalizers.length === 0 ? {} : { finalizers: [...new Set(finalizers)] }),
        ...(metadata.generation === undefined ? {} : { generation: metadata.generation + 1 }),
      },
    } as unknown as KubeObject;
    const stored = this.#store(type, entry, { ...entry, object: marked }, { by: options.by, dryRun: options.dryRun });
    return { state: 'Terminating', object: stored as T };
  }

  /** Ends a grace period: what the kubelet does when the containers are gone, and the node controller when the node is. */
  finishDeletion(type: ResourceType, ref: ObjectRef, by: string): void {
    const entry = this.#entries.get(resourceName(type))?.get(objectKey(ref));
    if (entry !== undefined && (entry.object.metadata.finalizers ?? []).length === 0)
      this.#remove(type, entry, by, false);
  }

  #graceSeconds(type: ResourceType, object: KubeObject, options: DeleteOptions): number {
    const traits = traitsOf(resourceName(type));
    if (!traits.graceful) return 0;
    const spec = treeAt(object as unknown as Tree, 'spec');
    // A pod that no node has taken yet has nothing to shut down.
    if (spec['nodeName'] === undefined) return 0;
    return options.gracePeriodSeconds ?? (spec['terminationGracePeriodSeconds'] as number | undefined) ?? 30;
  }

  #live(type: ResourceType, ref: ObjectRef): { entry: Entry; live: Tree } {
    const entry = this.#entries.get(resourceName(type))?.get(objectKey(ref));
    if (entry === undefined) throw notFound(type, ref);
    return { entry, live: entry.object as unknown as Tree };
  }

  /** Optimistic locking: a version that was sent must be the stored one. A uid may not change. */
  #expect(type: ResourceType, ref: ObjectRef, live: Tree, sent: Tree, replaces = false): void {
    const stored = treeAt(live, 'metadata');
    const differs = (field: string): boolean =>
      sent[field] !== undefined && sent[field] !== '' && sent[field] !== stored[field];
    if (differs('resourceVersion') || (replaces && differs('uid')))
      throw conflict(type, ref, 'the object has been modified; please apply your changes to the latest version');
    if (differs('uid')) throw invalid(type, ref, 'metadata.uid', 'field is immutable');
  }

  #keepStatus(traits: ResourceTraits, live: Tree, after: Tree): Tree {
    if (!traits.statusSubresource) return after;
    return { ...without(after, 'status'), ...(live['status'] === undefined ? {} : { status: live['status'] }) };
  }

  #born(type: ResourceType, object: Tree, traits: ResourceTraits): KubeObject {
    const metadata = without(treeAt(object, 'metadata'), 'uid', 'resourceVersion', 'generation', 'generateName');
    return {
      ...object,
      apiVersion: type.apiVersion,
      kind: type.kind,
      metadata: {
        ...metadata,
        uid: this.#uid(),
        creationTimestamp: timestamp(this.#clock.now()),
        ...(traits.generation ? { generation: 1 } : {}),
      },
    } as unknown as KubeObject;
  }

  #change(
    type: ResourceType,
    ref: ObjectRef,
    entry: Entry,
    after: Tree,
    request: WriteRequest,
    owners?: Owners,
  ): KubeObject {
    const traits = traitsOf(resourceName(type));
    const before = entry.object as unknown as Tree;
    const kept = entry.object.metadata;
    const metadata = treeAt(after, 'metadata');
    const written = request.subresource === 'status' ? after : traits.defaults(after);
    const generation =
      traits.generation && !isDeepStrictEqual(wantedPart(written), wantedPart(before))
        ? (kept.generation ?? 0) + 1
        : kept.generation;
    const object = {
      ...written,
      apiVersion: type.apiVersion,
      kind: type.kind,
      metadata: {
        ...clean(metadata),
        ...pick(kept, [
          'uid',
          'creationTimestamp',
          'deletionTimestamp',
          'deletionGracePeriodSeconds',
          'resourceVersion',
        ]),
        ...(generation === undefined ? {} : { generation }),
      },
    } as unknown as KubeObject;
    const refusal = traits.refuses(before, object as unknown as Tree);
    if (refusal !== undefined) throw invalid(type, ref, refusal.field, refusal.message);
    const owned = owners ?? updateOwners(before, object as unknown as Tree, entry.owners, request.by, traits.listKeys);
    if (isDeepStrictEqual(object, entry.object) && sameOwners(owned, entry.owners)) return entry.object;
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    if (deletionTimestamp !== undefined && finalizers.length === 0 && !request.dryRun && !traits.graceful) {
      this.#remove(type, { object, owners: owned }, request.by, false);
      return object;
    }
    return this.#store(type, entry, { object, owners: owned }, request);
  }

  #store(type: ResourceType, before: Entry | undefined, entry: Entry, { by, dryRun }: WriteRequest): KubeObject {
    if (dryRun) return freeze(entry.object);
    const resource = resourceName(type);
    const object = freeze(this.#versioned(entry.object));
    const entries = this.#entries.get(resource) ?? new Map<string, Entry>();
    this.#entries.set(resource, entries);
    entries.set(objectKey(object.metadata), { object, owners: entry.owners });
    this.#tell({ type: before === undefined ? 'ADDED' : 'MODIFIED', resource, object, old: before?.object, by });
    return object;
  }

  #remove(type: ResourceType, entry: Entry, by: string, orphan: boolean): void {
    const resource = resourceName(type);
    const object = freeze(this.#versioned(entry.object));
    this.#entries.get(resource)?.delete(objectKey(object.metadata));
    if (orphan) this.#orphan(object.metadata.uid ?? '');
    this.#tell({ type: 'DELETED', resource, object, old: entry.object, by });
  }

  /** Takes the owner's name off its dependents, so that they outlive it. */
  #orphan(uid: string): void {
    for (const entries of this.#entries.values())
      for (const [key, entry] of entries) {
        if (controllerOf(entry.object)?.uid !== uid) continue;
        const { ownerReferences = [], ...metadata } = entry.object.metadata;
        const left = ownerReferences.filter((reference) => reference.uid !== uid);
        const object = { ...entry.object, metadata: { ...metadata, ownerReferences: left } };
        entries.set(key, { ...entry, object: freeze(object) });
      }
  }

  #versioned(object: KubeObject): KubeObject {
    this.#version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
  }

  #tell(change: Omit<Change, 'version' | 'at'>): void {
    const complete: Change = { ...change, version: this.#version, at: this.#clock.now() };
    const changes = this.#history.get(change.resource) ?? [];
    this.#history.set(change.resource, changes);
    changes.push(complete);
    for (const listener of [...this.#listeners]) listener(complete);
  }

  /** Without order, as real ones: Kubernetes breaks ties by them. */
  #uid(): string {
    this.#uids += 1;
    const hex = createHash('sha256').update(String(this.#uids)).digest('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }

  /** As the server's random suffix, but from a counter. */
  #suffix(): string {
    return (this.#uids + 1).toString(36).padStart(5, 'x');
  }
}

const timestamp = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

const refIn = (type: ResourceType, metadata: Tree): ObjectRef => {
  const { name, namespace } = metadata as { name?: string; namespace?: string };
  if (name === undefined) throw new TypeError(`${type.kind}: metadata.name is missing`);
  if (type.namespaced && namespace === undefined)
    throw new TypeError(`${type.kind} ${name}: metadata.namespace is missing`);
  return { name, ...(namespace === undefined ? {} : { namespace }) };
};

const pick = (metadata: KubeObject['metadata'], names: readonly (keyof KubeObject['metadata'])[]): Tree =>
  Object.fromEntries(names.flatMap((name) => (metadata[name] === undefined ? [] : [[name, metadata[name]]])));

/** Empty maps and lists of the metadata are not kept. */
const clean = (metadata: Tree): Tree =>
  Object.fromEntries(
    Object.entries(metadata).filter(([name, value]) => {
      if (name === 'managedFields' || name === 'generation') return false;
      if (Array.isArray(value)) return value.length > 0;
      return isTree(value) ? Object.keys(value).length > 0 : value !== undefined && value !== null;
    }),
  );
