// A live, indexed copy of a set of objects, kept by list and watch, that tells handlers of every change and includes our
// own writes at once (read-your-writes).
import type { Api, Deletion } from '../client/api.ts';
import type { Clock, Random } from '../clock/clock.ts';
import { systemClock } from '../clock/clock.ts';
import type { Logger } from '../log/logger.ts';
import { silentLogger } from '../log/logger.ts';
import type { RuntimeMetrics } from '../metrics/metrics.ts';
import type { KubeObject, ObjectRef } from '../objects/objects.ts';
import { objectKey, refOf } from '../objects/objects.ts';
import type { ResourceType } from '../objects/resource-type.ts';
import { resourceName } from '../objects/resource-type.ts';
import type { LabelMatcher } from './label-selector.ts';
import { labelMatcher } from './label-selector.ts';
import type { Indexer, StoreChange } from './store.ts';
import { Store } from './store.ts';
import type { WatcherError, WatchTuning } from './watcher.ts';
import { watchCollection } from './watcher.ts';

/** A change that handlers are told of. Objects are shared: never modify them. */
export type Change<T extends KubeObject = KubeObject> =
  /** `initial`: it was there when the informer started (or the handler was added), so nobody edited it just now. */
  | { type: 'Added'; object: T; initial: boolean }
  | { type: 'Updated'; object: T; old: T }
  | { type: 'Deleted'; object: T };

/** Called for each change, in order, at once: it must be quick, as adding to a queue is. */
export type ChangeHandler<T extends KubeObject> = (change: Change<T>) => void;

export interface InformerScope {
  /** Only these namespaces (a watch each); absent: all. */
  namespaces?: readonly string[] | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

export interface InformerOptions<T extends KubeObject> extends InformerScope {
  api: Api;
  type: ResourceType<T>;
  /** Index name -> the values of an object, for {@link Informer.byIndex}. */
  indexers?: Record<string, Indexer<T>>;
  /** Drops fields that nobody reads, to save memory; must keep metadata. */
  transform?: (object: T) => T;
  /**
   * Keep the objects as JSON text, and parse each when it is asked for: a third of the memory and no work for the garbage collector, for some
   * microseconds at each read. For objects that are many and seldom read. Default: false.
   */
  compact?: boolean;
  clock?: Clock;
  random?: Random;
  logger?: Logger;
  metrics?: RuntimeMetrics['informer'];
  tuning?: Partial<WatchTuning>;
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** List + watch of one type within a scope. Read it with get, list and byIndex once it is synced. */
export class Informer<T extends KubeObject> {
  readonly type: ResourceType<T>;
  /** Name in logs and metrics, for example `deployments.apps`. */
  readonly name: string;
  readonly #options: InformerOptions<T>;
  readonly #store: Store<T>;
  readonly #handlers = new Set<ChangeHandler<T>>();
  readonly #matches: LabelMatcher;
  readonly #logger: Logger;
  readonly #unsynced: Set<string>;
  readonly #whenSynced = Promise.withResolvers<undefined>();
  #lastError: WatcherError | undefined;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.type = options.type;
    this.name = resourceName(options.type);
    this.#store = new Store(options);
    this.#matches = labelMatcher(options.labelSelector);
    this.#logger = (options.logger ?? silentLogger).child({ informer: this.name });
    this.#unsynced = new Set(options.namespaces ?? ['']);
    if (this.#unsynced.size === 0)
      throw new RangeError(`informer ${this.name}: an empty list of namespaces selects nothing`);
  }

  /** The object, or undefined when there is none. Shared: never modify it. */
  get(ref: ObjectRef): T | undefined {
    return this.#store.get(ref);
  }

  /** All objects, or those of one namespace. */
  list(namespace?: string): T[] {
    const all = [...this.#store.values()];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  /** The objects that the named indexer gave this value. @throws RangeError when there is no such index. */
  byIndex(index: string, value: string): T[] {
    return this.#store.byIndex(index, value);
  }

  get size(): number {
    return this.#store.size;
  }

  /** True once every list has been taken in for the first time. It stays true through later outages. */
  get synced(): boolean {
    return this.#unsynced.size === 0;
  }

  /** Resolves when synced, or when the signal aborts. */
  whenSynced(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      signal?.addEventListener('abort', finish, { once: true });
      if (signal?.aborted) finish();
      void this.#whenSynced.promise.then(finish);
    });
  }

  /** The failure that is being waited out, or undefined while all is well. */
  get lastError(): WatcherError | undefined {
    return this.#lastError;
  }

  /** Tells the handler of all objects there are, as initial, and of every change from now on. Returns the way to remove it. */
  addHandler(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.#store.values()) this.#tell(handler, { type: 'Added', object, initial: true });
    return () => void this.#handlers.delete(handler);
  }

  /**
   * Takes in the result of a write of ours, so that the next reconcile sees at least that. Events on the way that are
   * older change nothing. Objects outside the scope are ignored.
   */
  observeWrite(object: T): void {
    if (!this.#inNamespaces(object)) return;
    const ref = refOf(object);
    const known = this.#store.has(ref);
    if (!this.#matches(object.metadata.labels)) {
      this.#publish(this.#store.bury(ref, object.metadata.uid, object.metadata.resourceVersion), false);
    } else if (known || this.#options.fieldSelector === undefined) {
      // Whether a new object meets a field selector only the server knows: then the watch tells.
      this.#publish(this.#store.upsert(this.#trim(object)), false);
    }
  }

  /** A write of ours is sent. @returns to be called once its result was taken in, or there is none. */
  beginWrite(): () => void {
    this.#store.beginWrite();
    return () => this.#store.endWrite();
  }

  /** Takes in the result of a delete of ours. Without a uid it is left to the watch: a namesake may be there by now. */
  observeDelete(ref: ObjectRef, deletion: Deletion<T>): void {
    if (deletion.state === 'Terminating') this.observeWrite(deletion.object);
    else this.#publish(this.#store.bury(ref, deletion.uid), false);
  }

  /** Lists and watches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const scopes = this.#options.namespaces ?? [''];
    await Promise.all(scopes.map((namespace) => this.#follow(namespace, signal)));
  }

  async #follow(namespace: string, signal: AbortSignal): Promise<void> {
    const {
      api,
      type,
      labelSelector,
      fieldSelector,
      clock = systemClock,
      random = Math.random,
      tuning,
      metrics,
    } = this.#options;
    const selection = { ...(namespace ? { namespace } : {}), labelSelector, fieldSelector };
    const events = watchCollection({ api, type, selection, clock, random, signal, ...(tuning ? { tuning } : {}) });
    const within = (ref: ObjectRef) => namespace === '' || ref.namespace === namespace;
    let seen = new Set<string>();
    let list = 0;
    for await (const event of events) {
      switch (event.type) {
        case 'ListStarted':
          metrics?.lists.inc({ name: this.name });
          seen = new Set();
          list = this.#store.startList();
          break;
        case 'Page':
          await clock.giveWay();
          for (const item of event.items) {
            seen.add(objectKey(item.metadata));
            this.#publish(this.#store.upsert(this.#trim(item)), this.#unsynced.has(namespace));
          }
          break;
        case 'ListDone':
          for (const change of this.#store.finishList(list, event.resourceVersion, seen, within))
            this.#publish(change, false);
          seen = new Set();
          this.#finishSync(namespace);
          break;
        case 'WatchStarted':
          metrics?.watches.inc({ name: this.name });
          break;
        case 'Changed':
          this.#recovered();
          this.#publish(this.#store.upsert(this.#trim(event.object)), false);
          break;
        case 'Deleted':
          this.#recovered();
          this.#publish(this.#store.remove(this.#trim(event.object)), false);
          break;
        case 'Bookmark':
          this.#recovered();
          break;
        case 'Failed':
          this.#lastError = event.error;
          metrics?.failures.inc({ name: this.name, reason: event.error.reason });
          this.#logger.warn({ err: event.error, retryInMs: Math.round(event.retryInMs) }, event.error.message);
          break;
      }
    }
  }

  #finishSync(namespace: string): void {
    this.#recovered();
    if (this.#unsynced.delete(namespace) && this.synced) {
      this.#logger.debug({ objects: this.#store.size }, 'synced');
      this.#whenSynced.resolve(undefined);
    }
  }

  #recovered(): void {
    if (!this.#lastError) return;
    this.#lastError = undefined;
    this.#logger.info({}, 'list and watch work again');
  }

  #inNamespaces(object: T): boolean {
    const { namespaces } = this.#options;
    return !namespaces || namespaces.includes(object.metadata.namespace ?? '');
  }

  /** Without what only kubectl reads. The caller's object stays as it is. */
  #trim(object: T): T {
    const metadata = { ...object.metadata };
    if (metadata.annotations?.[lastApplied] !== undefined) {
      const { [lastApplied]: _dropped, ...annotations } = metadata.annotations;
      metadata.annotations = annotations;
    }
    const trimmed = { ...object, metadata };
    return this.#options.transform ? this.#options.transform(trimmed) : trimmed;
  }

  #publish(change: StoreChange<T>, initial: boolean): void {
    if (change.type === 'Nothing') return;
    this.#options.metrics?.objects.set({ name: this.name }, this.#store.size);
    const told: Change<T> = change.type === 'Added' ? { ...change, initial } : change;
    for (const handler of this.#handlers) this.#tell(handler, told);
  }

  #tell(handler: ChangeHandler<T>, change: Change<T>): void {
    try {
      handler(change);
    } catch (error) {
      // One handler's mistake must not stop the informer for all others.
      this.#logger.error(
        { err: error, change: change.type, object: objectKey(change.object.metadata) },
        'a change handler failed',
      );
    }
  }
}
