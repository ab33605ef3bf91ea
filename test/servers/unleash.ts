// A real Unleash for tests, on a PostgreSQL of its own, with tokens known in advance.
import { packageFile } from '@assistant-platform/local/packages';
import { freePort, startServer } from './child-process.ts';
import { startPostgres } from './postgres.ts';

export interface UnleashServer {
  /** Base address of the API, ending in /api. */
  readonly url: string;
  readonly backendToken: string;
  /** Creates a flag that is rolled out to `rollout` percent of the conversations, and switches it on. */
  createFlag(name: string, rollout: number): Promise<void>;
  /** Switches a flag on or off. */
  toggle(name: string, on: boolean): Promise<void>;
  /** Stops Unleash; its database stays. */
  down(): Promise<void>;
  up(): Promise<void>;
  remove(): Promise<void>;
}

const adminToken = '*:*.test-admin-token-of-no-value';
const backendToken = 'default:development.test-backend-token-of-no-value';

export async function startUnleash(): Promise<UnleashServer> {
  const main = await packageFile('unleash', 'server');
  const postgres = await startPostgres('unleash');
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const environment = {
    NODE_ENV: 'production',
    DATABASE_URL: postgres.url,
    DATABASE_SSL: 'false',
    INIT_ADMIN_API_TOKENS: adminToken,
    INIT_BACKEND_API_TOKENS: backendToken,
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: String(port),
    CHECK_VERSION: 'false',
    SEND_TELEMETRY: 'false',
    LOG_LEVEL: 'warn',
  };
  const isReady = async () => {
    try {
      return (await fetch(`${base}/health`)).ok;
    } catch {
      return false;
    }
  };
  const start = () =>
    startServer({
      name: 'Unleash',
      command: process.execPath,
      args: [main],
      environment,
      isReady,
      readyWithin: 90_000,
    });
  const admin = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${base}/api/admin/projects/default/${path}`, {
      method,
      headers: { authorization: adminToken, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${(await answer.text()).slice(0, 200)}`);
  };

  let server = await start().catch(async (error: unknown) => {
    await postgres.remove();
    throw error;
  });
  return {
    url: `${base}/api`,
    backendToken,
    async createFlag(name, rollout) {
      await admin('POST', 'features', { name, type: 'release' });
      await admin('POST', `features/${name}/environments/development/strategies`, {
        name: 'flexibleRollout',
        parameters: { rollout: String(rollout), stickiness: 'conversationId', groupId: name },
        constraints: [],
      });
      await admin('POST', `features/${name}/environments/development/on`);
    },
    toggle: (name, on) => admin('POST', `features/${name}/environments/development/${on ? 'on' : 'off'}`),
    down: () => server.stop(),
    async up() {
      server = await start();
    },
    async remove() {
      await server.stop();
      await postgres.remove();
    },
  };
}
