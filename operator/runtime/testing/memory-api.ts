// A small API server in memory behind the Api interface: resource versions, optimistic locking, uids, watches. It tells the
// truth about the little it does (no admission, no field managers, no finalizers), for tests that need a manual clock.
import { randomUUID } from 'node:crypto';
import type { Api, Deletion, Page, PageOptions, Selection, WatchEvent, WatchOptions } from '../client/api.ts';
import { ApiError, isNotFound } from '../client/errors.ts';
import type { ApplyConfiguration, Draft, KubeObject, ObjectRef } from '../objects/objects.ts';
import { objectKey } from '../objects/objects.ts';
import type { ResourceType } from '../objects/resource-type.ts';
import { resourceName } from '../objects/resource-type.ts';

interface LogEntry {
  resource: string;
  version: number;
  event: WatchEvent<KubeObject>;
}

/** Called before each request; throw from it to let the request fail. */
export type Interceptor = (verb: string, resource: string, ref: ObjectRef) => void | Promise<void>;

/** See the head of the file. */
export class MemoryApi implements Api {
  readonly #objects = new Map<string, KubeObject>();
  readonly #log: LogEntry[] = [];
  readonly #watchers = new Set<() => void>();
  #version = 0;
  /** Set by tests that want requests to fail or to wait. */
  intercept: Interceptor = () => undefined;

  async get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Promise<T> {
    await this.intercept('get', resourceName(type), ref);
    return this.#stored(type, ref);
  }

  async find<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Promise<T | undefined> {
    try {
      return await this.get(type, ref);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async page<T extends KubeObject>(type: ResourceType<T>, options: PageOptions = {}): Promise<Page<T>> {
    await this.intercept('list', resourceName(type), { name: '' });
    return {
      items: this.#all(type, options),
      resourceVersion: String(this.#version),
      continueToken: undefined,
      remainingItemCount: undefined,
    };
  }

  list<T extends KubeObject>(type: ResourceType<T>, options: PageOptions = {}): Promise<Page<T>> {
    return this.page(type, options);
  }

  async create<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>): Promise<T> {
    const name = object.metadata.name ?? `${object.metadata.generateName ?? ''}${randomUUID().slice(0, 5)}`;
    const ref = { ...object.metadata, name };
    await this.intercept('create', resourceName(type), ref);
    if (this.#objects.has(keyOf(type, ref))) throw refusal(409, 'AlreadyExists', type, ref);
    return this.#store(type, { ...object, metadata: { ...ref, uid: randomUUID() } }, 'ADDED');
  }

  async update<T extends KubeObject>(type: ResourceType<T>, object: T): Promise<T> {
    await this.intercept('update', resourceName(type), object.metadata);
    const { metadata } = this.#stored(type, object.metadata);
    const wanted = object.metadata.resourceVersion;
    if (wanted && wanted !== metadata.resourceVersion) throw refusal(409, 'Conflict', type, object.metadata);
    return this.#store(type, { ...object, metadata: { ...object.metadata, uid: metadata.uid } }, 'MODIFIED');
  }

  updateStatus<T extends KubeObject>(type: ResourceType<T>, object: T): Promise<T> {
    return this.update(type, object);
  }

  async apply<T extends KubeObject>(type: ResourceType<T>, object: ApplyConfiguration<T>): Promise<T> {
    await this.intercept('apply', resourceName(type), object.metadata);
    const existing = this.#objects.get(keyOf(type, object.metadata));
    const merged = mergePatch(existing ?? {}, object) as T;
    return this.#store(
      type,
      { ...merged, metadata: { ...merged.metadata, uid: existing?.metadata.uid ?? randomUUID() } },
      existing ? 'MODIFIED' : 'ADDED',
    );
  }

  applyStatus<T extends KubeObject>(type: ResourceType<T>, object: ApplyConfiguration<T>): Promise<T> {
    return this.apply(type, object);
  }

  async patch<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, patch: object): Promise<T> {
    await this.intercept('patch', resourceName(type), ref);
    return this.#store(type, mergePatch(this.#stored(type, ref), patch) as T, 'MODIFIED');
  }

  async delete<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Promise<Deletion<T>> {
    await this.intercept('delete', resourceName(type), ref);
    const object = this.#stored(type, ref);
    this.#objects.delete(keyOf(type, ref));
    this.#record(
      type,
      { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } },
      'DELETED',
    );
    return { state: 'Gone', uid: object.metadata.uid };
  }

  async *watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    await this.intercept('watch', resourceName(type), { name: '' });
    const resource = resourceName(type);
    let from = Number(options.resourceVersion);
    if (options.resourceVersion === undefined) {
      from = this.#version;
      for (const object of this.#all(type, options)) yield { type: 'ADDED', object };
      yield { type: 'BOOKMARK', resourceVersion: String(from), initialEventsEnd: true };
    }
    let next = this.#log.findIndex((entry) => entry.version > from);
    if (next < 0) next = this.#log.length;
    const stopped = () => options.signal?.aborted ?? false;
    while (!stopped()) {
      for (; next < this.#log.length; next++) {
        const entry = this.#log[next];
        if (entry?.resource === resource) yield structuredClone(entry.event) as WatchEvent<T>;
      }
      if (!stopped()) await this.#nextEvent(options.signal);
    }
  }

  #all<T extends KubeObject>(type: ResourceType<T>, { namespace }: Selection): T[] {
    const prefix = `${resourceName(type)}|`;
    return [...this.#objects]
      .filter(([key, { metadata }]) => key.startsWith(prefix) && (!namespace || metadata.namespace === namespace))
      .map(([, object]) => structuredClone(object) as T);
  }

  #nextEvent(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#watchers.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#watchers.add(wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  #stored<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): T {
    const object = this.#objects.get(keyOf(type, ref));
    if (!object) throw refusal(404, 'NotFound', type, ref);
    return structuredClone(object) as T;
  }

  #store<T extends KubeObject>(type: ResourceType<T>, object: object, event: 'ADDED' | 'MODIFIED'): T {
    const { metadata } = object as T;
    const { apiVersion, kind } = type;
    const stored = structuredClone({
      ...object,
      apiVersion,
      kind,
      metadata: { ...metadata, resourceVersion: String(++this.#version) },
    });
    this.#objects.set(keyOf(type, metadata), stored);
    this.#record(type, stored, event);
    return structuredClone(stored) as unknown as T;
  }

  #record(type: ResourceType, object: KubeObject, event: 'ADDED' | 'MODIFIED' | 'DELETED'): void {
    this.#log.push({ resource: resourceName(type), version: this.#version, event: { type: event, object } });
    for (const wake of [...this.#watchers]) wake();
  }
}

const keyOf = (type: ResourceType, ref: ObjectRef): string => `${resourceName(type)}|${objectKey(ref)}`;

const refusal = (code: number, reason: string, type: ResourceType, ref: ObjectRef): ApiError =>
  new ApiError(`memory ${resourceName(type)}`, code, {
    kind: 'Status',
    code,
    reason,
    message: `${resourceName(type)} ${objectKey(ref)}`,
  });

/** RFC 7386. */
const mergePatch = (target: unknown, patch: unknown): unknown => {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const merged = new Map<string, unknown>(
    typeof target === 'object' && target !== null && !Array.isArray(target) ? Object.entries(target) : [],
  );
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
};
