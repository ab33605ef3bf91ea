// All sockets of this process: counted, swept, and moved away when the pod is drained.
import type { DrainOrder, SessionCounts, Sessions } from '@assistant-platform/kit/admin';
import type { Lifecycle } from '@assistant-platform/kit/lifecycle';
import type { Logger } from '@assistant-platform/kit/log';
import type { Metrics } from '@assistant-platform/kit/metrics';
import type { Connection } from './connection.ts';
import { hastenDrain, nextToMove, reorderDrain, startDrain } from './drain.ts';
import type { DrainState } from './drain.ts';

export interface Hub extends Sessions {
  add(connection: Connection): void;
  remove(connection: Connection): void;
  readonly size: () => number;
  /** True once a drain was ordered: no new sockets. */
  readonly refusing: () => boolean;
  /** Drains and resolves when the last socket is closed. A drain that was ordered before keeps its deadline, if that is the earlier one. */
  drained(order: DrainOrder): Promise<void>;
  close(): void;
}

export interface HubOptions {
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Upper bound of the jitter in `reconnect` frames, in milliseconds. */
  readonly jitterMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

const sweepMs = 1_000;
/** Time between two looks while draining: the pace is kept in steps of this. */
const drainTickMs = 50;

export function createHub(options: HubOptions): Hub {
  const { lifecycle, metrics, log, now } = options;
  const open = new Set<Connection>();
  /** Sockets that were told to move and have not gone yet. */
  const moved = new WeakSet<Connection>();
  let drain: { state: DrainState; ticker: NodeJS.Timeout; reported: boolean } | undefined;
  const { promise: empty, resolve: isEmpty } = Promise.withResolvers<undefined>();

  const countBusy = () => open.values().reduce((sum, connection) => sum + (connection.busy() ? 1 : 0), 0);
  const publish = () => {
    const busy = countBusy();
    metrics.realtimeConnections.set({ state: 'busy' }, busy);
    metrics.realtimeConnections.set({ state: 'idle' }, open.size - busy);
  };

  const sweeper = setInterval(() => {
    for (const connection of open) connection.sweep();
    publish();
  }, sweepMs);
  sweeper.unref();

  const reportEnd = () => {
    if (drain === undefined || drain.reported || open.size > 0) return;
    drain.reported = true;
    clearInterval(drain.ticker);
    const seconds = (now() - drain.state.startedAt) / 1000;
    const outcome = now() < drain.state.deadline ? 'completed' : 'forced';
    metrics.drainSeconds.observe({ outcome }, seconds);
    log.info({ seconds, outcome }, 'drained: no socket is left');
    isEmpty(undefined);
  };

  const tick = () => {
    if (drain === undefined) return;
    const waiting = [...open].filter((connection) => !moved.has(connection));
    const { move, state } = nextToMove(drain.state, waiting, now());
    drain.state = state;
    for (const connection of move) {
      moved.add(connection);
      connection.moveAway(Math.round(options.random() * options.jitterMs));
    }
    reportEnd();
  };

  const begin = (order: DrainOrder, change: typeof reorderDrain) => {
    lifecycle.drain();
    if (drain !== undefined) {
      drain.state = change(drain.state, order, now());
    } else {
      log.info({ ...order, open: open.size }, 'draining: no new sockets, idle ones move first');
      drain = { state: startDrain(order, now()), ticker: setInterval(tick, drainTickMs), reported: false };
    }
    tick();
  };

  return {
    add(connection) {
      open.add(connection);
      publish();
    },
    remove(connection) {
      open.delete(connection);
      publish();
      reportEnd();
    },
    size: () => open.size,
    refusing: () => drain !== undefined,
    counts(): SessionCounts {
      publish();
      // Sockets are added in the order in which they opened.
      const oldest = open.values().next().value;
      return {
        open: open.size,
        busy: countBusy(),
        oldestSeconds: oldest === undefined ? 0 : Math.floor((now() - oldest.openedAt) / 1000),
        draining: lifecycle.state() === 'draining',
      };
    },
    drain: (order) => begin(order, reorderDrain),
    async drained(order) {
      begin(order, hastenDrain);
      await empty;
    },
    close() {
      clearInterval(sweeper);
      if (drain !== undefined) clearInterval(drain.ticker);
      for (const connection of open) connection.terminate();
    },
  };
}
