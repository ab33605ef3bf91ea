// The real operator on the simulated cluster: Manager, informers, work queue and AssistantController as they are, with a clock, a network and a
// death of their own.
import { type LeaderElectionTimes, type Logger, Manager, Registry } from '@assistant-platform/runtime';
import { AssistantController } from '../../../operator/controller/controller.ts';
import { PodsClient } from '../../../operator/controller/pods-client.ts';
import type { Chance } from '../random.ts';
import { SimulatedApi } from '../server/client.ts';
import type { Network } from '../server/network.ts';
import { ProcessClock } from '../server/process-clock.ts';
import { POD_ADDRESS, adminPorts } from './admin-ports.ts';
import type { Cluster } from './cluster.ts';

export const OPERATOR = 'assistant-operator';

export interface OperatorOptions {
  readonly cluster: Cluster;
  readonly network: Network;
  readonly chance: Chance;
  /** Tells this process from others. */
  readonly identity: string;
  readonly skewMs?: number;
  readonly election?: LeaderElectionTimes;
  readonly logger: Logger;
  /** Called once when it has ended, for whatever reason. */
  readonly onEnd: (how: Ending) => void;
}

/** How an operator process ended. */
export type Ending =
  | { readonly kind: 'Killed' }
  | { readonly kind: 'Stopped' }
  | { readonly kind: 'Failed'; readonly error: unknown };

/** One process of the operator, from its start to its end. */
export class OperatorProcess {
  readonly identity: string;
  readonly #clock: ProcessClock;
  readonly #api: SimulatedApi;
  readonly #stop = new AbortController();
  readonly #manager: Manager;
  readonly #onEnd: (how: Ending) => void;
  #ended = false;

  constructor({ cluster, network, chance, identity, skewMs = 0, election, logger, onEnd }: OperatorOptions) {
    this.identity = identity;
    this.#onEnd = onEnd;
    this.#clock = new ProcessClock(cluster.clock, skewMs);
    const { server, sessions, timing } = cluster;
    const clock = this.#clock;
    const onDeath = (): void => this.kill();
    this.#api = new SimulatedApi({ server, clock, network, name: OPERATOR, identity, onDeath });
    this.#manager = new Manager({
      name: OPERATOR,
      reportingController: 'assistant-platform.io/operator',
      api: this.#api,
      clock,
      random: chance.next,
      logger,
      registry: new Registry(),
      ...(election === undefined ? {} : { leaderElection: { namespace: 'platform', identity, ...election } }),
    });
    const fetchPods = adminPorts({ server, sessions, clock, network, client: identity, onDeath });
    new AssistantController(this.#manager, {
      settings: { settleMs: timing.settleMs },
      metricSource: cluster.metrics.sourceFor(clock),
      podsClient: new PodsClient({ address: POD_ADDRESS, fetch: fetchPods }),
    });
    void this.#manager.run(this.#stop.signal).then(
      () => this.#end({ kind: 'Stopped' }),
      (error: unknown) => this.#end({ kind: 'Failed', error }),
    );
  }

  get leading(): boolean {
    return !this.#ended && this.#manager.leading;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** SIGKILL: nothing of it happens any more. */
  kill(): void {
    this.#end({ kind: 'Killed' });
  }

  /** SIGTERM. */
  stop(): void {
    this.#stop.abort();
  }

  dropWatches(): number {
    return this.#api.dropWatches();
  }

  #end(how: Ending): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clock.kill();
    this.#onEnd(how);
  }
}
