// Puts the parts of an operator together and runs them in the right order: health port, informers, sync, leadership,
// controllers; and stops them in the opposite one. A standby has warm caches and full queues: when it comes to lead, it
// starts to reconcile at once.
import { collectDefaultMetrics } from 'prom-client';
import type { InformerOptions } from '../cache/informer.ts';
import { Informer } from '../cache/informer.ts';
import type { WriteObserver } from '../cache/observed-writes.ts';
import { withObservedWrites } from '../cache/observed-writes.ts';
import type { Api } from '../client/api.ts';
import { ApiClient } from '../client/api-client.ts';
import type { Connection } from '../client/connection.ts';
import type { RateLimit } from '../client/token-bucket.ts';
import type { Clock, Random } from '../clock/clock.ts';
import { sleep, systemClock } from '../clock/clock.ts';
import type { LeaderElectionTimes, Leadership } from '../election/leader-elector.ts';
import { LeaderElector } from '../election/leader-elector.ts';
import type { Logger } from '../log/logger.ts';
import { jsonLogger } from '../log/logger.ts';
import { Registry, runtimeMetrics } from '../metrics/metrics.ts';
import type { KubeObject } from '../objects/objects.ts';
import type { ResourceType } from '../objects/resource-type.ts';
import { resourceName } from '../objects/resource-type.ts';
import type { ControllerOptions } from '../reconcile/controller.ts';
import { Controller } from '../reconcile/controller.ts';
import { EventRecorder } from '../recorder/event-recorder.ts';
import type { Check, HealthServer } from './http-server.ts';
import { startHealthServer } from './http-server.ts';

/** Where the API is: a connection to the API server, or an Api of your own (a simulator, say). */
export type ManagerTarget = { connection: Connection; rateLimit?: RateLimit } | { api: Api; electionApi?: Api };

export interface ManagerBaseOptions {
  /** Name of the operator: field manager, User-Agent and lease, for example `assistant-operator`. */
  name: string;
  /** Reporter of events, a qualified name. Default: the name. */
  reportingController?: string;
  /** Which namespaces informers of namespaced types follow unless they say otherwise. Default: all. */
  namespaces?: readonly string[];
  /** Absent: no election, this process just leads. */
  leaderElection?: LeaderElectionTimes & { namespace: string; name?: string; identity?: string };
  /** Port of health and metrics; absent: none. */
  http?: { port: number; host?: string };
  /** How long running reconciles may take to finish on stop, ms. Default 20,000 (a pod has 30 s). */
  graceMs?: number;
  registry?: Registry;
  logger?: Logger;
  clock?: Clock;
  random?: Random;
}

export type ManagerOptions = ManagerBaseOptions & ManagerTarget;

/** Something that runs until its signal aborts, beside the controllers. */
export interface Runnable {
  name: string;
  /** Only on the leader. Default true. */
  leaderOnly?: boolean;
  run(signal: AbortSignal): Promise<void>;
}

type InformerSettings<T extends KubeObject> = Omit<
  InformerOptions<T>,
  'api' | 'type' | 'clock' | 'random' | 'logger' | 'metrics'
>;

/** See the head of the file. Make informers and controllers first, then call {@link Manager.run}. */
export class Manager {
  /** Reads go to the API server; writes are shown to the informers at once (read-your-writes). */
  readonly api: Api;
  readonly events: EventRecorder;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly #options: ManagerOptions;
  readonly #elector: LeaderElector | undefined;
  readonly #informers: {
    informer: WriteObserver & Pick<Informer<KubeObject>, 'name' | 'synced' | 'lastError' | 'whenSynced' | 'run'>;
    resource: string;
  }[] = [];
  readonly #controllers: Controller[] = [];
  readonly #runnables: Runnable[] = [];
  readonly #healthChecks: Check[] = [];
  readonly #readyChecks: Check[] = [];
  readonly #rawApi: Api;
  readonly #owned: ApiClient[] = [];
  #phase: 'Made' | 'Running' | 'Stopping' | 'Stopped' = 'Made';
  #server: HealthServer | undefined;

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.clock = options.clock ?? systemClock;
    this.logger = options.logger ?? jsonLogger();
    this.registry = options.registry ?? newRegistry();
    const metrics = runtimeMetrics(this.registry);
    const { name } = options;
    this.#rawApi = this.#apiFor(options, 'requests');
    this.api = withObservedWrites(this.#rawApi, (resource) =>
      this.#informers.filter((entry) => entry.resource === resource).map((entry) => entry.informer),
    );
    this.events = new EventRecorder({
      api: this.#rawApi,
      reportingController: options.reportingController ?? name,
      clock: this.clock,
      logger: this.logger,
      ...(options.random ? { random: options.random } : {}),
      metrics: metrics.events,
    });
    if (options.leaderElection) {
      this.#elector = new LeaderElector({
        name,
        ...options.leaderElection,
        api: this.#apiFor(options, 'election'),
        clock: this.clock,
        ...(options.random ? { random: options.random } : {}),
        logger: this.logger,
        metrics: metrics.leader,
      });
    }
    this.#readyChecks.push(
      { name: 'running', run: () => (this.#phase === 'Running' ? undefined : this.#phase.toLowerCase()) },
      { name: 'informer-sync', run: () => this.#unsynced() },
    );
  }

  /** Port of health and metrics while running, for tests that asked for a free one. */
  get port(): number | undefined {
    return this.#server?.port;
  }

  /** True while this process may reconcile. Without leader election: while it runs. */
  get leading(): boolean {
    return this.#elector ? this.#elector.leading : this.#phase === 'Running';
  }

  /**
   * Makes the informer of a type. One per type: with no settings a second call gives the same one.
   * @throws Error when the type has an informer and other settings are asked for, or the manager runs already.
   */
  informer<T extends KubeObject>(type: ResourceType<T>, settings?: InformerSettings<T>): Informer<T> {
    const resource = resourceName(type);
    const existing = this.#informers.find((entry) => entry.resource === resource);
    if (existing) {
      if (settings) throw new Error(`there is an informer of ${resource} already: give its settings at the first call`);
      return existing.informer as unknown as Informer<T>;
    }
    this.#assertMade(`an informer of ${resource}`);
    const informer = new Informer<T>({
      ...(type.namespaced && this.#options.namespaces ? { namespaces: this.#options.namespaces } : {}),
      ...settings,
      api: this.#rawApi,
      type,
      clock: this.clock,
      ...(this.#options.random ? { random: this.#options.random } : {}),
      logger: this.logger,
      metrics: runtimeMetrics(this.registry).informer,
    });
    this.#informers.push({ informer: informer, resource });
    return informer;
  }

  /** Makes a controller; it runs on the leader only. Give it its watches before the manager runs. */
  controller(options: Omit<ControllerOptions, 'clock' | 'logger' | 'registry'>): Controller {
    this.#assertMade(`controller ${options.name}`);
    const random = this.#options.random ? { random: this.#options.random } : {};
    const controller = new Controller({
      ...random,
      ...options,
      clock: this.clock,
      logger: this.logger,
      registry: this.registry,
    });
    this.#controllers.push(controller);
    this.#healthChecks.push({ name: `controller ${controller.name}`, run: () => controller.stuck });
    return controller;
  }

  /** Adds something that runs beside the controllers. */
  add(runnable: Runnable): void {
    this.#assertMade(runnable.name);
    this.#runnables.push(runnable);
  }

  /** Adds a check to `/healthz` (failing: restart me) or `/readyz` (failing: I cannot work now). */
  addCheck(page: 'healthz' | 'readyz', check: Check): void {
    (page === 'healthz' ? this.#healthChecks : this.#readyChecks).push(check);
  }

  /**
   * Runs until the signal aborts and everything has stopped.
   * @throws LeadershipLostError when the lease was lost: end the process, a new one starts clean. Other errors come from
   * runnables, or from a port that is taken.
   */
  async run(signal: AbortSignal): Promise<void> {
    this.#assertMade('run');
    this.#phase = 'Running';
    const fatal = new AbortController();
    const stop = AbortSignal.any([signal, fatal.signal]);
    const failed = (name: string) => (error: unknown) => {
      this.logger.error({ err: error, runnable: name }, `${name} failed`);
      fatal.abort(error);
    };
    const caches = new AbortController();
    const eventsStop = new AbortController();
    const running: { caches: Promise<unknown>[]; work: Promise<unknown>[]; events: Promise<unknown> | undefined } = {
      caches: [],
      work: [],
      events: undefined,
    };
    let leadership: Leadership | undefined;
    try {
      await this.#listen();
      running.events = this.events.run(eventsStop.signal).catch(failed('events'));
      for (const { informer } of this.#informers)
        running.caches.push(informer.run(caches.signal).catch(failed(`informer ${informer.name}`)));
      await this.#whenSynced(stop);
      running.work.push(...this.#start(false, stop, failed));
      leadership = await this.#lead(stop, fatal);
      if (leadership || !this.#elector) running.work.push(...this.#start(true, stop, failed));
      await aborted(stop);
    } finally {
      await this.#stop(running, { caches, eventsStop, fatal: fatal.signal }, leadership);
    }
    if (fatal.signal.aborted) throw fatal.signal.reason;
  }

  async #listen(): Promise<void> {
    const { http } = this.#options;
    if (!http) return;
    this.#server = await startHealthServer({
      ...http,
      registry: this.registry,
      healthChecks: this.#healthChecks,
      readyChecks: this.#readyChecks,
      logger: this.logger,
    });
    this.logger.info({ port: this.#server.port }, 'serving /healthz, /readyz and /metrics');
  }

  /** Waits for all informers, and says every ten seconds which ones it waits for and why. */
  async #whenSynced(stop: AbortSignal): Promise<void> {
    const synced = Promise.all(this.#informers.map(({ informer }) => informer.whenSynced(stop))).then(() => true);
    while (!(await Promise.race([synced, sleep(this.clock, 10_000, stop).then(() => false)]))) {
      if (stop.aborted) return;
      this.logger.warn({ waitingFor: this.#unsynced() }, 'informers are not synced yet');
    }
  }

  async #lead(stop: AbortSignal, fatal: AbortController): Promise<Leadership | undefined> {
    const leadership = await this.#elector?.acquire(stop);
    leadership?.lost.addEventListener('abort', () => fatal.abort(leadership.lost.reason), { once: true });
    return leadership;
  }

  #start(
    leaderOnly: boolean,
    stop: AbortSignal,
    failed: (name: string) => (error: unknown) => void,
  ): Promise<unknown>[] {
    if (stop.aborted) return [];
    const runnables = this.#runnables.filter((runnable) => (runnable.leaderOnly ?? true) === leaderOnly);
    const started = runnables.map((runnable) => runnable.run(stop).catch(failed(runnable.name)));
    if (leaderOnly)
      started.push(...this.#controllers.map((controller) => controller.run(stop).catch(failed(controller.name))));
    return started;
  }

  /** Work first, then what it tells, then the lease, so that no two leaders work at a time; caches and ports last. */
  async #stop(
    running: { caches: Promise<unknown>[]; work: Promise<unknown>[]; events: Promise<unknown> | undefined },
    signals: { caches: AbortController; eventsStop: AbortController; fatal: AbortSignal },
    leadership: Leadership | undefined,
  ): Promise<void> {
    this.#phase = 'Stopping';
    const { graceMs = 20_000 } = this.#options;
    // The lease may be lost in the middle of the grace time as well: it ends with it.
    const graceEnds = AbortSignal.any([signals.fatal, signals.caches.signal]);
    const worked = Promise.all(running.work).then(() => 'stopped' as const);
    const outcome = await Promise.race([worked, sleep(this.clock, graceMs, graceEnds).then(() => 'late' as const)]);
    if (outcome === 'late') {
      for (const controller of this.#controllers) controller.abort(new Error('the manager stops'));
      const last = await Promise.race([worked, sleep(this.clock, 2_000).then(() => 'late' as const)]);
      if (last === 'late') this.logger.warn({}, 'some work did not stop in time');
    }
    signals.eventsStop.abort();
    await running.events;
    await leadership?.release();
    signals.caches.abort();
    await Promise.all(running.caches);
    await this.#server?.close();
    for (const client of this.#owned) client.close();
    this.#phase = 'Stopped';
    this.logger.info({}, 'stopped');
  }

  #unsynced(): string | undefined {
    const waiting = this.#informers.filter(({ informer }) => !informer.synced);
    if (waiting.length === 0) return undefined;
    return waiting.map(({ informer }) => (informer.lastError ? informer.lastError.message : informer.name)).join('; ');
  }

  #apiFor(options: ManagerOptions, purpose: 'requests' | 'election'): Api {
    if ('api' in options) return purpose === 'election' ? (options.electionApi ?? options.api) : options.api;
    const client = new ApiClient({
      connection: options.connection,
      fieldManager: options.name,
      clock: this.clock,
      metrics: runtimeMetrics(this.registry).client,
      ...(purpose === 'requests' && options.rateLimit ? { rateLimit: options.rateLimit } : {}),
    });
    this.#owned.push(client);
    return client;
  }

  #assertMade(what: string): void {
    if (this.#phase !== 'Made') throw new Error(`manager: ${what} comes too late, it is ${this.#phase.toLowerCase()}`);
  }
}

const newRegistry = (): Registry => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
