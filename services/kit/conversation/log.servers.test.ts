// What a real Valkey keeps of a conversation, and what a client is told that comes back after it has lost its last moments.
import { cp, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../../test/servers/child-process.ts';
import { startValkey } from '../../../test/servers/valkey.ts';
import type { ValkeyServer } from '../../../test/servers/valkey.ts';
import { createMetrics } from '../metrics.ts';
import { createGuard } from '../resilience.ts';
import type { Position } from './entries.ts';
import { createConversationLog } from './log.ts';
import { decideResume } from './resume.ts';

let valkey: ValkeyServer;
let folder: string;
beforeAll(async () => {
  valkey = await startValkey();
  const client = valkey.client();
  folder = String((await client.config('GET', 'dir'))[1]);
  client.disconnect();
});
afterAll(async () => {
  await valkey.remove();
  await rm(`${folder}.kept`, { recursive: true, force: true });
});

/** The log as a pod sees it: with one connection, that is made again when it breaks. */
function pod() {
  const client = valkey.client();
  client.options.retryStrategy = () => 20;
  const metrics = createMetrics({ component: 'test', revision: 'r' }, false);
  const log = createConversationLog(client, createGuard({ dependency: 'redis', metrics, failures: 1_000 }));
  let number = 0;
  return {
    log,
    /** Appends so many messages. @returns the place of the last one */
    say: async (conversation: string, times: number): Promise<Position> => {
      let last: Position = { epoch: '', offset: 0 };
      for (let i = 0; i < times; i += 1) {
        const message = { clientId: `m${(number += 1)}`, user: 'u', text: 'x', at: 0 };
        last = await eventually('stored', () => log.appendMessage(conversation, message, `a${number}`));
      }
      return { epoch: last.epoch, offset: last.offset };
    },
    back: (conversation: string, asked: Position) =>
      eventually('read', async () => {
        const page = await log.read(conversation, asked.offset, 100);
        return { decision: decideResume(asked, page), entries: page.entries.map(({ position }) => position.offset) };
      }),
    close: () => client.disconnect(),
  };
}

test('who has seen what Redis then lost is told, also when others have said more since', async () => {
  const { log, say, back, close } = pod();
  const kept = await say('c', 3);
  await valkey.down();
  await cp(folder, `${folder}.kept`, { recursive: true });
  await valkey.up();
  const seen = await say('c', 3);
  expect(await back('c', seen)).toMatchObject({ decision: { recovered: true, from: 6 }, entries: [] });
  await valkey.down();
  await rm(folder, { recursive: true });
  await cp(`${folder}.kept`, folder, { recursive: true });
  await valkey.up();
  await say('c', 5);
  expect((await log.read('c', 0, 1)).head).toBe(8);
  expect(await back('c', seen)).toMatchObject({ decision: { recovered: false } });
  // Whoever had only what is still there goes on from there.
  expect(await back('c', kept)).toMatchObject({ decision: { recovered: true, from: 3 }, entries: [4, 5, 6, 7, 8] });
  close();
});

test('a restart that loses nothing takes nothing from anybody', async () => {
  const { say, back, close } = pod();
  const before = await say('d', 2);
  await valkey.down('crash');
  await valkey.up();
  expect(await back('d', before)).toMatchObject({ decision: { recovered: true, from: 2 }, entries: [] });
  const after = await say('d', 2);
  expect(await back('d', before)).toMatchObject({ decision: { recovered: true, from: 2 }, entries: [3, 4] });
  expect(await back('d', after)).toMatchObject({ decision: { recovered: true, from: 4 }, entries: [] });
  close();
});
