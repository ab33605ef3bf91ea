// The Api over HTTP: which path, method and content type each operation has, and what its answer means.
import type { ApplyConfiguration, Draft, KubeObject, ObjectRef } from '../objects/objects.ts';
import { refOf } from '../objects/objects.ts';
import type { ResourcePath, ResourceType } from '../objects/resource-type.ts';
import { pathOf } from '../objects/resource-type.ts';
import type {
  Api,
  ApplyOptions,
  DeleteOptions,
  Deletion,
  ObjectList,
  Page,
  PageOptions,
  RequestOptions,
  SubresourceOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './api.ts';
import type { ApiStatus } from './errors.ts';
import { isNotFound, TransportError } from './errors.ts';
import type { Call, RequesterOptions } from './requester.ts';
import { Requester } from './requester.ts';

export interface ApiClientOptions extends Omit<RequesterOptions, 'userAgent'> {
  /** Field manager of every write, for example `assistant-operator`. */
  fieldManager: string;
  /** Default: the field manager. */
  userAgent?: string;
}

/** Objects per page of a list. kube-rs and client-go use the same. */
export const defaultPageSize = 500;

interface StoredList<T> {
  items?: T[];
  metadata?: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
}

/** {@link Api} over HTTPS. Objects come without `managedFields`. One instance for all of a program's requests; leader election takes one of its own. */
export class ApiClient implements Api {
  readonly #requester: Requester;
  readonly #fieldManager: string;

  constructor(options: ApiClientOptions) {
    this.#requester = new Requester({ userAgent: options.fieldManager, ...options });
    this.#fieldManager = options.fieldManager;
  }

  get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, options: RequestOptions = {}): Promise<T> {
    return this.#object(type, { ...options, verb: 'GET', method: 'GET', path: pathOf(type, ref) });
  }

  async find<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: RequestOptions = {},
  ): Promise<T | undefined> {
    try {
      return await this.get(type, ref, options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async page<T extends KubeObject>(type: ResourceType<T>, options: PageOptions = {}): Promise<Page<T>> {
    const {
      namespace,
      labelSelector,
      fieldSelector,
      limit,
      continueToken,
      resourceVersion,
      resourceVersionMatch,
      ...rest
    } = options;
    const path = pathOf(type, namespace ? { namespace } : {});
    // With a continue token the server knows the version; giving one again is refused.
    const version = continueToken ? {} : { resourceVersion, resourceVersionMatch };
    const query = { labelSelector, fieldSelector, limit, continue: continueToken, ...version };
    const list = (await this.#requester.call({ ...rest, verb: 'LIST', method: 'GET', path, query })) as StoredList<T>;
    // Taking a proxy's `{}` for an empty list would empty every cache.
    if (!list.metadata?.resourceVersion)
      throw new TransportError(`GET ${path}`, 'Malformed', 'the answer is no list: it has no metadata.resourceVersion');
    const items = list.items ?? [];
    // Items of a typed list come without their type.
    for (const item of items) {
      item.apiVersion = type.apiVersion;
      item.kind = type.kind;
    }
    return {
      items,
      resourceVersion: list.metadata.resourceVersion,
      continueToken: list.metadata.continue === '' ? undefined : list.metadata.continue,
      remainingItemCount: list.metadata.remainingItemCount,
    };
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: PageOptions = {}): Promise<ObjectList<T>> {
    const items: T[] = [];
    let continueToken = options.continueToken;
    for (;;) {
      const page = await this.page(type, { limit: defaultPageSize, ...options, continueToken });
      for (const item of page.items) items.push(item);
      if (page.continueToken === undefined) return { items, resourceVersion: page.resourceVersion };
      continueToken = page.continueToken;
    }
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>, options: WriteOptions = {}): Promise<T> {
    const { namespace } = object.metadata;
    if (type.namespaced && !namespace) throw new TypeError(`create ${type.kind}: metadata.namespace is missing`);
    const path = pathOf(type, namespace ? { namespace } : {});
    return this.#write(type, { verb: 'POST', method: 'POST', path, body: typed(type, object) }, options);
  }

  update<T extends KubeObject>(type: ResourceType<T>, object: T, options: SubresourceOptions = {}): Promise<T> {
    const path = pathOf(type, at(refOf(object), options.subresource));
    return this.#write(type, { verb: 'PUT', method: 'PUT', path, body: typed(type, object) }, options);
  }

  updateStatus<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.update(type, object, { ...options, subresource: 'status' });
  }

  apply<T extends KubeObject>(
    type: ResourceType<T>,
    object: ApplyConfiguration<T>,
    options: ApplyOptions = {},
  ): Promise<T> {
    const { name, namespace } = object.metadata;
    const path = pathOf(type, at({ name, ...(namespace ? { namespace } : {}) }, options.subresource));
    // YAML is a superset of JSON: the content type is `apply-patch+yaml`, the body may be JSON (API concepts, SSA).
    const contentType = 'application/apply-patch+yaml';
    const query = { force: options.force ?? true };
    return this.#write(
      type,
      { verb: 'APPLY', method: 'PATCH', path, body: typed(type, object), contentType, query },
      options,
    );
  }

  applyStatus<T extends KubeObject>(
    type: ResourceType<T>,
    object: ApplyConfiguration<T>,
    options: ApplyOptions = {},
  ): Promise<T> {
    return this.apply(type, object, { ...options, subresource: 'status' });
  }

  patch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: object,
    options: SubresourceOptions = {},
  ): Promise<T> {
    const path = pathOf(type, at(ref, options.subresource));
    const contentType = 'application/merge-patch+json';
    return this.#write(type, { verb: 'PATCH', method: 'PATCH', path, body: patch, contentType }, options);
  }

  async delete<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: DeleteOptions = {},
  ): Promise<Deletion<T>> {
    const { signal, timeoutMs, dryRun, ...rest } = options;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...rest, ...(dryRun ? { dryRun: ['All'] } : {}) };
    const answer = (await this.#requester.call({
      verb: 'DELETE',
      method: 'DELETE',
      path: pathOf(type, ref),
      body,
      signal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })) as ApiStatus | T;
    if (answer.kind === 'Status') return { state: 'Gone', uid: (answer as ApiStatus).details?.uid };
    const object = typed(type, answer as T);
    // Of some types (Services) the answer is the object as it was last.
    return object.metadata.deletionTimestamp === undefined
      ? { state: 'Gone', uid: object.metadata.uid }
      : { state: 'Terminating', object };
  }

  watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    const { namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, idleTimeoutMs, signal } = options;
    const from =
      resourceVersion === undefined
        ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
        : { resourceVersion };
    const scope = { labelSelector, fieldSelector, ...from, timeoutSeconds };
    const path = pathOf(type, namespace ? { namespace } : {});
    return this.#requester.watch<T>({
      path,
      query: { watch: true, allowWatchBookmarks: true, ...scope },
      idleTimeoutMs,
      signal,
    });
  }

  /** Closes all connections. Requests under way fail. */
  close(): void {
    this.#requester.close();
  }

  #write<T extends KubeObject>(type: ResourceType<T>, call: Call, options: WriteOptions): Promise<T> {
    const { signal, timeoutMs, dryRun, fieldManager, fieldValidation } = options;
    return this.#object(type, {
      ...call,
      signal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      query: {
        fieldManager: fieldManager ?? this.#fieldManager,
        dryRun: dryRun ? 'All' : undefined,
        fieldValidation,
        ...call.query,
      },
    });
  }

  async #object<T extends KubeObject>(type: ResourceType<T>, call: Call): Promise<T> {
    const object = (await this.#requester.call(call)) as T | { metadata?: undefined };
    if (!object.metadata)
      throw new TransportError(
        `${call.method} ${call.path}`,
        'Malformed',
        'the answer is no object: it has no metadata',
      );
    return typed(type, object);
  }
}

const at = (ref: ObjectRef, subresource: string | undefined): ResourcePath =>
  subresource ? { ...ref, subresource } : ref;

const typed = <T extends object>(type: ResourceType, object: T): T & { apiVersion: string; kind: string } => ({
  ...object,
  apiVersion: type.apiVersion,
  kind: type.kind,
});
