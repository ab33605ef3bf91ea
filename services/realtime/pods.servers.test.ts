// Several realtime pods over one real Valkey: fan-out, death of a pod, restart of Redis, drain, SIGTERM.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectRealtime } from '../../test/realtime-client/client.ts';
import type { RealtimeClient } from '../../test/realtime-client/client.ts';
import { eventually } from '../../test/servers/child-process.ts';
import { startScriptedModel } from '../../test/servers/scripted-model.ts';
import type { ScriptedModel } from '../../test/servers/scripted-model.ts';
import { makeTestFiles, startService } from '../../test/servers/services.ts';
import type { RunningPod, TestFiles } from '../../test/servers/services.ts';
import { startValkey } from '../../test/servers/valkey.ts';
import type { ValkeyServer } from '../../test/servers/valkey.ts';
import { createTokens } from '../kit/tokens.ts';
import type { ServerFrame } from './protocol.ts';
import { closeCodes } from './protocol.ts';
import { openSocket } from './test-sockets.ts';

let valkey: ValkeyServer;
let model: ScriptedModel;
let files: TestFiles;
let first: RunningPod;
let second: RunningPod;
let token: string;
/** Where a client of the test connects next: what a gateway decides in a cluster. */
let target: RunningPod;
const clients: RealtimeClient[] = [];
const quickModel = { tokens: ['You ', 'asked: ', '{question}'], everyMs: 0 };

const startPod = (revision: string, environment: Readonly<Record<string, string>> = { STOP_DRAIN_MS: '3000' }) =>
  startService('realtime', files, {
    SECRETS_FILE: files.secretsFile,
    REDIS_URL: valkey.url,
    MODEL_URL: model.url,
    MODEL_CONCURRENCY: '50',
    ASSISTANT_REVISION: revision,
    MESSAGE_RATE: '1000',
    MESSAGE_BURST: '1000',
    LOG_LEVEL: 'info',
    ...environment,
  });

beforeAll(async () => {
  valkey = await startValkey();
  model = await startScriptedModel();
  files = await makeTestFiles(valkey.password);
  const keys = { current: files.secrets.tokenSigningKey };
  ({ token } = await createTokens(() => keys).issueGuest('anna'));
});
beforeEach(async () => {
  [first, second] = await Promise.all([startPod('rev1'), startPod('rev2')]);
  target = first;
});
afterEach(async () => {
  model.script = quickModel;
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all([first.process.stop(), second.process.stop()]);
});
afterAll(async () => {
  await model.close();
  await valkey.remove();
  await files.remove();
});

/** @param at stays there; by default the client goes where `target` points at each connection */
function connect(conversation: string, at?: RunningPod, onFrame?: (frame: ServerFrame) => void): RealtimeClient {
  const client = connectRealtime({
    url: () => (at ?? target).socketUrl,
    token: () => token,
    conversation,
    ...(onFrame === undefined ? {} : { onFrame }),
  });
  clients.push(client);
  return client;
}
const newConversation = () => `c-${randomUUID()}`;
/** One that no answer is cached for. */
const newQuestion = () => `question ${randomUUID()}`;
const account = (client: RealtimeClient) => {
  const { lost, duplicated, gaps, notRecovered, unacked } = client.counts();
  return { lost, duplicated, gaps, notRecovered, unacked };
};
const nothingWrong = { lost: 0, duplicated: 0, gaps: 0, notRecovered: 0, unacked: 0 };

test('[R-120] two processes share a conversation: both see every entry, in the same order', async () => {
  const conversation = newConversation();
  const seen: [string, string] = ['', ''];
  const note = (index: 0 | 1) => (frame: ServerFrame) => {
    if (frame.type === 'message' || frame.type === 'token' || frame.type === 'done') {
      seen[index] += `${frame.epoch}:${frame.offset}:${frame.type}:${frame.text}\n`;
    }
  };
  const [one, two] = [connect(conversation, first, note(0)), connect(conversation, second, note(1))];
  await Promise.all([one.joined, two.joined]);
  const acks = await Promise.all(
    Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? one : two).send(`message ${index}`)),
  );
  expect(new Set(acks.map(({ offset }) => offset)).size).toBe(40);
  await Promise.all(acks.flatMap(({ offset }) => [one.answerTo(offset), two.answerTo(offset)]));
  expect(seen[0]).toBe(seen[1]);
  expect(account(one)).toEqual(nothingWrong);
  expect(account(two)).toEqual(nothingWrong);
});

test('[R-121] a pod that dies in the middle of an answer loses nothing acknowledged; another one answers', async () => {
  model.script = { tokens: Array.from({ length: 50 }, (_, index) => `t${index} `), everyMs: 100 };
  const question = newQuestion();
  const conversation = newConversation();
  const mover = connect(conversation);
  const other = connect(conversation, second);
  await Promise.all([mover.joined, other.joined]);
  const ack = await mover.send(question);
  await eventually('the answer has begun', () => other.counts().entries >= 3);
  model.script = quickModel;
  target = second;
  await first.process.kill();
  // The lease of the dead pod has to run out before another one may answer.
  const done = await mover.answerTo(ack.offset);
  expect(done).toMatchObject({ text: `You asked: ${question}`, tier: 'model', outcome: 'complete' });
  expect(await other.answerTo(ack.offset)).toMatchObject({ answerId: done.answerId });
  expect(account(mover)).toEqual(nothingWrong);
  expect(mover.counts()).toMatchObject({ reconnections: 1, recovered: 1 });
}, 60_000);

test('a crash and restart of Redis with its data: 0 acknowledged lost, unacknowledged ones are sent again', async () => {
  const conversations = Array.from({ length: 10 }, newConversation);
  const members = conversations.map((conversation, index) => connect(conversation, index % 2 === 0 ? first : second));
  await Promise.all(members.map((client) => client.joined));
  let sending = true;
  let number = 0;
  const talk = async (client: RealtimeClient) => {
    for (;;) {
      const ack = await client.send(`word ${(number += 1)}`);
      await client.answerTo(ack.offset);
      if (!isSending()) return;
    }
  };
  const isSending = () => sending;
  const talking = members.map(talk);
  await eventually('much has been said', () => number > 100, 20_000);
  await valkey.down('crash');
  // The others may all be waiting for an answer just then.
  const inBetween = members[0]!.send('is anybody there?');
  const saidBefore = number;
  // Sockets stay open, and pods stay in their Service: every other pod has lost Redis as well.
  expect((await first.readiness()).status).toBe(200);
  await eventually('sends are refused for the moment', () =>
    members.some((client) => (client.counts().errors.storage_unavailable ?? 0) > 0),
  );
  expect(members.every((client) => client.counts().reconnections === 0)).toBe(true);
  await valkey.up();
  await eventually('the conversations go on', () => number > saidBefore + 50, 30_000);
  sending = false;
  await Promise.all(talking);
  await members[0]!.answerTo((await inBetween).offset);
  for (const client of members) {
    expect(account(client)).toEqual(nothingWrong);
    expect(client.counts().answers).toBe(client.counts().sent);
  }
}, 90_000);

test('Redis gone when a client comes: it is told to try again, and joins when Redis is back', async () => {
  await valkey.down();
  const client = connect(newConversation());
  await eventually('refused', () => client.counts().errors.storage_unavailable !== undefined);
  await valkey.up();
  await client.joined;
  const ack = await client.send('here I am');
  expect((await client.answerTo(ack.offset)).outcome).toBe('complete');
}, 30_000);

describe('drain', () => {
  test('[R-306] [R-307] idle sockets move first and at the pace, busy ones when their answer is done; none is lost', async () => {
    model.script = { tokens: Array.from({ length: 30 }, () => 'x '), everyMs: 100 };
    const busy = connect(newConversation());
    await busy.joined;
    const busyAck = await busy.send(newQuestion());
    const idle = Array.from({ length: 30 }, () => connect(newConversation()));
    await Promise.all(idle.map((client) => client.joined));
    // The last one to join counts as busy until the server has nothing more to replay.
    await eventually('one is busy, thirty are idle', async () => {
      const { open, busy: inAnswer } = await first.sessions();
      return open === 31 && inAnswer === 1;
    });

    target = second;
    const startedAt = performance.now();
    expect((await first.drain({ deadlineSeconds: 20, closePerSecond: 20 })).status).toBe(200);
    expect((await first.readiness()).status).toBe(503);
    await expect(openSocket(first.socketUrl, { token })).rejects.toThrow(/^503 .*"code":"draining"/);
    await eventually('only the busy one is left', async () => (await first.sessions()).open === 1);
    const idleTook = performance.now() - startedAt;
    // 30 sockets at 20 a second, the first at once.
    expect(idleTook).toBeGreaterThan(1_300);
    expect(await first.sessions()).toMatchObject({ open: 1, busy: 1, draining: true });
    expect(busy.counts().reconnections).toBe(0);

    expect((await busy.answerTo(busyAck.offset)).outcome).toBe('complete');
    await eventually('all are gone', async () => (await first.sessions()).open === 0);
    await eventually('all are there', async () => (await second.sessions()).open === 31);
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    for (const client of [busy, ...idle]) {
      expect(account(client)).toEqual(nothingWrong);
      expect(client.revision()).toBe('rev2');
      expect(client.counts().closeCodes).toEqual({ [closeCodes.drain]: 1 });
    }
    expect(await first.metrics()).toMatch(/assistant_drain_seconds_count\{[^}]*outcome="completed"[^}]*\} 1/);
  });

  test('at the deadline busy sockets are moved as well, and their answer still comes', async () => {
    model.script = { tokens: Array.from({ length: 40 }, () => 'x '), everyMs: 100 };
    const busy = connect(newConversation());
    await busy.joined;
    const ack = await busy.send(newQuestion());
    target = second;
    await first.drain({ deadlineSeconds: 600, closePerSecond: 50 });
    // The same order with another deadline: the last one holds.
    await first.drain({ deadlineSeconds: 1, closePerSecond: 50 });
    await eventually('moved', () => busy.revision() === 'rev2', 5_000);
    expect((await busy.answerTo(ack.offset)).text).toBe('x '.repeat(40));
    expect(account(busy)).toEqual(nothingWrong);
    expect(await first.metrics()).toMatch(/assistant_drain_seconds_count\{[^}]*outcome="forced"[^}]*\} 1/);
  });

  test('[R-306] SIGTERM: sockets are moved, the answer is left to another pod, exit without an error', async () => {
    model.script = { tokens: Array.from({ length: 600 }, () => 'x '), everyMs: 50 };
    const busy = connect(newConversation());
    const idle = connect(newConversation());
    const question = newQuestion();
    await Promise.all([busy.joined, idle.joined]);
    const ack = await busy.send(question);
    await eventually('the answer has begun', () => busy.counts().entries > 2);
    target = second;
    const stopped = first.process.stop();
    await eventually('both have moved', () => [busy, idle].every((client) => client.revision() === 'rev2'), 8_000);
    model.script = quickModel;
    await stopped;
    expect(first.process.output()).toContain('"msg":"stopped"');
    expect((await busy.answerTo(ack.offset)).text).toBe(`You asked: ${question}`);
    for (const client of [busy, idle]) expect(account(client)).toEqual(nothingWrong);
  }, 60_000);

  test('[R-304] [R-306] an evicted pod is drained like a replaced one: paced, the answer under way is finished here, within the time it has', async () => {
    const evicted = await startPod('rev1', { ASSISTANT_DRAIN_SECONDS: '20', ASSISTANT_DRAIN_PER_SECOND: '20' });
    model.script = { tokens: Array.from({ length: 60 }, () => 'x '), everyMs: 100 };
    target = evicted;
    const busy = connect(newConversation());
    const idle = Array.from({ length: 30 }, () => connect(newConversation()));
    await Promise.all([busy, ...idle].map((client) => client.joined));
    const ack = await busy.send(newQuestion());
    await eventually('the answer has begun', () => busy.counts().entries > 2);
    target = second;
    let gone = false;
    const stopped = evicted.process.stop(60_000).then(() => (gone = true));
    await eventually('it has left its Service', async () => (await evicted.readiness()).status === 503);
    await eventually('the idle ones have moved', () => idle.every((client) => client.revision() === 'rev2'), 15_000);
    // It has not been cut: its answer is made to the end by the pod that began it.
    const done = await busy.answerTo(ack.offset);
    expect(done.text).toBe('x '.repeat(60));
    expect(gone).toBe(false);
    await stopped;
    expect(evicted.process.output()).toContain('"msg":"stopped"');
    await eventually('all are there', () => busy.revision() === 'rev2');
    for (const client of [busy, ...idle]) {
      expect(account(client)).toEqual(nothingWrong);
      expect(client.counts().closeCodes).toEqual({ [closeCodes.drain]: 1 });
    }
  }, 60_000);

  test('[R-307] an order that is repeated with the time that is left cuts nobody off', async () => {
    model.script = { tokens: Array.from({ length: 40 }, () => 'x '), everyMs: 100 };
    const busy = connect(newConversation());
    await busy.joined;
    const ack = await busy.send(newQuestion());
    target = second;
    await first.drain({ deadlineSeconds: 6, closePerSecond: 50 });
    await eventually('half of the time is over', async () => (await first.sessions()).oldestSeconds >= 3);
    await first.drain({ deadlineSeconds: 3, closePerSecond: 50 });
    expect(busy.counts().reconnections).toBe(0);
    expect((await busy.answerTo(ack.offset)).outcome).toBe('complete');
    expect(account(busy)).toEqual(nothingWrong);
  });
});
