// An informer on a scripted server, with everything it says written down.
import { Registry } from 'prom-client';
import type { Change, InformerOptions } from '../cache/informer.ts';
import { Informer } from '../cache/informer.ts';
import { ApiClient } from '../client/api-client.ts';
import { jsonLogger } from '../log/logger.ts';
import { runtimeMetrics } from '../metrics/metrics.ts';
import type { Pod } from '../objects/builtin.ts';
import { pods } from '../objects/builtin.ts';
import { ScriptedServer, WatchAnswer } from './scripted-server.ts';

/** A pod at a version. */
export const pod = (name: string, version: number, more: Partial<Pod['metadata']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'ns', name, uid: `uid-${name}`, resourceVersion: String(version), ...more },
});

/** Delays that tests can wait for. */
export const quick = { streamedLists: false, backoff: { baseMs: 1, maxMs: 5, factor: 2, jitter: 0 }, shortWatchMs: 0 };

/** An informer of pods that runs against a scripted server, and what it told. */
export class Harness implements AsyncDisposable {
  readonly server: ScriptedServer;
  readonly client: ApiClient;
  readonly informer: Informer<Pod>;
  readonly registry = new Registry();
  readonly log: string[] = [];
  readonly changes: string[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #wake: (() => void)[] = [];

  static async start(options: Partial<InformerOptions<Pod>> = {}): Promise<Harness> {
    return new Harness(await ScriptedServer.start(), options);
  }

  private constructor(server: ScriptedServer, options: Partial<InformerOptions<Pod>>) {
    this.server = server;
    this.client = new ApiClient({ connection: server.connection, fieldManager: 'test' });
    const write = (line: string) => {
      this.log.push(line);
      this.#changed();
    };
    const metrics = runtimeMetrics(this.registry).informer;
    const logger = jsonLogger(write, 'debug');
    this.informer = new Informer({
      api: this.client,
      type: pods,
      tuning: quick,
      random: () => 0,
      logger,
      metrics,
      ...options,
    });
    this.informer.addHandler((change) => {
      this.changes.push(described(change));
      this.#changed();
    });
    this.#running = this.informer.run(this.#stop.signal);
  }

  /** Waits until the condition holds; looked at after every change and log line. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  /** Answers the next watch; resolves when it is open. */
  async watched(): Promise<WatchAnswer> {
    const watch = new WatchAnswer();
    this.server.on('watch', watch.answer);
    await watch.opened;
    return watch;
  }

  /** Name -> resource version of what the informer holds. */
  versions(): Record<string, string | undefined> {
    return Object.fromEntries(this.informer.list().map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.client.close();
    await this.server[Symbol.asyncDispose]();
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** A change as a short line. */
export const described = (change: Change<Pod>): string => {
  const { name, resourceVersion } = change.object.metadata;
  const detail =
    change.type === 'Added'
      ? change.initial
        ? ' initial'
        : ''
      : change.type === 'Updated'
        ? ` from ${change.old.metadata.resourceVersion}`
        : '';
  return `${change.type} ${name}@${resourceVersion}${detail}`;
};
