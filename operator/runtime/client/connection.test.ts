import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../clock/manual-clock.ts';
import { connectionFromEnvironment, inClusterConnection, kubeConfigConnection } from './connection.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connection-'));
});

afterEach(() => rm(folder, { recursive: true }));

const kubeconfig = (user: object) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'one',
        cluster: {
          server: 'https://198.18.0.1:6443',
          'certificate-authority-data': Buffer.from('CA').toString('base64'),
          'tls-server-name': 'api',
        },
      },
      { name: 'two', cluster: { server: 'https://198.18.0.2:6443' } },
    ],
    users: [{ name: 'u', user }],
    contexts: ['one', 'two'].map((name) => ({ name, context: { cluster: name, user: 'u' } })),
    'current-context': 'one',
  });

const load = (user: object) => {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig(user));
  return config;
};

describe('kubeConfigConnection', () => {
  it('gives address, trust and client certificate', async () => {
    const encoded = (text: string) => Buffer.from(text).toString('base64');
    const endpoint = await kubeConfigConnection(
      load({ 'client-certificate-data': encoded('CERT'), 'client-key-data': encoded('KEY') }),
    ).endpoint();
    expect(endpoint).toMatchObject({ server: 'https://198.18.0.1:6443', headers: {}, tls: { servername: 'api' } });
    expect([endpoint.tls.ca, endpoint.tls.cert, endpoint.tls.key].map(String)).toEqual(['CA', 'CERT', 'KEY']);
  });

  it.each([
    [{ token: 'abc' }, 'Bearer abc'],
    [{ username: 'me', password: 'pw' }, `Basic ${Buffer.from('me:pw').toString('base64')}`],
  ])('authenticates with %o', async (user, authorization) => {
    expect((await kubeConfigConnection(load(user)).endpoint()).headers).toEqual({ authorization });
  });
});

describe('connectionFromEnvironment', () => {
  it('takes the context it is told, and names those there are when it is unknown', async () => {
    const path = join(folder, 'config');
    await writeFile(path, kubeconfig({ token: 'abc' }));
    const connection = await connectionFromEnvironment({ kubeconfig: path, context: 'two', env: {} });
    expect((await connection.endpoint()).server).toBe('https://198.18.0.2:6443');
    await expect(connectionFromEnvironment({ kubeconfig: path, context: 'three', env: {} })).rejects.toThrow(
      'no context "three"; there are: one, two',
    );
  });
});

describe('inClusterConnection', () => {
  const env = { KUBERNETES_SERVICE_HOST: '198.18.4.1', KUBERNETES_SERVICE_PORT: '443' };

  it('reads a renewed token after a minute, or at once when the old one was refused', async () => {
    const clock = new ManualClock();
    await writeFile(join(folder, 'ca.crt'), 'CA');
    await writeFile(join(folder, 'token'), 'first\n');
    const connection = inClusterConnection({ env, folder, clock });
    const authorization = async (refresh?: boolean) => (await connection.endpoint(refresh)).headers['authorization'];
    expect(await authorization()).toBe('Bearer first');
    await writeFile(join(folder, 'token'), 'second');
    expect(await authorization()).toBe('Bearer first');
    await clock.advance(60_000);
    expect(await authorization()).toBe('Bearer second');
    await writeFile(join(folder, 'token'), 'third');
    expect(await authorization(true)).toBe('Bearer third');
    expect((await connection.endpoint()).server).toBe('https://198.18.4.1:443');
  });

  it('finds the service account where the environment says it is mounted', async () => {
    await writeFile(join(folder, 'ca.crt'), 'CA');
    await writeFile(join(folder, 'token'), 'elsewhere');
    const connection = inClusterConnection({ env: { ...env, KUBERNETES_SERVICE_ACCOUNT_FOLDER: folder } });
    expect((await connection.endpoint()).headers).toEqual({ authorization: 'Bearer elsewhere' });
  });

  it('does not remember that it could not read', async () => {
    const connection = inClusterConnection({ env, folder });
    await expect(connection.endpoint()).rejects.toThrow('ENOENT');
    await writeFile(join(folder, 'ca.crt'), 'CA');
    await writeFile(join(folder, 'token'), 'there');
    expect((await connection.endpoint()).headers).toEqual({ authorization: 'Bearer there' });
  });

  it('writes IPv6 addresses as URLs do, and says when it is not in a pod', async () => {
    await writeFile(join(folder, 'ca.crt'), 'CA');
    await writeFile(join(folder, 'token'), 't');
    const connection = inClusterConnection({ env: { ...env, KUBERNETES_SERVICE_HOST: 'fd00::1' }, folder });
    expect((await connection.endpoint()).server).toBe('https://[fd00::1]:443');
    expect(() => inClusterConnection({ env: {} })).toThrow('not in a cluster');
  });
});
