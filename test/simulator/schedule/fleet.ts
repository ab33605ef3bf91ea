// The pods of the operator's own Deployment: one process, or two that elect a leader; whoever ends is started again.
import { ApiError, LeadershipLostError, type Logger, TransportError } from '@assistant-platform/runtime';
import type { Chance } from '../random.ts';
import type { Network } from '../server/network.ts';
import type { Cluster } from '../world/cluster.ts';
import { type Ending, OperatorProcess } from '../world/operator.ts';

export interface FleetOptions {
  readonly cluster: Cluster;
  readonly network: Network;
  readonly chance: Chance;
  readonly replicas: 1 | 2;
  /** Whether they elect a leader; two must. */
  readonly election: boolean;
  /** Told of what no fault explains: an exception that is not the API server's, a process that ends by itself. */
  readonly onFailure: (message: string) => void;
  /** Every line of the operators' logs. */
  readonly onLog?: (level: string, message: string, fields: object) => void;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #processes = new Set<OperatorProcess>();
  #started = 0;
  #skewMs = 0;
  /** Processes that were killed, and processes that handed over. */
  kills = 0;
  handOvers = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
    for (let index = 0; index < options.replicas; index++) this.#start();
  }

  get processes(): readonly OperatorProcess[] {
    return [...this.#processes];
  }

  get leader(): OperatorProcess | undefined {
    return this.processes.find(({ leading }) => leading) ?? this.processes[0];
  }

  /** Clocks of processes that start from now on are ahead by this. */
  skew(ms: number): void {
    this.#skewMs = ms;
  }

  /** The leader is asked to stop, as in a rolling update. */
  handOver(): void {
    this.handOvers += 1;
    this.leader?.stop();
  }

  dropWatches(): void {
    for (const process of this.processes) process.dropWatches();
  }

  #start(): void {
    const { cluster, network, chance, election } = this.#options;
    this.#started += 1;
    const identity = `operator-${this.#started}`;
    const process = new OperatorProcess({
      cluster,
      network,
      chance: chance.part(identity),
      identity,
      skewMs: this.#skewMs,
      ...(election ? { election: {} } : {}),
      logger: this.#logger(identity),
      onEnd: (how) => this.#ended(process, how),
    });
    this.#processes.add(process);
  }

  #ended(process: OperatorProcess, how: Ending): void {
    this.#processes.delete(process);
    if (how.kind === 'Killed') this.kills += 1;
    if (how.kind === 'Failed' && !(how.error instanceof LeadershipLostError))
      this.#options.onFailure(`${process.identity} ended by itself: ${String(how.error)}`);
    this.#options.cluster.clock.timer(this.#options.cluster.timing.restartMs, () => this.#start());
  }

  #logger(identity: string): Logger {
    const log = (level: string) => (fields: object, message: string) => {
      const error = (fields as { err?: unknown }).err;
      if (level === 'error' && error !== undefined) this.#judge(identity, message, error);
      this.#options.onLog?.(level, message, { identity, ...fields });
    };
    return {
      debug: () => undefined,
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
      child: () => this.#logger(identity),
    };
  }

  /** What the API server may answer to correct requests is no failure of the operator. */
  #judge(identity: string, message: string, error: unknown): void {
    if (error instanceof TransportError || error instanceof LeadershipLostError) return;
    if (error instanceof ApiError && [409, 410, 429, 500, 503].includes(error.code)) return;
    this.#options.onFailure(
      `${identity}: ${message}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }
}
