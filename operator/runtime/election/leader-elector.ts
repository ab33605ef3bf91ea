// Leader election by a coordination.k8s.io Lease: at most one process leads at a time, as long as clocks run at about the
// same speed. Algorithm and default times of client-go (tools/leaderelection/leaderelection.go). Other processes' clocks
// are never trusted: a lease has expired when it did not change for its duration on our own clock.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Api } from '../client/api.ts';
import { isAlreadyExists, isConflict } from '../client/errors.ts';
import type { Clock, Random, Timer } from '../clock/clock.ts';
import { microTime, sleep, systemClock } from '../clock/clock.ts';
import type { Logger } from '../log/logger.ts';
import { silentLogger } from '../log/logger.ts';
import type { RuntimeMetrics } from '../metrics/metrics.ts';
import type { Lease } from '../objects/builtin.ts';
import { leases } from '../objects/builtin.ts';

export interface LeaderElectionTimes {
  /** How long others wait for a silent leader, ms. Default 15,000. */
  leaseDurationMs?: number;
  /** How long a leader tries to renew before it gives up, ms; shorter than the lease. Default 10,000. */
  renewDeadlineMs?: number;
  /** Time between tries, ms. Default 2,000. */
  retryPeriodMs?: number;
}

export interface LeaderElectorOptions extends LeaderElectionTimes {
  /** On a connection of its own, so that no load of ours delays a renewal. */
  api: Api;
  /** Name and namespace of the Lease. */
  name: string;
  namespace: string;
  /** Who we are; must be different in each process. Default: host name and a random part. */
  identity?: string;
  clock?: Clock;
  random?: Random;
  logger?: Logger;
  metrics?: RuntimeMetrics['leader'];
}

/** Being the leader. */
export interface Leadership {
  /** Aborts when the lease could not be renewed in time, or another took it: stop at once, the next leader is on its way. */
  readonly lost: AbortSignal;
  /** Gives the lease up, so that the next leader need not wait for its end. Call it after all work has stopped. */
  release(): Promise<void>;
}

/** The reason of {@link Leadership.lost}. */
export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
}

/** Takes part in the election for one Lease. */
export class LeaderElector {
  readonly identity: string;
  readonly #options: LeaderElectorOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  /** The lease as last seen, and when it last changed on our clock. */
  #observed: { lease: Lease; changedAt: number } | undefined;
  #leading = false;

  /** @throws RangeError unless lease duration > renew deadline > retry period * 1.2 (the jitter). */
  constructor(options: LeaderElectorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.identity = options.identity ?? `${hostname()}_${randomUUID()}`;
    this.#logger = (options.logger ?? silentLogger).child({
      lease: `${options.namespace}/${options.name}`,
      identity: this.identity,
    });
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000;
    if (!(this.#leaseDurationMs > this.#renewDeadlineMs && this.#renewDeadlineMs > this.#retryPeriodMs * 1.2)) {
      throw new RangeError(
        `leader election needs leaseDurationMs > renewDeadlineMs > 1.2 * retryPeriodMs, got ${this.#leaseDurationMs}, ${this.#renewDeadlineMs}, ${this.#retryPeriodMs}`,
      );
    }
    this.#setLeading(false);
  }

  /** True while this process holds the lease. */
  get leading(): boolean {
    return this.#leading;
  }

  /** Who held the lease when it was last seen; undefined when nobody did. */
  get holder(): string | undefined {
    return this.#observed?.lease.spec?.holderIdentity;
  }

  /** Waits until we lead; undefined when the signal aborts before. */
  async acquire(signal: AbortSignal): Promise<Leadership | undefined> {
    const random = this.#options.random ?? Math.random;
    const stopped = () => signal.aborted;
    let reported: string | undefined;
    while (!stopped()) {
      const startedAt = this.#clock.monotonic();
      const held = await this.#tryHold(signal);
      if (stopped()) {
        await this.#giveUp();
        return undefined;
      }
      if (held) return this.#lead(startedAt);
      if (this.holder !== undefined && this.holder !== reported) {
        reported = this.holder;
        this.#logger.info({ holder: reported }, 'standing by: another process leads');
      }
      await sleep(this.#clock, this.#retryPeriodMs * (1 + 0.2 * random()), signal);
    }
    return undefined;
  }

  /** @param renewedAt when the request that won was sent: the lease may run since then. */
  #lead(renewedAt: number): Leadership {
    this.#setLeading(true);
    this.#logger.info({}, 'leading');
    const stop = new AbortController();
    const lost = new AbortController();
    const lose = (why: string) => {
      this.#setLeading(false);
      stop.abort();
      lost.abort(new LeadershipLostError(`lost the lease ${this.#options.namespace}/${this.#options.name}: ${why}`));
    };
    const renewing = this.#renew(renewedAt, stop.signal, lose);
    let released: Promise<void> | undefined;
    const release = async () => {
      stop.abort();
      await renewing;
      if (lost.signal.aborted) return;
      this.#setLeading(false);
      await this.#giveUp();
    };
    return { lost: lost.signal, release: () => (released ??= release()) };
  }

  /** Renews until stopped. The deadline is a timer of its own: no slow request can stretch it. */
  async #renew(renewedAt: number, signal: AbortSignal, lose: (why: string) => void): Promise<void> {
    let lastRenewal = renewedAt;
    const watch = (): Timer =>
      this.#clock.timer(lastRenewal + this.#renewDeadlineMs - this.#clock.monotonic(), () =>
        lose(`not renewed for ${this.#renewDeadlineMs} ms`),
      );
    let deadline = watch();
    for (;;) {
      await sleep(this.#clock, this.#retryPeriodMs, signal);
      if (signal.aborted) break;
      const startedAt = this.#clock.monotonic();
      if (await this.#tryHold(signal)) {
        lastRenewal = startedAt;
        deadline.cancel();
        deadline = watch();
      } else if (this.holder !== undefined && this.holder !== this.identity) {
        lose(`${this.holder} holds it`);
      }
    }
    deadline.cancel();
  }

  /** One try to get or keep the lease. Failures are logged and answered with false. */
  async #tryHold(signal: AbortSignal, again = true): Promise<boolean> {
    const { api, name, namespace } = this.#options;
    const request = { signal, timeoutMs: this.#renewDeadlineMs / 2 };
    try {
      // The leader knows the lease: it need not read it first.
      if (!(this.#leading && this.#observed)) {
        const found = await api.find(leases, { namespace, name }, request);
        if (!found) {
          this.#observe(
            await api.create(leases, { metadata: { namespace, name }, spec: this.#claim(undefined) }, request),
          );
          return true;
        }
        this.#observe(found);
      }
      const { lease, changedAt } = this.#observed ?? {};
      if (!lease || changedAt === undefined) return false;
      const { holderIdentity, leaseDurationSeconds = 0 } = lease.spec ?? {};
      const expired = this.#clock.monotonic() >= changedAt + leaseDurationSeconds * 1000;
      if (holderIdentity && holderIdentity !== this.identity && !expired) return false;
      this.#observe(await api.update(leases, { ...lease, spec: this.#claim(lease.spec) }, request));
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      // Somebody else was faster: look again at the next try.
      if (isConflict(error) || isAlreadyExists(error)) await this.#look(request);
      else this.#logger.warn({ err: error }, 'cannot reach the lease');
      // Or it was a renewal of ours whose answer was lost: the lease is ours still, and time too short to wait for the next try.
      if (again && isConflict(error) && this.#leading && this.holder === this.identity)
        return this.#tryHold(signal, false);
      return false;
    }
  }

  /** After a conflict: sees who holds the lease now. */
  async #look(request: { signal: AbortSignal; timeoutMs: number }): Promise<void> {
    const { api, name, namespace } = this.#options;
    try {
      const found = await api.find(leases, { namespace, name }, request);
      if (found) this.#observe(found);
    } catch (error) {
      if (!request.signal.aborted) this.#logger.warn({ err: error }, 'cannot read the lease');
    }
  }

  #observe(lease: Lease): void {
    if (lease.metadata.resourceVersion === this.#observed?.lease.metadata.resourceVersion) return;
    this.#observed = { lease, changedAt: this.#clock.monotonic() };
  }

  /** The lease's content while we hold it. */
  #claim(previous: Lease['spec']): NonNullable<Lease['spec']> {
    const now = microTime(this.#clock.now());
    const mine = previous?.holderIdentity === this.identity;
    return {
      holderIdentity: this.identity,
      leaseDurationSeconds: Math.ceil(this.#leaseDurationMs / 1000),
      acquireTime: mine ? (previous.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: previous ? (previous.leaseTransitions ?? 0) + (mine ? 0 : 1) : 0,
    };
  }

  async #giveUp(): Promise<void> {
    const { api, name, namespace } = this.#options;
    const request = { timeoutMs: this.#renewDeadlineMs / 2 };
    try {
      // What the stop cut off may have been stored: the lease is given up as it is there, not as it was known.
      const lease = await api.find(leases, { namespace, name }, request);
      if (lease?.spec?.holderIdentity !== this.identity) return;
      const { holderIdentity: _mine, ...rest } = lease.spec;
      const spec = { ...rest, leaseDurationSeconds: 1, renewTime: microTime(this.#clock.now()) };
      this.#observe(await api.update(leases, { ...lease, spec }, request));
      this.#logger.info({}, 'gave the lease up');
    } catch (error) {
      // The next leader waits for the end of the lease instead.
      this.#logger.warn({ err: error }, 'cannot give the lease up: it ends by itself');
    }
  }

  #setLeading(leading: boolean): void {
    this.#leading = leading;
    this.#options.metrics?.status.set({ name: this.#options.name }, leading ? 1 : 0);
  }
}
