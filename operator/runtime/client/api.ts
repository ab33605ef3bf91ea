// The one interface through which this package, and every controller, speaks to the API server. A simulator can stand
// behind it as well: nothing here knows of HTTP.
import type { ApplyConfiguration, Draft, KubeObject, ObjectRef } from '../objects/objects.ts';
import type { ResourceType } from '../objects/resource-type.ts';

/** Options of every request. */
export interface RequestOptions {
  signal?: AbortSignal | undefined;
  /** Limit for the whole request with its retries, ms. Default: the client's. */
  timeoutMs?: number;
}

/** What to list or watch. Absent members do not restrict. */
export interface Selection {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

export interface PageOptions extends RequestOptions, Selection {
  /** Objects per page. */
  limit?: number;
  /** A page that is longer, bytes, is not read to its end: TransportError TooLong. Default: any length. */
  maxBytes?: number | undefined;
  /** Token of the page before. */
  continueToken?: string | undefined;
  /** `'0'`: any version the server has cached; absent: the newest. */
  resourceVersion?: string | undefined;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}

/** A page of a list. All pages of a list have the same resource version. */
export interface Page<T> {
  items: T[];
  resourceVersion: string;
  /** Present when there is more. */
  continueToken: string | undefined;
  remainingItemCount: number | undefined;
}

export interface ObjectList<T> {
  items: T[];
  resourceVersion: string;
}

export interface WriteOptions extends RequestOptions {
  /** Validate and admit, but do not store. */
  dryRun?: boolean;
  /** Name of the manager that owns the written fields. Default: the client's. */
  fieldManager?: string;
  /** What the API server does about fields that the type does not have. Default `Warn`: it takes the object without them. */
  fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
}

export interface ApplyOptions extends WriteOptions {
  /** Take over fields that others own. Default true: a controller owns what it applies. */
  force?: boolean;
  /** Write the status instead of all but the status. */
  subresource?: 'status';
}

export interface SubresourceOptions extends WriteOptions {
  /** Write the status instead of all but the status. */
  subresource?: 'status';
}

export interface DeleteOptions extends RequestOptions {
  dryRun?: boolean;
  /** Delete only this incarnation, at this version: 409 Conflict otherwise. */
  preconditions?: { uid?: string; resourceVersion?: string };
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  gracePeriodSeconds?: number;
}

/** What became of a delete: removed at once, or marked and waiting for finalizers or a grace period. */
export type Deletion<T> = { state: 'Gone'; uid: string | undefined } | { state: 'Terminating'; object: T };

export interface WatchOptions extends Selection {
  /**
   * Where to go on from: the version of a list or of the last event seen. Undefined: from what there is; each object comes as ADDED, then a bookmark with
   * `initialEventsEnd` (a streaming list, KEP-3157). A server that cannot do that refuses: ApiError 422.
   */
  resourceVersion: string | undefined;
  /** After how long the server ends the watch, s. */
  timeoutSeconds: number;
  /** Ends with a Timeout error when nothing, not even a bookmark, came for so long, ms. */
  idleTimeoutMs?: number;
  signal?: AbortSignal | undefined;
}

/** An event of a watch. A bookmark carries only the version up to which everything was sent. */
export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  | {
      type: 'BOOKMARK';
      resourceVersion: string;
      /** What there was when the watch began has been sent. */
      initialEventsEnd?: true;
    };

/**
 * Typed access to the API server. Every method throws `ApiError` when the server refuses and `TransportError` when no
 * usable answer came (a write may then have happened).
 */
export interface Api {
  /** @throws ApiError 404 when there is no such object; see {@link Api.find}. */
  get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, options?: RequestOptions): Promise<T>;
  /** As get, but undefined when there is no such object. */
  find<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, options?: RequestOptions): Promise<T | undefined>;
  /** One page of a list. */
  page<T extends KubeObject>(type: ResourceType<T>, options?: PageOptions): Promise<Page<T>>;
  /** The whole list, fetched by pages. */
  list<T extends KubeObject>(type: ResourceType<T>, options?: PageOptions): Promise<ObjectList<T>>;
  create<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>, options?: WriteOptions): Promise<T>;
  /** Replaces the object; with `metadata.resourceVersion` only if it is unchanged (409 Conflict otherwise). */
  update<T extends KubeObject>(type: ResourceType<T>, object: T, options?: SubresourceOptions): Promise<T>;
  /** Replaces the status only. */
  updateStatus<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T>;
  /** Server-side apply: creates or changes, and removes fields that this manager applied before and now leaves out. */
  apply<T extends KubeObject>(type: ResourceType<T>, object: ApplyConfiguration<T>, options?: ApplyOptions): Promise<T>;
  /** Server-side apply of the status. */
  applyStatus<T extends KubeObject>(
    type: ResourceType<T>,
    object: ApplyConfiguration<T>,
    options?: ApplyOptions,
  ): Promise<T>;
  /** JSON merge patch (RFC 7386): null removes a field. */
  patch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: object,
    options?: SubresourceOptions,
  ): Promise<T>;
  delete<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, options?: DeleteOptions): Promise<Deletion<T>>;
  /**
   * Streams changes until the server ends the watch (the iteration then ends) or it fails (the iteration throws; an
   * ERROR event becomes an ApiError, 410 Gone among them).
   */
  watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
}
