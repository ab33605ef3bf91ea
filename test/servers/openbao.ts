// A real OpenBao for tests: on disk, initialised and unsealed, with the secret of the services and a login for pods.
//
// The login path and its request are those of the Kubernetes auth method (auth/kubernetes/login with role and jwt),
// but the method behind it is OpenBao's JWT method with a key of the test, because there is no API server here that
// could review tokens. That the real Kubernetes method works is tested on the cluster.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageFile } from '@assistant-platform/local/packages';
import { SignJWT, exportSPKI, generateKeyPair } from 'jose';
import { eventually, freePort, startServer } from './child-process.ts';

export interface OpenBaoServer {
  readonly address: string;
  /** File with the token that a pod presents. */
  readonly jwtFile: string;
  /** Writes the keys of secret/assistant. */
  writeSecret(keys: Readonly<Record<string, string>>): Promise<void>;
  /** Revokes every token that a login gave. */
  revokeLogins(): Promise<void>;
  down(): Promise<void>;
  /** Starts it again with its data and unseals it. */
  up(): Promise<void>;
  remove(): Promise<void>;
}

/** Audience and role of the login. */
const role = 'assistant';

/** @param loginSeconds life of the tokens that a login gives; short ones show renewal */
export async function startOpenBao(loginSeconds = 60): Promise<OpenBaoServer> {
  const command = await packageFile('openbao', 'bao');
  const folder = await mkdtemp(join(tmpdir(), 'assistant-openbao-'));
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const clusterPort = await freePort();
  await mkdir(join(folder, 'data'));
  const settings = join(folder, 'bao.hcl');
  await writeFile(
    settings,
    `storage "raft" {
  path = "${join(folder, 'data')}"
  node_id = "test"
}
listener "tcp" {
  address = "127.0.0.1:${port}"
  tls_disable = true
}
api_addr = "${address}"
cluster_addr = "http://127.0.0.1:${clusterPort}"
`,
  );
  let rootToken = '';
  let unsealKey = '';

  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const answer = await fetch(`${address}/v1/${path}`, {
      method,
      headers: { 'X-Vault-Token': rootToken },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 200)}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const isReady = async () => {
    try {
      // 501: not initialised, 503: sealed. Either way it answers.
      return (await fetch(`${address}/v1/sys/health`)).status > 0;
    } catch {
      return false;
    }
  };
  const start = () => startServer({ name: 'OpenBao', command, args: ['server', '-config', settings], isReady });
  const unseal = async () => {
    await call('PUT', 'sys/unseal', { key: unsealKey });
    await eventually('OpenBao active', async () => (await fetch(`${address}/v1/sys/health`)).status === 200);
  };

  let server = await start();
  const made = (await call('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 })) as {
    keys_base64: [string];
    root_token: string;
  };
  unsealKey = made.keys_base64[0];
  rootToken = made.root_token;
  await unseal();

  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  await call('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  await call('POST', 'sys/auth/kubernetes', { type: 'jwt' });
  await call('POST', 'auth/kubernetes/config', { jwt_validation_pubkeys: [await exportSPKI(publicKey)] });
  const policy = 'path "secret/data/assistant" { capabilities = ["read"] }';
  await call('PUT', `sys/policies/acl/${role}`, { policy });
  await call('POST', `auth/kubernetes/role/${role}`, {
    role_type: 'jwt',
    user_claim: 'sub',
    bound_audiences: ['openbao'],
    token_policies: [role],
    token_ttl: loginSeconds,
    token_max_ttl: loginSeconds * 10,
  });
  const jwt = await new SignJWT({})
    .setProtectedHeader({ alg: 'RS256' })
    .setSubject('system:serviceaccount:assistants:assistant')
    .setAudience('openbao')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey);
  const jwtFile = join(folder, 'jwt');
  await writeFile(jwtFile, jwt);

  return {
    address,
    jwtFile,
    async writeSecret(data) {
      await call('POST', 'secret/data/assistant', { data });
    },
    async revokeLogins() {
      await call('PUT', 'sys/leases/revoke-prefix/auth/kubernetes');
    },
    down: () => server.stop(),
    async up() {
      server = await start();
      await unseal();
    },
    async remove() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
