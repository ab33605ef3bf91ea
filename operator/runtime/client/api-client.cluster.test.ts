// The client against a real kube-apiserver: what it sends is understood, and what comes back is typed as it is.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { configMaps, deployments, pods, serviceAccounts, services } from '../objects/builtin.ts';
import { clientOf, configMap, ownNamespace } from '../testing/real-cluster.ts';
import { ApiClient } from './api-client.ts';
import { inClusterConnection, kubeConfigConnection } from './connection.ts';
import type { ApiError } from './errors.ts';
import { isAlreadyExists, isConflict, isForbidden, isInvalid, isNotFound, isUnauthorized } from './errors.ts';
import { readText, Transport } from './transport.ts';

const kubeconfig = inject('kubeconfig');
let client: ApiClient;
let space: Awaited<ReturnType<typeof ownNamespace>>;
let namespace: string;

beforeAll(async () => {
  client = await clientOf(kubeconfig);
  space = await ownNamespace(client);
  namespace = space.name;
});

afterAll(async () => {
  await space[Symbol.asyncDispose]();
  client.close();
});

const refusal = async (promise: Promise<unknown>): Promise<ApiError> => {
  try {
    await promise;
  } catch (error) {
    return error as ApiError;
  }
  throw new Error('it was not refused');
};

describe('ApiClient on a real API server', () => {
  it('creates, reads, updates, patches and deletes', async () => {
    const ref = { namespace, name: 'crud' };
    const created = await client.create(configMaps, configMap(namespace, 'crud', { a: '1', b: '2' }));
    expect(created).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1', b: '2' } });
    expect(isAlreadyExists(await refusal(client.create(configMaps, configMap(namespace, 'crud'))))).toBe(true);
    const updated = await client.update(configMaps, { ...created, data: { a: '9', b: '2' } });
    expect(isConflict(await refusal(client.update(configMaps, { ...created, data: {} })))).toBe(true);
    expect((await client.patch(configMaps, ref, { data: { b: null } })).data).toEqual({ a: '9' });
    expect((await client.patch(configMaps, ref, { data: { c: '3' } }, { dryRun: true })).data).toEqual({
      a: '9',
      c: '3',
    });
    expect((await client.get(configMaps, ref)).data).toEqual({ a: '9' });
    expect(isConflict(await refusal(client.delete(configMaps, ref, { preconditions: { uid: 'another' } })))).toBe(true);
    expect(await client.delete(configMaps, ref, { preconditions: { uid: updated.metadata.uid ?? '' } })).toEqual({
      state: 'Gone',
      uid: created.metadata.uid,
    });
    expect(isNotFound(await refusal(client.get(configMaps, ref)))).toBe(true);
    expect(await client.find(configMaps, ref)).toBeUndefined();
  });

  it('a Service is gone at once, although the answer is the Service', async () => {
    const ref = { namespace, name: 'gone' };
    const { metadata } = await client.create(services, { metadata: ref, spec: { ports: [{ port: 80 }] } });
    expect(await client.delete(services, ref)).toEqual({ state: 'Gone', uid: metadata.uid });
    expect(await client.find(services, ref)).toBeUndefined();
  });

  it('a deletion that waits for a finalizer says so', async () => {
    const ref = { namespace, name: 'final' };
    await client.create(configMaps, { metadata: { ...ref, finalizers: ['example.com/wait'] } });
    const deletion = await client.delete(configMaps, ref);
    expect(deletion).toMatchObject({
      state: 'Terminating',
      object: { kind: 'ConfigMap', metadata: { name: 'final' } },
    });
    await client.patch(configMaps, ref, { metadata: { finalizers: null } });
    expect(await client.find(configMaps, ref)).toBeUndefined();
  });

  it('names the fields of what is invalid', async () => {
    const template = { metadata: { labels: { a: 'c' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec = { replicas: -1, selector: { matchLabels: { a: 'b' } }, template };
    const error = await refusal(client.apply(deployments, { metadata: { namespace, name: 'bad' }, spec }));
    expect(isInvalid(error)).toBe(true);
    expect(error.causes.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['spec.replicas', 'spec.template.metadata.labels']) as unknown,
    );
  });

  it('server-side apply: owns what it applied, removes what it leaves out, leaves the rest to others', async () => {
    const metadata = { namespace, name: 'ssa' };
    await client.apply(configMaps, { metadata, data: { mine: '1', dropped: '1' } });
    await client.apply(configMaps, { metadata, data: { theirs: '2' } }, { fieldManager: 'somebody-else' });
    const after = await client.apply(configMaps, { metadata, data: { mine: '1' } });
    expect(after.data).toEqual({ mine: '1', theirs: '2' });
    const again = await client.apply(configMaps, { metadata, data: { mine: '1' } });
    expect(again.metadata.resourceVersion).toBe(after.metadata.resourceVersion);
  });

  it('server-side apply: conflicts name the manager and the field, and force takes over', async () => {
    const metadata = { namespace, name: 'conflict' };
    await client.apply(configMaps, { metadata, data: { owner: 'a' } });
    const other = { fieldManager: 'somebody-else' };
    const error = await refusal(
      client.apply(configMaps, { metadata, data: { owner: 'b' } }, { ...other, force: false }),
    );
    expect(isConflict(error)).toBe(true);
    expect(error.causes).toMatchObject([
      {
        reason: 'FieldManagerConflict',
        field: '.data.owner',
        message: expect.stringContaining('runtime-test') as string,
      },
    ]);
    expect((await client.apply(configMaps, { metadata, data: { owner: 'b' } }, other)).data).toEqual({ owner: 'b' });
  });

  it('applies a status without touching the spec', async () => {
    const template = {
      metadata: { labels: { a: 'b' } },
      spec: { containers: [{ name: 'c', image: 'localhost/none:1' }] },
    };
    const metadata = { namespace, name: 'status' };
    const spec = { replicas: 0, selector: { matchLabels: { a: 'b' } }, template };
    const created = await client.apply(deployments, { metadata, spec });
    const conditions = [{ type: 'Tested', status: 'True', reason: 'ByUs', message: 'yes' }];
    const after = await client.applyStatus(deployments, { metadata, status: { conditions } });
    expect(after.status?.conditions).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: 'Tested', reason: 'ByUs' })]) as unknown,
    );
    expect(after.metadata.generation).toBe(created.metadata.generation);
  });

  it('lists by pages, all of one version', async () => {
    const names = Array.from({ length: 23 }, (_unused, index) => `page-${String(index).padStart(2, '0')}`);
    await Promise.all(names.map((name) => client.create(configMaps, configMap(namespace, name, {}, { paged: 'yes' }))));
    const selection = { namespace, labelSelector: 'paged=yes' };
    const first = await client.page(configMaps, { ...selection, limit: 10 });
    expect([first.items.length, first.continueToken === undefined]).toEqual([10, false]);
    const list = await client.list(configMaps, { ...selection, limit: 10 });
    expect(list.items.map(({ metadata }) => metadata.name)).toEqual(names);
    expect(list.items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  });

  it('watches from a version, ends when the server ends it, and gets bookmarks on the way', async () => {
    const { resourceVersion } = await client.list(configMaps, { namespace, labelSelector: 'watched=yes' });
    const labels = { watched: 'yes' };
    const seen: string[] = [];
    const watching = (async () => {
      for await (const event of client.watch(configMaps, {
        namespace,
        labelSelector: 'watched=yes',
        resourceVersion,
        timeoutSeconds: 4,
      })) {
        seen.push(event.type === 'BOOKMARK' ? event.type : `${event.type} ${event.object.metadata.name}`);
      }
    })();
    await client.create(configMaps, configMap(namespace, 'w', {}, labels));
    await client.create(configMaps, configMap(namespace, 'unseen'));
    await client.patch(configMaps, { namespace, name: 'w' }, { data: { a: 'b' } });
    await client.patch(configMaps, { namespace, name: 'w' }, { metadata: { labels: { watched: 'no' } } });
    await watching;
    expect(seen.filter((line) => line !== 'BOOKMARK')).toEqual(['ADDED w', 'MODIFIED w', 'DELETED w']);
    expect(seen).toContain('BOOKMARK');
  });

  it('a pod proves itself by its service account, and reads a renewed token', async () => {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const cluster = config.getCurrentCluster();
    const url = new URL(cluster?.server ?? '');
    await client.create(serviceAccounts, { metadata: { namespace, name: 'robot' } });
    const transport = new Transport(kubeConfigConnection(config));
    const requestToken = async (): Promise<string> => {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/robot/token`;
      const body = JSON.stringify({
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 600 },
      });
      const response = await transport.send({
        method: 'POST',
        path,
        body,
        headers: { 'content-type': 'application/json' },
      });
      const answer = JSON.parse(await readText(path, response)) as { status: { token: string } };
      return answer.status.token;
    };
    const folder = await mkdtemp(join(tmpdir(), 'service-account-'));
    try {
      await writeFile(join(folder, 'ca.crt'), Buffer.from(cluster?.caData ?? '', 'base64'));
      await writeFile(join(folder, 'token'), 'not a token');
      const env = { KUBERNETES_SERVICE_HOST: url.hostname, KUBERNETES_SERVICE_PORT: url.port };
      const robot = new ApiClient({ connection: inClusterConnection({ env, folder }), fieldManager: 'robot' });
      expect(isUnauthorized(await refusal(robot.list(pods, { namespace })))).toBe(true);
      await writeFile(join(folder, 'token'), await requestToken());
      const error = await refusal(robot.list(pods, { namespace }));
      expect(isForbidden(error)).toBe(true);
      expect(error.message).toContain(`system:serviceaccount:${namespace}:robot`);
      robot.close();
    } finally {
      transport.close();
      await rm(folder, { recursive: true });
    }
  });

  it('does not trust a server that the kubeconfig does not', async () => {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    for (const cluster of config.clusters) Object.assign(cluster, { caData: undefined, caFile: undefined });
    const stranger = new ApiClient({ connection: kubeConfigConnection(config), fieldManager: 'x' });
    expect(await refusal(stranger.list(pods, { namespace }))).toMatchObject({
      name: 'TransportError',
      failure: 'Connection',
    });
    stranger.close();
  });
});
