// Leader election on a real API server: hand-over, take-over from a dead leader, and never two at a time.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ApiClient } from '../client/api-client.ts';
import type { Connection } from '../client/connection.ts';
import { connectionFromEnvironment } from '../client/connection.ts';
import { leases } from '../objects/builtin.ts';
import { clientOf, ownNamespace } from '../testing/real-cluster.ts';
import { LeaderElector } from './leader-elector.ts';

const kubeconfig = inject('kubeconfig');
let client: ApiClient;
let space: Awaited<ReturnType<typeof ownNamespace>>;

beforeAll(async () => {
  client = await clientOf(kubeconfig);
  space = await ownNamespace(client);
});

afterAll(async () => {
  await space[Symbol.asyncDispose]();
  client.close();
});

const times = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 300 };

/** An elector whose way to the server can be cut. */
const candidate = async (name: string, identity: string) => {
  const connection = await connectionFromEnvironment({ kubeconfig });
  let cut = false;
  const cuttable: Connection = {
    endpoint: (refresh) => (cut ? Promise.reject(new Error('cut off')) : connection.endpoint(refresh)),
  };
  const api = new ApiClient({ connection: cuttable, fieldManager: identity });
  const elector = new LeaderElector({ api, namespace: space.name, name, identity, ...times });
  const stop = new AbortController();
  return {
    elector,
    acquired: elector.acquire(stop.signal),
    cutOff: () => (cut = true),
    close: () => {
      stop.abort();
      api.close();
    },
  };
};

describe('LeaderElector on a real API server', () => {
  it('hands over at once when the leader gives the lease up', async () => {
    const one = await candidate('hand-over', 'one');
    const leadership = await one.acquired;
    const two = await candidate('hand-over', 'two');
    const startedAt = performance.now();
    await leadership?.release();
    expect(one.elector.leading).toBe(false);
    const next = await two.acquired;
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    expect((await client.get(leases, { namespace: space.name, name: 'hand-over' })).spec).toMatchObject({
      holderIdentity: 'two',
      leaseTransitions: 1,
      leaseDurationSeconds: 3,
    });
    await next?.release();
    for (const each of [one, two]) each.close();
  });

  it('follows a leader that is cut off, after that one has given up', async () => {
    const one = await candidate('take-over', 'one');
    const leadership = await one.acquired;
    let lostAt = Infinity;
    leadership?.lost.addEventListener('abort', () => (lostAt = performance.now()));
    const two = await candidate('take-over', 'two');
    one.cutOff();
    const startedAt = performance.now();
    const next = await two.acquired;
    const takenAt = performance.now();
    expect(lostAt).toBeLessThan(takenAt);
    expect(takenAt - startedAt).toBeGreaterThan(times.leaseDurationMs - times.retryPeriodMs);
    expect(takenAt - startedAt).toBeLessThan(times.leaseDurationMs + 2_000);
    await next?.release();
    for (const each of [one, two]) each.close();
  });

  it('of five that start together exactly one leads', async () => {
    const all = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((identity) => candidate('race', identity)));
    const first = await Promise.race(all.map(({ acquired }) => acquired));
    await client.list(leases, { namespace: space.name });
    expect(all.filter(({ elector }) => elector.leading)).toHaveLength(1);
    await first?.release();
    for (const each of all) each.close();
  });
});
