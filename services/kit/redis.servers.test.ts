// The connection to Redis through a failover of two real Valkeys, and what is said of it.
import { randomBytes } from 'node:crypto';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../test/servers/child-process.ts';
import { startValkey } from '../../test/servers/valkey.ts';
import type { ValkeyServer } from '../../test/servers/valkey.ts';
import { createAnswerCache } from './answers/cache.ts';
import { createConversationLog } from './conversation/log.ts';
import { createLogger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { connectRedis } from './redis.ts';
import { createGuard } from './resilience.ts';
import { openSecrets } from './secrets.ts';

const identity = { component: 'test', revision: 'r', release: '1' };
const noMetrics = () => createMetrics(identity, false);
let one: ValkeyServer;
let two: ValkeyServer;
beforeAll(async () => {
  [one, two] = await Promise.all([startValkey(), startValkey()]);
});
afterAll(async () => {
  await Promise.all([one.remove(), two.remove()]);
});

/** What a Service does whose selector follows the primary: new connections go to the one of the moment, open ones stay where they are. */
async function startService(primary: () => ValkeyServer) {
  const open = new Set<Socket>();
  const server = createServer((inside) => {
    const outside = connect(primary().port, '127.0.0.1');
    for (const [from, to] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      open.add(from);
      from.on('error', () => to.destroy()).on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('what people wrote is in no line of the log, also when Redis refuses to keep it', async () => {
  const lines: string[] = [];
  const log = createLogger('debug', identity, { write: (line) => void lines.push(line) });
  const client = one.client();
  await client.config('SET', 'maxmemory', '1');
  const cache = createAnswerCache(client, createGuard({ dependency: 'redis', metrics: noMetrics() }), 60_000, log);
  const turns = [{ role: 'user', content: 'my password is swordfish' }] as const;
  const question = { taskType: 'chat', tenant: 't', model: 'm', promptVersion: 'p', maxTokens: 1, turns };
  expect(await cache.keep(question, 'swordfish is a bad one', { tokens: 1, usd: 0 })).toBe(false);
  await client.config('SET', 'maxmemory', '0');
  client.disconnect();
  expect(lines).toEqual([expect.stringContaining('EXECABORT')]);
  expect(lines.join('')).not.toContain('swordfish');
});

test('a primary that has become a replica is left for the new one', async () => {
  let primary = one;
  const service = await startService(() => primary);
  const log = createLogger('silent', identity);
  const keys = { redisPassword: one.password, tokenSigningKey: randomBytes(32).toString('base64') };
  const secrets = openSecrets({ source: 'test', read: () => Promise.resolve(keys) }, 60_000, log);
  await secrets.first();
  const settings = { REDIS_URL: service.url, REDIS_COMMAND_TIMEOUT_MS: 1_000 };
  const link = connectRedis({ settings, secrets, log, name: 'test' });
  const guard = createGuard({ dependency: 'redis', metrics: noMetrics(), halfOpenAfterMs: 100 });
  const conversations = createConversationLog(link.client, guard);
  const say = async (clientId: string) => {
    const message = { clientId, user: 'u', text: 'hello', at: 0 };
    return await conversations.appendMessage('c', message, `answer to ${clientId}`);
  };
  await eventually('connected', () => link.state().ok);
  expect((await say('a')).offset).toBe(1);

  const [first, second] = [one.client(), two.client()];
  // Otherwise it waits 5 s for further replicas.
  await first.config('SET', 'repl-diskless-sync-delay', '0');
  await second.config('SET', 'primaryauth', one.password);
  await second.replicaof('127.0.0.1', one.port);
  await eventually('it has all', async () => (await second.xlen('{c:c}:log')) === 1);
  await second.replicaof('NO', 'ONE');
  await first.config('SET', 'primaryauth', two.password);
  await first.replicaof('127.0.0.1', two.port);
  primary = two;
  expect(await eventually('messages are stored again', async () => (await say('b')).offset, 5_000)).toBe(2);
  first.disconnect();
  second.disconnect();
  link.close();
  secrets.close();
  await service.close();
});
