import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { RequestOptions } from '../client/api.ts';
import { TransportError } from '../client/errors.ts';
import { sleep } from '../clock/clock.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { runtimeMetrics } from '../metrics/metrics.ts';
import { leases } from '../objects/builtin.ts';
import type { Draft, KubeObject } from '../objects/objects.ts';
import type { ResourceType } from '../objects/resource-type.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import type { Leadership } from './leader-elector.ts';
import { LeaderElector, LeadershipLostError } from './leader-elector.ts';

const at = { namespace: 'ns', name: 'lock' };

/** Stores what is written, and then loses answers as a slow network does: until the request is given up. */
class LossyApi extends MemoryApi {
  readonly #clock: ManualClock;
  /** So many of the next answers are lost. */
  lose = 0;

  constructor(clock: ManualClock) {
    super();
    this.#clock = clock;
  }

  override async create<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>, options?: RequestOptions) {
    return this.#answer(await super.create(type, object), options);
  }

  override async update<T extends KubeObject>(type: ResourceType<T>, object: T, options?: RequestOptions) {
    return this.#answer(await super.update(type, object), options);
  }

  async #answer<T>(stored: T, { signal, timeoutMs = Infinity }: RequestOptions = {}): Promise<T> {
    if (this.lose === 0) return stored;
    this.lose -= 1;
    await sleep(this.#clock, timeoutMs, signal);
    throw new TransportError('write', signal?.aborted ? 'Aborted' : 'Timeout', 'no answer');
  }
}

class World {
  readonly clock = new ManualClock();
  readonly api = new LossyApi(this.clock);
  readonly registry = new Registry();

  elector(identity: string, clock = this.clock): LeaderElector {
    return new LeaderElector({
      api: this.api,
      ...at,
      identity,
      clock,
      random: () => 0,
      metrics: runtimeMetrics(this.registry).leader,
    });
  }

  /** Starts to run for the lease; `won` is set when it is won. */
  candidate(identity: string, clock = this.clock) {
    const stop = new AbortController();
    const state: { elector: LeaderElector; stop: AbortController; won: Leadership | undefined } = {
      elector: this.elector(identity, clock),
      stop,
      won: undefined,
    };
    void state.elector.acquire(stop.signal).then((leadership) => (state.won = leadership));
    return state;
  }

  lease() {
    return this.api.get(leases, at);
  }
}

describe('LeaderElector', () => {
  it('takes a lease that nobody holds, and keeps it', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(0);
    expect(one.won).toBeDefined();
    const before = await world.lease();
    expect(before.spec).toMatchObject({ holderIdentity: 'one', leaseDurationSeconds: 15, leaseTransitions: 0 });
    await world.clock.advance(60_000);
    const after = await world.lease();
    expect(one.won?.lost.aborted).toBe(false);
    expect(Date.parse(after.spec?.renewTime ?? '')).toBeGreaterThanOrEqual(world.clock.now() - 2_000);
    expect(after.spec?.acquireTime).toBe(before.spec?.acquireTime);
    expect(await world.registry.metrics()).toContain('leader_election_master_status{name="lock"} 1');
  });

  it('only one leads, and the next one follows at once after a release', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(0);
    const two = world.candidate('two');
    await world.clock.advance(120_000);
    expect([one.won !== undefined, two.won]).toEqual([true, undefined]);
    expect(two.elector.holder).toBe('one');
    await one.won?.release();
    expect(one.elector.leading).toBe(false);
    await world.clock.advance(2_000);
    expect(two.won).toBeDefined();
    expect((await world.lease()).spec).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
  });

  it('a silent leader is followed when the lease has run out on our own clock, not before', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(0);
    // The old leader is gone without release, and its clock was far ahead: that must not matter.
    const lease = await world.lease();
    await world.api.update(leases, { ...lease, spec: { ...lease.spec, renewTime: '2099-01-01T00:00:00.000000Z' } });
    expect(one.won).toBeDefined();
    world.api.intercept = (verb, _resource, _ref) => {
      if (verb === 'update' && onlyTwo) return;
      if (verb === 'update') throw new TransportError('update', 'Connection', 'down');
    };
    let onlyTwo = false;
    const two = world.candidate('two');
    await world.clock.advance(10_000);
    expect(one.won?.lost.aborted).toBe(true);
    onlyTwo = true;
    await world.clock.advance(4_900);
    expect(two.won).toBeUndefined();
    await world.clock.advance(2_100);
    expect(two.won).toBeDefined();
  });

  it('gives up before the lease ends for others when it cannot renew', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(0);
    const wonAt = world.clock.now();
    let lostAt: number | undefined;
    one.won?.lost.addEventListener('abort', () => (lostAt = world.clock.now()));
    world.api.intercept = () => {
      throw new TransportError('x', 'Connection', 'down');
    };
    await world.clock.advance(60_000);
    expect(lostAt! - wonAt).toBe(10_000);
    expect(one.won?.lost.reason).toBeInstanceOf(LeadershipLostError);
    expect(one.elector.leading).toBe(false);
    expect(await world.registry.metrics()).toContain('leader_election_master_status{name="lock"} 0');
  });

  it('a request that hangs does not stretch the deadline', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(0);
    world.api.intercept = () => new Promise<void>(() => undefined);
    await world.clock.advance(9_999);
    expect(one.won?.lost.aborted).toBe(false);
    await world.clock.advance(1);
    expect(one.won?.lost.aborted).toBe(true);
  });

  it('survives passing trouble', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(0);
    world.api.intercept = () => {
      throw new TransportError('x', 'Connection', 'down');
    };
    await world.clock.advance(7_000);
    world.api.intercept = () => undefined;
    await world.clock.advance(60_000);
    expect(one.won?.lost.aborted).toBe(false);
  });

  it('a renewal that came through without an answer costs no time: the next one goes on from it', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(0);
    world.api.lose = 1;
    await world.clock.advance(60_000);
    expect([world.api.lose, one.won?.lost.aborted]).toEqual([0, false]);
  });

  it('stops at once when another has taken the lease', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(0);
    const lease = await world.lease();
    await world.api.update(leases, { ...lease, spec: { ...lease.spec, holderIdentity: 'thief' } });
    await world.clock.advance(2_000);
    expect(String(one.won?.lost.reason)).toContain('thief holds it');
    await one.won?.release();
    expect((await world.lease()).spec?.holderIdentity).toBe('thief');
  });

  it('goes on after somebody else changed the lease but not its holder', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(0);
    const lease = await world.lease();
    await world.api.update(leases, { ...lease, metadata: { ...lease.metadata, labels: { seen: 'yes' } } });
    await world.clock.advance(30_000);
    expect(one.won?.lost.aborted).toBe(false);
    expect((await world.lease()).metadata.labels).toEqual({ seen: 'yes' });
  });

  it('a candidate that is stopped neither leads nor leaves the lease taken', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(0);
    const two = world.candidate('two');
    await world.clock.advance(0);
    two.stop.abort();
    await one.won?.release();
    await world.clock.advance(60_000);
    expect(two.won).toBeUndefined();
    expect((await world.lease()).spec?.holderIdentity).toBeUndefined();
  });

  it('one that is stopped while it wins gives the lease back', async () => {
    const world = new World();
    const one = world.candidate('one');
    world.api.intercept = (verb) => {
      if (verb === 'create') one.stop.abort();
    };
    await world.clock.advance(60_000);
    expect([one.won, one.elector.leading]).toEqual([undefined, false]);
    expect((await world.lease()).spec?.holderIdentity).toBeUndefined();
  });

  it('one that is stopped in the middle of a claim that comes through gives the lease back', async () => {
    const world = new World();
    world.api.lose = 1;
    const one = world.candidate('one');
    await world.clock.advance(0);
    one.stop.abort();
    await world.clock.advance(0);
    expect(one.won).toBeUndefined();
    expect((await world.lease()).spec?.holderIdentity).toBeUndefined();
  });

  it('a release in the middle of a renewal that comes through gives the lease back', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(0);
    world.api.lose = 1;
    await world.clock.advance(2_500);
    await one.won?.release();
    expect(world.api.lose).toBe(0);
    expect((await world.lease()).spec?.holderIdentity).toBeUndefined();
  });

  it('one that has lost the lease leaves it alone: its work may not have stopped yet', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(0);
    world.api.intercept = () => {
      throw new TransportError('x', 'Connection', 'down');
    };
    await world.clock.advance(10_000);
    world.api.intercept = () => undefined;
    await one.won?.release();
    expect((await world.lease()).spec?.holderIdentity).toBe('one');
  });

  it('a random fleet with crashes never has two leaders', async () => {
    let seed = 7;
    const random = () => {
      // Park and Miller 1988, "minimal standard" generator.
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const world = new World();
    const fleet = ['a', 'b', 'c'].map((name) => world.candidate(name));
    let changes = 0;
    let last: string | undefined;
    for (let second = 0; second < 600; second++) {
      const down = random() < 0.3;
      world.api.intercept = (verb) => {
        if (down && (verb === 'update' || random() < 0.5)) throw new TransportError('x', 'Timeout', 'down');
      };
      await world.clock.advance(1_000);
      const leaders = fleet.filter(({ elector }) => elector.leading);
      expect(leaders.length).toBeLessThanOrEqual(1);
      const [leader] = leaders;
      if (leader && leader.elector.identity !== last) {
        changes += 1;
        last = leader.elector.identity;
      }
      if (leader && random() < 0.05) {
        world.api.intercept = () => undefined;
        await leader.won?.release();
        fleet[fleet.indexOf(leader)] = world.candidate(`${leader.elector.identity}'`);
      }
    }
    expect(changes).toBeGreaterThan(5);
  });

  it('refuses times that make two leaders possible', () => {
    const options = { api: new MemoryApi(), ...at };
    expect(() => new LeaderElector({ ...options, leaseDurationMs: 10_000, renewDeadlineMs: 10_000 })).toThrow(
      RangeError,
    );
    expect(() => new LeaderElector({ ...options, renewDeadlineMs: 2_300, retryPeriodMs: 2_000 })).toThrow(RangeError);
  });
});
