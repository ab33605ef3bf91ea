// Our services as processes, started from their sources as an image starts its bundle.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startServer } from './child-process.ts';
import type { ServerProcess } from './child-process.ts';

export type ServiceName = 'chat' | 'realtime' | 'model';

export interface RunningPod {
  readonly process: ServerProcess;
  /** http://127.0.0.1:PORT */
  readonly url: string;
  readonly adminUrl: string;
  /** ws://127.0.0.1:PORT/ws */
  readonly socketUrl: string;
  readonly revision: string;
  sessions(): Promise<{ open: number; busy: number; oldestSeconds: number; draining: boolean }>;
  /** Status of /readyz and its body. */
  readiness(): Promise<{
    status: number;
    body: { ready: boolean; state: string; dependencies: Record<string, { ok: boolean }> };
  }>;
  /** POST /drain with the admin token. */
  drain(order: object): Promise<Response>;
  metrics(): Promise<string>;
}

/** Secrets and the admin token as files in a folder of their own. */
export interface TestFiles {
  readonly folder: string;
  readonly secretsFile: string;
  readonly adminToken: string;
  readonly adminTokenFile: string;
  readonly secrets: { redisPassword: string; tokenSigningKey: string; unleashToken: string };
  writeSecrets(secrets: object): Promise<void>;
  remove(): Promise<void>;
}

export async function makeTestFiles(redisPassword: string, unleashToken = ''): Promise<TestFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'assistant-services-'));
  const secretsFile = join(folder, 'secrets.json');
  const adminTokenFile = join(folder, 'admin-token');
  const adminToken = randomBytes(16).toString('hex');
  const secrets = { redisPassword, tokenSigningKey: randomBytes(32).toString('base64'), unleashToken };
  const writeSecrets = (keys: object) => writeFile(secretsFile, JSON.stringify(keys));
  await writeSecrets(secrets);
  await writeFile(adminTokenFile, `${adminToken}\n`);
  const remove = () => rm(folder, { recursive: true, force: true });
  return { folder, secretsFile, adminToken, adminTokenFile, secrets, writeSecrets, remove };
}

const repository = join(import.meta.dirname, '../..');

/** @param environment on top of ports, revision, token file and quick stopping */
export async function startService(
  name: ServiceName,
  files: TestFiles,
  environment: Readonly<Record<string, string>>,
  waitUntilReady = true,
): Promise<RunningPod> {
  const port = await freePort();
  const adminPort = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  const revision = environment.ASSISTANT_REVISION ?? 'test1';
  const isReady = async () => {
    try {
      return (await fetch(`${url}${waitUntilReady ? '/readyz' : '/healthz'}`)).ok;
    } catch {
      return false;
    }
  };
  const server = await startServer({
    name,
    command: process.execPath,
    args: [join(repository, 'services', name, 'main.ts')],
    environment: {
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      ASSISTANT_REVISION: revision,
      ASSISTANT_RELEASE: '1.0.0',
      ASSISTANT_ADMIN_TOKEN_FILE: files.adminTokenFile,
      UNLEASH_BACKUP_DIR: files.folder,
      SHUTDOWN_DELAY_MS: '100',
      LOG_LEVEL: 'debug',
      ...environment,
    },
    isReady,
    readyWithin: 60_000,
  });
  return {
    process: server,
    url,
    adminUrl,
    socketUrl: `ws://127.0.0.1:${port}/ws`,
    revision,
    sessions: async () => (await (await fetch(`${adminUrl}/sessions`)).json()) as never,
    async readiness() {
      const answer = await fetch(`${url}/readyz`);
      return { status: answer.status, body: (await answer.json()) as never };
    },
    drain: (order) =>
      fetch(`${adminUrl}/drain`, {
        method: 'POST',
        headers: { authorization: `Bearer ${files.adminToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(order),
      }),
    metrics: async () => await (await fetch(`${adminUrl}/metrics`)).text(),
  };
}
