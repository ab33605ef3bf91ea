// The informer on a real API server, through its SIGKILL and restart. The instance is the test's own, for it is killed.
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Cluster } from '@assistant-platform/local/cluster';
import { clusterStatus, startCluster } from '@assistant-platform/local/cluster';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ApiClient } from '../client/api-client.ts';
import { isGone } from '../client/errors.ts';
import { configMaps } from '../objects/builtin.ts';
import { clientOf, configMap, ownNamespace, until } from '../testing/real-cluster.ts';
import type { Change } from './informer.ts';
import { Informer } from './informer.ts';
import { withObservedWrites } from './observed-writes.ts';

// Beside the shared instance, which other tests use and must not lose its API server.
const stateDir = join(dirname(dirname(inject('kubeconfig'))), 'test-runtime-restart');
let cluster: Cluster;
let client: ApiClient;
let namespace: string;

beforeAll(async () => {
  cluster = await startCluster({ stateDir, tier: 'control-plane', tied: true });
  client = await clientOf(cluster.kubeconfig);
  namespace = (await ownNamespace(client)).name;
});

afterAll(async () => {
  client.close();
  await cluster.stop();
  await rm(stateDir, { recursive: true, force: true });
});

const start = (labelSelector: string) => {
  const informer = new Informer({ api: client, type: configMaps, namespaces: [namespace], labelSelector });
  const changes: string[] = [];
  informer.addHandler((change: Change) => void changes.push(`${change.type} ${change.object.metadata.name}`));
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  const versions = () =>
    Object.fromEntries(informer.list().map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
  const finish = async () => {
    stop.abort();
    await running;
  };
  return { informer, changes, versions, finish };
};

const truth = async (labelSelector: string) =>
  Object.fromEntries(
    (await client.list(configMaps, { namespace, labelSelector })).items.map(({ metadata }) => [
      metadata.name,
      metadata.resourceVersion,
    ]),
  );

const firstEvent = async (watch: AsyncIterable<unknown>): Promise<unknown> => {
  for await (const event of watch) return event;
  return undefined;
};

describe('Informer on a real API server', () => {
  it('reads its own writes: never older than the last of 300 quick changes, deletions and returns of one object', async () => {
    const { informer, changes, versions, finish } = start('test=writes');
    await informer.whenSynced();
    const api = withObservedWrites(client, () => [informer]);
    const ref = { namespace, name: 'hot' };
    for (let round = 0; round < 100; round++) {
      const created = await api.create(configMaps, configMap(namespace, 'hot', {}, { test: 'writes' }));
      expect(informer.get(ref)?.metadata.uid).toBe(created.metadata.uid);
      const patched = await api.patch(configMaps, ref, { data: { round: String(round) } });
      expect(informer.get(ref)?.metadata.resourceVersion).toBe(patched.metadata.resourceVersion);
      await api.delete(configMaps, ref);
      expect(informer.get(ref)).toBeUndefined();
    }
    await api.create(configMaps, configMap(namespace, 'last', {}, { test: 'writes' }));
    // The watch tells of this one, so it has told of all before.
    await client.create(configMaps, configMap(namespace, 'marker', {}, { test: 'writes' }));
    await until('the marker', () => changes.includes('Added marker'));
    expect(changes.filter((change) => change.endsWith('hot'))).toEqual(
      Array.from({ length: 100 }, () => ['Added hot', 'Updated hot', 'Deleted hot']).flat(),
    );
    expect(versions()).toEqual(await truth('test=writes'));
    await finish();
  });

  it('survives the SIGKILL of the API server: tells its trouble, recovers, and ends at the truth', async () => {
    const { informer, changes, versions, finish } = start('test=restart');
    for (const name of ['kept', 'changed', 'gone'])
      await client.create(configMaps, configMap(namespace, name, {}, { test: 'restart' }));
    await until('three objects', () => informer.size === 3);
    const { resourceVersion: before } = await client.list(configMaps, { namespace });
    const { supervisor } = await clusterStatus(stateDir);
    const pid = supervisor?.components['kube-apiserver']?.pid;
    expect(pid).toBeGreaterThan(1);
    process.kill(pid!, 'SIGKILL');
    await until('trouble', () => informer.lastError !== undefined);
    expect(informer.size).toBe(3);
    const attempt = async (write: () => Promise<unknown>): Promise<boolean> =>
      write().then(
        () => true,
        () => false,
      );
    await until(
      'the API server to take writes again',
      () => attempt(() => client.patch(configMaps, { namespace, name: 'changed' }, { data: { a: 'b' } })),
      60_000,
    );
    await client.delete(configMaps, { namespace, name: 'gone' });
    await client.create(configMaps, configMap(namespace, 'new', {}, { test: 'restart' }));
    await until(
      'the news',
      () => changes.includes('Added new') && changes.includes('Deleted gone') && changes.includes('Updated changed'),
      60_000,
    );
    expect(informer.lastError).toBeUndefined();
    expect(versions()).toEqual(await truth('test=restart'));
    expect(changes.filter((change) => change === 'Added kept')).toHaveLength(1);
    await finish();
    // The new API server does not know the past: a watch from there is a real 410.
    await expect(
      firstEvent(
        client.watch(configMaps, { namespace, resourceVersion: String(Number(before) - 1), timeoutSeconds: 5 }),
      ),
    ).rejects.toSatisfy(isGone);
  });
});
