// OpenBao as the stack starts it, outside a cluster: configures itself, unseals by itself, and survives a first start that
// was cut short. Only the paths, the ports and the certificate of the API server (which a pod finds by itself) are replaced.
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageFile } from '@assistant-platform/local/packages';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, freePort, startServer } from '../../test/servers/child-process.ts';
import type { ServerProcess } from '../../test/servers/child-process.ts';
import { derive } from '../secrets.ts';
import { openbaoConfig } from './secrets-backend.ts';

const SEED = 'f'.repeat(64);
const keys = {
  sealKey: derive(SEED, 'seal', 'base64'),
  adminToken: derive(SEED, 'admin'),
  redisPassword: 'the password of Redis',
  tokenSigningKey: derive(SEED, 'key', 'base64'),
  unleashToken: 'default:development.token',
};

let folder: string;
let address: string;
let environment: Record<string, string>;
let server: ServerProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assistant-secrets-'));
  const [port, clusterPort] = [await freePort(), await freePort()];
  address = `http://127.0.0.1:${port}`;
  for (const part of ['data', 'keys', 'tmp', 'etc']) await mkdir(join(folder, part));
  for (const [name, value] of Object.entries(keys)) await writeFile(join(folder, 'keys', name), value);
  await writeFile(
    join(folder, 'keys', 'ca'),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }),
  );
  const here = (text: string) =>
    text
      .replaceAll('/run/secrets/openbao', join(folder, 'keys'))
      .replaceAll('/openbao/data', join(folder, 'data'))
      .replaceAll('/etc/openbao', join(folder, 'etc'))
      .replaceAll('/tmp/openbao-folder', join(folder, 'tmp', 'openbao-folder'));
  const config = here(openbaoConfig({ serviceAccount: 'assistant', namespace: 'assistants' }))
    .replaceAll('[::]:8200', `127.0.0.1:${port}`)
    .replaceAll('127.0.0.1:8201', `127.0.0.1:${clusterPort}`)
    // A pod finds certificate and token of the API server by itself; here is neither.
    .replace(
      '{ kubernetes_host = "https://kubernetes.default.svc" }',
      `{ kubernetes_host = "https://127.0.0.1:1", disable_local_ca_jwt = true, kubernetes_ca_cert = { eval_type = "string", eval_source = "file", path = "${join(folder, 'keys', 'ca')}" } }`,
    );
  await writeFile(join(folder, 'etc', 'openbao.hcl'), config);
  await writeFile(
    join(folder, 'etc', 'openbao.sh'),
    here(await readFile(new URL('./secrets-backend.sh', import.meta.url), 'utf8')),
  );
  const bao = await packageFile('openbao', 'bao');
  environment = { PATH: `${dirname(bao)}:${process.env['PATH'] ?? ''}`, BAO_ADDR: address, HOME: join(folder, 'tmp') };
});

afterEach(async () => {
  await server?.stop();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

const script = (): string => join(folder, 'etc', 'openbao.sh');

function serve(isReady: () => Promise<boolean>): Promise<ServerProcess> {
  return startServer({
    name: 'OpenBao',
    command: 'sh',
    args: [script(), 'serve'],
    environment,
    isReady,
    readyWithin: 40_000,
  });
}

/** The startup probe, as the kubelet runs it. */
function started(): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = spawn('sh', [script(), 'started'], { env: environment, stdio: 'ignore' });
    probe.once('error', reject).once('exit', (code) => resolve(code === 0));
  });
}

async function read(path: string, token: string): Promise<{ status: number; body: Record<string, never> }> {
  const answer = await fetch(`${address}/v1/${path}`, { headers: { 'X-Vault-Token': token } });
  return { status: answer.status, body: (await answer.json()) as Record<string, never> };
}

const folders = async () => (await readdir(join(folder, 'data'))).sort();

describe('the first start', () => {
  it('configures the store: the secret, its policy and role, a token for people, encrypted on disk, with an audit log [R-031]', async () => {
    server = await serve(started);
    const secret = await read('secret/data/assistant', keys.adminToken);
    expect(secret.body).toMatchObject({
      data: {
        data: {
          redisPassword: keys.redisPassword,
          tokenSigningKey: keys.tokenSigningKey,
          unleashToken: keys.unleashToken,
        },
      },
    });
    const role = await read('auth/kubernetes/role/assistant', keys.adminToken);
    expect(role.body).toMatchObject({
      data: {
        bound_service_account_names: ['assistant'],
        bound_service_account_namespaces: ['assistants'],
        token_policies: ['assistant'],
      },
    });
    const policy = await read('sys/policies/acl/assistant', keys.adminToken);
    expect(JSON.stringify(policy.body)).toContain('secret/data/assistant');
    expect((await read('secret/data/assistant', 'nobody')).status).toBe(403);
    expect(server.output()).toMatch(/"type":"response".*secret\/data\/assistant/);
    expect(server.output()).not.toContain(keys.redisPassword);
    expect(await folders()).toEqual(['raft-1', 'raft-1.complete']);
    for (const file of ['vault.db', 'raft/raft.db']) {
      const stored = await readFile(join(folder, 'data', 'raft-1', file));
      expect(stored.length, file).toBeGreaterThan(0);
      expect(stored.includes(keys.redisPassword), `${file} holds the password in clear`).toBe(false);
    }
  });
});

describe('a later start', () => {
  it('unseals by itself and keeps what people wrote', async () => {
    server = await serve(started);
    const written = await fetch(`${address}/v1/secret/data/assistant`, {
      method: 'POST',
      headers: { 'X-Vault-Token': keys.adminToken },
      body: JSON.stringify({ data: { ...keys, redisPassword: 'rotated' } }),
    });
    expect(written.status).toBe(200);
    await server.kill();
    server = await serve(started);
    const secret = await read('secret/data/assistant', keys.adminToken);
    expect(secret.body).toMatchObject({ data: { data: { redisPassword: 'rotated' }, metadata: { version: 2 } } });
    expect(await folders()).toEqual(['raft-1', 'raft-1.complete']);
  });
});

describe('a first start that is cut short', () => {
  it('begins anew, and the probe never calls half a store complete', async () => {
    const store = join(folder, 'data', 'raft-1', 'vault.db');
    server = await serve(() => Promise.resolve(existsSync(store)));
    await eventually('the initialisation begins', () => server?.output().includes('initialize['), 30_000);
    await server.kill();
    expect(existsSync(`${dirname(store)}.complete`)).toBe(false);
    server = await serve(started);
    const secret = await read('secret/data/assistant', keys.adminToken);
    expect(secret.status).toBe(200);
    expect(await folders()).toEqual(['raft-1', 'raft-2', 'raft-2.complete']);
  });
});
