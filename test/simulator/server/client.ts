// The Api of one simulated process: its requests travel over a simulated network to the simulated server.
import {
  type Api,
  type ApplyConfiguration,
  type ApplyOptions,
  defaultPageSize,
  type DeleteOptions,
  type Deletion,
  type Draft,
  isNotFound,
  type KubeObject,
  labelMatcher,
  type ObjectList,
  type ObjectRef,
  type Page,
  type PageOptions,
  refOf,
  type RequestOptions,
  type ResourceType,
  resourceName,
  type Selection,
  type SubresourceOptions,
  type WatchEvent,
  type WatchOptions,
  type WriteOptions,
} from '@assistant-platform/runtime';
import type { CallInfo, Mishap, Network } from './network.ts';
import type { ProcessClock } from './process-clock.ts';
import { conflict, expired, internalError, invalid, noAnswer, tooManyRequests, unavailable } from './refusals.ts';
import type { ApiServer, WriteRequest } from './server.ts';
import type { Tree } from './trees.ts';
import { followChanges } from './watch.ts';

export interface SimulatedApiOptions {
  readonly server: ApiServer;
  readonly clock: ProcessClock;
  readonly network: Network;
  /** Its field manager. */
  readonly name: string;
  /** How the network knows this process. */
  readonly identity: string;
  /** Called when the process is killed by a mishap. */
  readonly onDeath?: () => void;
}

/** As the requester's: no answer within this time is a failure. */
const TIMEOUT_MS = 30_000;

interface Continuation {
  readonly rest: readonly KubeObject[];
  readonly version: number;
}

/** See the head of the file. Objects that it gives are frozen. */
export class SimulatedApi implements Api {
  readonly #options: SimulatedApiOptions;
  readonly #pages = new Map<string, Continuation>();
  readonly #openWatches = new Set<(error: Error) => void>();

  constructor(options: SimulatedApiOptions) {
    this.#options = options;
  }

  /** Cuts every open watch, as a load balancer or a restarted API server does. Returns how many. */
  dropWatches(): number {
    const cuts = [...this.#openWatches];
    for (const cut of cuts) cut(noAnswer(ANY, 'Connection', 'the connection was cut'));
    return cuts.length;
  }

  get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, options: RequestOptions = {}): Promise<T> {
    return this.#call('get', type, ref, options, (server) => server.get(type, ref));
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

  page<T extends KubeObject>(type: ResourceType<T>, options: PageOptions = {}): Promise<Page<T>> {
    return this.#call('list', type, undefined, options, (server) => {
      const limit = options.limit ?? Infinity;
      const begun = options.continueToken === undefined ? undefined : this.#pages.get(options.continueToken);
      if (options.continueToken !== undefined && (begun === undefined || begun.version < server.forgotten))
        throw expired(type);
      const items = begun?.rest ?? server.list(type).filter(selects(options));
      const version = begun?.version ?? server.version;
      const rest = items.slice(limit);
      const continueToken = rest.length === 0 ? undefined : `${version}:${rest.length}:${this.#pages.size}`;
      if (continueToken !== undefined) this.#pages.set(continueToken, { rest, version });
      return {
        items: items.slice(0, limit) as T[],
        resourceVersion: String(version),
        continueToken,
        remainingItemCount: continueToken === undefined ? undefined : rest.length,
      };
    });
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: PageOptions = {}): Promise<ObjectList<T>> {
    const items: T[] = [];
    let continueToken = options.continueToken;
    for (;;) {
      const page = await this.page(type, { limit: defaultPageSize, ...options, continueToken });
      items.push(...page.items);
      if (page.continueToken === undefined) return { items, resourceVersion: page.resourceVersion };
      continueToken = page.continueToken;
    }
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>, options: WriteOptions = {}): Promise<T> {
    const { name = '', namespace } = object.metadata;
    const ref = { name, ...(namespace === undefined ? {} : { namespace }) };
    return this.#call(
      'create',
      type,
      ref,
      options,
      (server) => server.create(type, tree(object), this.#write(options)) as T,
    );
  }

  update<T extends KubeObject>(type: ResourceType<T>, object: T, options: SubresourceOptions = {}): Promise<T> {
    return this.#call(
      'update',
      type,
      refOf(object),
      options,
      (server) => server.update(type, tree(object), this.#write(options)) as T,
    );
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
    const ref = { name, ...(namespace === undefined ? {} : { namespace }) };
    const request = { ...this.#write(options), force: options.force ?? true };
    return this.#call('apply', type, ref, options, (server) => server.apply(type, tree(object), request) as T);
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
    return this.#call(
      'patch',
      type,
      ref,
      options,
      (server) => server.patch(type, ref, tree(patch), this.#write(options)) as T,
    );
  }

  delete<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: DeleteOptions = {},
  ): Promise<Deletion<T>> {
    return this.#call('delete', type, ref, options, (server) =>
      server.delete(type, ref, { ...options, by: this.#options.name }),
    );
  }

  async *watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { server, clock, network } = this.#options;
    const call = this.#info('watch', type, undefined);
    const broken = new AbortController();
    const cut = (error: Error): void => broken.abort(error);
    this.#openWatches.add(cut);
    try {
      await this.#call('watch', type, undefined, { signal: options.signal }, () => {
        if (options.resourceVersion === undefined && !server.streamsLists)
          throw invalid(type, { name: '' }, 'sendInitialEvents', 'is forbidden for watch here');
      });
      const matches = selects(options);
      yield* followChanges<T>({
        server,
        clock,
        type,
        options,
        matches,
        broken: broken.signal,
        lag: () => network.watchLag(call),
        replays: network.replays(call),
      });
    } finally {
      this.#openWatches.delete(cut);
    }
  }

  #info(verb: CallInfo['verb'], type: ResourceType, ref: ObjectRef | undefined): CallInfo {
    const writes = verb !== 'get' && verb !== 'list' && verb !== 'watch';
    return { client: this.#options.identity, verb, resource: resourceName(type), ref, writes };
  }

  #write({ dryRun, fieldManager, subresource }: SubresourceOptions): WriteRequest {
    return { by: fieldManager ?? this.#options.name, dryRun, subresource };
  }

  /** One request: on its way, carried out, and its answer on the way back. */
  async #call<T>(
    verb: CallInfo['verb'],
    type: ResourceType,
    ref: ObjectRef | undefined,
    { signal, timeoutMs = TIMEOUT_MS }: RequestOptions,
    carryOut: (server: ApiServer) => T,
  ): Promise<T> {
    const { server, network, clock } = this.#options;
    const call = this.#info(verb, type, ref);
    await travel(clock, network.latency(call), type, signal);
    const mishap = network.mishap(call);
    const refusal = mishap?.kind === 'Refused' ? refusalOf(mishap, type, ref ?? { name: '' }) : undefined;
    if (mishap?.kind === 'ClientDies' && mishap.when === 'Before') return this.#die();
    if (mishap?.kind === 'RequestLost') return this.#timeOut(type, timeoutMs, signal);
    let answer: T;
    try {
      if (refusal !== undefined) throw refusal;
      answer = carryOut(server);
    } catch (error) {
      await travel(clock, network.latency(call), type, signal);
      throw error;
    }
    if (mishap?.kind === 'ClientDies') return this.#die();
    if (mishap?.kind === 'AnswerLost') return this.#timeOut(type, timeoutMs, signal);
    await travel(clock, network.latency(call), type, signal);
    return answer;
  }

  async #timeOut(type: ResourceType, timeoutMs: number, signal: AbortSignal | undefined): Promise<never> {
    await travel(this.#options.clock, timeoutMs, type, signal);
    throw noAnswer(type, 'Timeout', `no answer within ${timeoutMs} ms`);
  }

  /** The process is gone: what it waited for never comes. */
  #die(): Promise<never> {
    this.#options.onDeath?.();
    return new Promise<never>(() => undefined);
  }
}

const ANY: ResourceType = { apiVersion: 'v1', kind: 'Any', plural: 'any', namespaced: false };
const tree = (object: object): Tree => object as Tree;

function refusalOf({ code }: Extract<Mishap, { kind: 'Refused' }>, type: ResourceType, ref: ObjectRef): Error {
  switch (code) {
    case 409:
      return conflict(type, ref, 'the object has been modified');
    case 410:
      return expired(type);
    case 429:
      return tooManyRequests(type, ref);
    case 500:
      return internalError(type, ref);
    case 503:
      return unavailable(type, ref);
  }
}

/** What a selection selects. @throws SyntaxError for a label selector that cannot be read. */
function selects({ namespace, labelSelector, fieldSelector }: Selection): (object: KubeObject) => boolean {
  const matches = labelMatcher(labelSelector);
  const [, field, value] = /^metadata\.(name|namespace)==?(.+)$/.exec(fieldSelector ?? '') ?? [];
  if (fieldSelector !== undefined && field === undefined)
    throw new SyntaxError(
      `the simulated server knows metadata.name and metadata.namespace only, not "${fieldSelector}"`,
    );
  return ({ metadata }) =>
    (namespace === undefined || metadata.namespace === namespace) &&
    matches(metadata.labels) &&
    (field === undefined || metadata[field as 'name' | 'namespace'] === value);
}

/** Waits for a message's way. Never ends when the process is killed meanwhile. @throws TransportError when it is given up. */
function travel(clock: ProcessClock, ms: number, type: ResourceType, signal: AbortSignal | undefined): Promise<void> {
  // Most requests of tests take no time at all.
  if (ms === 0 && !clock.dead && signal?.aborted !== true) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      timer.cancel();
      reject(noAnswer(type, 'Aborted', 'given up by the caller'));
    };
    const timer = clock.timer(ms, () => {
      signal?.removeEventListener('abort', giveUp);
      resolve();
    });
    if (signal?.aborted === true) giveUp();
    else signal?.addEventListener('abort', giveUp, { once: true });
  });
}
