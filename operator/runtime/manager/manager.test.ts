import { describe, expect, it } from 'vitest';
import { TransportError } from '../client/errors.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { LeadershipLostError } from '../election/leader-elector.ts';
import { jsonLogger, silentLogger } from '../log/logger.ts';
import { configMaps, leases } from '../objects/builtin.ts';
import type { Result } from '../reconcile/result.ts';
import { done } from '../reconcile/result.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import type { ManagerBaseOptions } from './manager.ts';
import { Manager } from './manager.ts';

const make = (
  api: MemoryApi,
  clock: ManualClock,
  options: Partial<ManagerBaseOptions> & { electionApi?: MemoryApi } = {},
) => new Manager({ name: 'test-operator', api, clock, random: () => 0, logger: silentLogger, ...options });

const election = (identity: string) => ({ leaderElection: { namespace: 'ns', identity } });
const inNs = (name: string) => ({ metadata: { namespace: 'ns', name } });

/** Runs the manager; `ended` says how it ended, once it has. */
const run = (manager: Manager) => {
  const stop = new AbortController();
  const state: { stop: AbortController; ended: unknown; running: Promise<void> } = {
    stop,
    ended: undefined,
    running: Promise.resolve(),
  };
  state.running = manager.run(stop.signal).then(
    () => void (state.ended = 'stopped'),
    (error: unknown) => void (state.ended = error),
  );
  return state;
};

describe('Manager', () => {
  it('reconciles only what its synced informers show, and reads its own writes', async () => {
    const api = new MemoryApi();
    const clock = new ManualClock();
    for (const name of ['a', 'b']) await api.create(configMaps, inNs(name));
    const manager = make(api, clock);
    const informer = manager.informer(configMaps);
    const seen: string[] = [];
    manager
      .controller({
        name: 'test',
        reconcile: async (request) => {
          expect(informer.synced).toBe(true);
          const version = (
            await manager.api.apply(configMaps, { metadata: { ...request, namespace: 'ns' }, data: { seen: 'yes' } })
          ).metadata.resourceVersion;
          expect(informer.get(request)?.metadata.resourceVersion).toBe(version);
          seen.push(request.name);
          return done;
        },
      })
      .watches(informer, ({ object }) => (object.data?.['seen'] ? [] : [object.metadata]));
    const state = run(manager);
    await clock.advance(10);
    expect(seen).toEqual(['a', 'b']);
    state.stop.abort();
    await clock.advance(0);
    expect(state.ended).toBe('stopped');
  });

  it('a standby has warm caches and a full queue, and starts at once when the leader stops', async () => {
    const api = new MemoryApi();
    const clock = new ManualClock();
    await api.create(configMaps, inNs('a'));
    const work: Record<string, string[]> = { one: [], two: [] };
    const managers = ['one', 'two'].map((identity) => {
      const manager = make(api, clock, election(identity));
      manager
        .controller({
          name: 'test',
          reconcile: ({ name }) => {
            work[identity]?.push(name);
            return Promise.resolve(done);
          },
        })
        .watches(manager.informer(configMaps));
      return manager;
    });
    const [one, two] = managers;
    const first = run(one!);
    await clock.advance(0);
    run(two!);
    await clock.advance(5_000);
    expect([work, one!.leading, two!.leading]).toEqual([{ one: ['a'], two: [] }, true, false]);
    const requests: string[] = [];
    api.intercept = (verb, resource) => void requests.push(`${verb} ${resource}`);
    first.stop.abort();
    await clock.advance(2_000);
    expect(first.ended).toBe('stopped');
    expect(work['two']).toEqual(['a']);
    expect(requests.filter((request) => !request.includes('leases'))).toEqual([]);
  });

  it('stops in order: running work ends before the lease is given up, and only then another leads', async () => {
    const api = new MemoryApi();
    const clock = new ManualClock();
    await api.create(configMaps, inNs('a'));
    const work = Promise.withResolvers<Result>();
    const manager = make(api, clock, { ...election('one'), graceMs: 10_000 });
    manager.controller({ name: 'test', reconcile: () => work.promise }).watches(manager.informer(configMaps));
    const state = run(manager);
    await clock.advance(0);
    state.stop.abort();
    await clock.advance(8_000);
    const lease = { namespace: 'ns', name: 'test-operator' };
    expect((await api.get(leases, lease)).spec?.holderIdentity).toBe('one');
    expect(Date.parse((await api.get(leases, lease)).spec?.renewTime ?? '')).toBeGreaterThan(clock.now() - 3_000);
    expect(state.ended).toBeUndefined();
    work.resolve(done);
    await clock.advance(0);
    expect(state.ended).toBe('stopped');
    expect((await api.get(leases, lease)).spec?.holderIdentity).toBeUndefined();
  });

  it('ends work that does not stop within the grace time', async () => {
    const api = new MemoryApi();
    const clock = new ManualClock();
    await api.create(configMaps, inNs('a'));
    const manager = make(api, clock, { graceMs: 5_000 });
    manager
      .controller({
        name: 'test',
        reconcile: (_request, { signal }) =>
          new Promise((resolve) => signal.addEventListener('abort', () => resolve(done))),
      })
      .watches(manager.informer(configMaps));
    const state = run(manager);
    await clock.advance(0);
    state.stop.abort();
    await clock.advance(4_999);
    expect(state.ended).toBeUndefined();
    await clock.advance(1);
    expect(state.ended).toBe('stopped');
  });

  it('ends with an error when the lease is lost, and its work is told at once', async () => {
    const api = new MemoryApi();
    const electionApi = new MemoryApi();
    const clock = new ManualClock();
    await api.create(configMaps, inNs('a'));
    const manager = make(api, clock, { ...election('one'), electionApi });
    let toldAt: number | undefined;
    manager
      .controller({
        name: 'test',
        reconcile: (_request, { signal }) =>
          new Promise((resolve) =>
            signal.addEventListener('abort', () => {
              toldAt = clock.now();
              resolve(done);
            }),
          ),
      })
      .watches(manager.informer(configMaps));
    const state = run(manager);
    await clock.advance(0);
    const startedAt = clock.now();
    electionApi.intercept = () => {
      throw new TransportError('x', 'Connection', 'down');
    };
    await clock.advance(9_999);
    expect([toldAt, state.ended]).toEqual([undefined, undefined]);
    await clock.advance(1);
    expect(toldAt! - startedAt).toBe(10_000);
    expect(state.ended).toBeInstanceOf(LeadershipLostError);
  });

  it('work that is finishing in a stop is told at once when the lease is lost meanwhile', async () => {
    const api = new MemoryApi();
    const electionApi = new MemoryApi();
    const clock = new ManualClock();
    await api.create(configMaps, inNs('a'));
    const manager = make(api, clock, { ...election('one'), electionApi, graceMs: 20_000 });
    let toldAt: number | undefined;
    manager
      .controller({
        name: 'test',
        reconcile: (_request, { signal }) =>
          new Promise((resolve) =>
            signal.addEventListener('abort', () => {
              toldAt = clock.now();
              resolve(done);
            }),
          ),
      })
      .watches(manager.informer(configMaps));
    const state = run(manager);
    await clock.advance(0);
    const startedAt = clock.now();
    electionApi.intercept = () => {
      throw new TransportError('x', 'Connection', 'down');
    };
    await clock.advance(1_000);
    state.stop.abort();
    await clock.advance(8_999);
    expect([toldAt, state.ended]).toEqual([undefined, undefined]);
    await clock.advance(1);
    expect(toldAt! - startedAt).toBe(10_000);
    expect(state.ended).toBeInstanceOf(LeadershipLostError);
  });

  it('a runnable that fails ends the manager with its error', async () => {
    const clock = new ManualClock();
    const manager = make(new MemoryApi(), clock);
    manager.add({ name: 'page', leaderOnly: false, run: () => Promise.reject(new Error('port taken')) });
    const state = run(manager);
    await clock.advance(0);
    expect(state.ended).toEqual(new Error('port taken'));
  });

  it('[R-254] serves health, readiness and metrics: ready when synced, on a standby as well, and not while stopping', async () => {
    const api = new MemoryApi();
    const clock = new ManualClock();
    const gate = Promise.withResolvers<undefined>();
    api.intercept = async (verb) => {
      if (verb === 'watch') await gate.promise;
    };
    await api.create(leases, {
      metadata: { namespace: 'ns', name: 'test-operator' },
      spec: { holderIdentity: 'other', leaseDurationSeconds: 3_600 },
    });
    const lines: string[] = [];
    const manager = make(api, clock, {
      ...election('standby'),
      http: { port: 0, host: '127.0.0.1' },
      logger: jsonLogger((line) => void lines.push(line)),
    });
    manager.informer(configMaps);
    let well = true;
    manager.addCheck('healthz', { name: 'ping', run: () => (well ? undefined : 'no pong') });
    const state = run(manager);
    while (manager.port === undefined) await clock.advance(0);
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${manager.port}${path}`);
      return [response.status, await response.text()] as const;
    };
    expect(await get('/readyz')).toEqual([
      503,
      '[+]running ok\n[-]informer-sync failed: configmaps\nreadyz check failed\n',
    ]);
    await clock.advance(10_000);
    expect(lines.some((line) => line.includes('"waitingFor":"configmaps"'))).toBe(true);
    gate.resolve(undefined);
    await clock.advance(0);
    expect(await get('/readyz')).toEqual([200, 'ok']);
    expect((await get('/readyz?verbose'))[1]).toContain('[+]informer-sync ok');
    expect(await get('/healthz')).toEqual([200, 'ok']);
    well = false;
    expect(await get('/livez')).toEqual([503, '[-]ping failed: no pong\nlivez check failed\n']);
    const [, metrics] = await get('/metrics');
    expect(metrics).toContain('leader_election_master_status{name="test-operator"} 0');
    expect(metrics).toContain('reflector_lists_total{name="configmaps"} 1');
    expect((await get('/other'))[0]).toBe(404);
    state.stop.abort();
    while (state.ended === undefined) await clock.advance(0);
    await expect(get('/readyz')).rejects.toThrow('fetch failed');
  });

  it('is not well when a reconcile that was told to stop does not return', async () => {
    const api = new MemoryApi();
    const clock = new ManualClock();
    const manager = make(api, clock, { http: { port: 0, host: '127.0.0.1' } });
    const release = Promise.withResolvers<typeof done>();
    const controller = manager.controller({ name: 'test', reconcile: () => release.promise, timeoutMs: 1_000 });
    const state = run(manager);
    while (manager.port === undefined) await clock.advance(0);
    const health = async () => await (await fetch(`http://127.0.0.1:${manager.port}/healthz`)).text();
    controller.enqueue({ namespace: 'ns', name: 'a' });
    await clock.advance(2_000);
    expect(await health()).toBe('ok');
    await clock.advance(1);
    expect(await health()).toContain('[-]controller test failed: the reconcile of ns/a was told to stop');
    release.resolve(done);
    await clock.advance(0);
    expect(await health()).toBe('ok');
    state.stop.abort();
    while (state.ended === undefined) await clock.advance(0);
  });

  it('refuses what comes too late or twice', async () => {
    const clock = new ManualClock();
    const manager = make(new MemoryApi(), clock);
    const informer = manager.informer(configMaps, { labelSelector: 'a=b' });
    expect(manager.informer(configMaps)).toBe(informer);
    expect(() => manager.informer(configMaps, {})).toThrow('already');
    const state = run(manager);
    expect(() => manager.informer(leases)).toThrow('too late');
    expect(() => manager.controller({ name: 'x', reconcile: () => Promise.resolve(done) })).toThrow('too late');
    state.stop.abort();
    await clock.advance(0);
  });
});
