// The protocol of realtime, frame by frame, against a real Valkey: login, send, ack, resume, refusals, limits.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../test/servers/child-process.ts';
import { startScriptedModel } from '../../test/servers/scripted-model.ts';
import type { ScriptedModel } from '../../test/servers/scripted-model.ts';
import { makeTestFiles, startService } from '../../test/servers/services.ts';
import type { RunningPod, TestFiles } from '../../test/servers/services.ts';
import { startValkey } from '../../test/servers/valkey.ts';
import type { ValkeyServer } from '../../test/servers/valkey.ts';
import { createTokens } from '../kit/tokens.ts';
import { closeCodes, subprotocol } from './protocol.ts';
import { openSocket } from './test-sockets.ts';
import type { RawSocket } from './test-sockets.ts';

let valkey: ValkeyServer;
let model: ScriptedModel;
let files: TestFiles;
let pod: RunningPod;
let token: string;
const quickModel = { tokens: ['You ', 'asked: ', '{question}'], everyMs: 0 };
const newConversation = () => `c-${randomUUID()}`;

beforeAll(async () => {
  valkey = await startValkey();
  model = await startScriptedModel();
  files = await makeTestFiles(valkey.password);
  pod = await startService('realtime', files, {
    SECRETS_FILE: files.secretsFile,
    REDIS_URL: valkey.url,
    MODEL_URL: model.url,
    MAX_MESSAGE_BYTES: '20000',
    MESSAGE_RATE: '20',
    MESSAGE_BURST: '40',
    MAX_CONVERSATIONS: '2',
    LOGIN_TIMEOUT_MS: '500',
    HEARTBEAT_MS: '1000',
    IDLE_MS: '6000',
    ALLOWED_ORIGINS: 'https://assistant.example',
  });
  const keys = { current: files.secrets.tokenSigningKey };
  ({ token } = await createTokens(() => keys).issueGuest('anna'));
});
afterAll(async () => {
  await pod.process.stop();
  await model.close();
  await valkey.remove();
  await files.remove();
});
afterEach(() => {
  model.script = quickModel;
});

/** A socket that has joined a conversation. */
async function joined(conversation: string, at = pod): Promise<RawSocket> {
  const socket = await openSocket(at.socketUrl, { token });
  await socket.next('hello');
  socket.say({ type: 'resume', conversation });
  await socket.next('resumed');
  return socket;
}

describe('login', () => {
  test('[R-113] an unknown subprotocol is refused with a reason', async () => {
    await expect(openSocket(pod.socketUrl, { token, subprotocols: ['assistant.v9'] })).rejects.toThrow(
      /^400 .*must offer assistant\.v1\.json/,
    );
  });

  test('[R-012] by header and by subprotocol', async () => {
    const byHeader = await openSocket(pod.socketUrl, { token });
    expect((await byHeader.next('hello')).user).toBe('anna');
    expect(byHeader.socket.protocol).toBe(subprotocol);
    const bySubprotocol = await openSocket(pod.socketUrl, { subprotocols: [subprotocol, `bearer.${token}`] });
    expect((await bySubprotocol.next('hello')).user).toBe('anna');
    expect(bySubprotocol.socket.protocol).toBe(subprotocol);
    byHeader.socket.close();
    bySubprotocol.socket.close();
  });

  test('by a first frame; before it nothing else is allowed, and it must come in time', async () => {
    const good = await openSocket(pod.socketUrl);
    good.say({ type: 'login', token });
    expect((await good.next('hello')).revision).toBe('test1');
    good.socket.close();

    const rude = await openSocket(pod.socketUrl);
    rude.say({ type: 'resume', conversation: 'c' });
    expect(await rude.next('error')).toMatchObject({ code: 'unauthorized', retryable: false });
    expect((await rude.closed).code).toBe(closeCodes.unauthorized);

    const silent = await openSocket(pod.socketUrl);
    expect((await silent.closed).code).toBe(closeCodes.unauthorized);
  });

  test('[R-011] missing, expired and forged tokens are refused', async () => {
    const keys = { current: files.secrets.tokenSigningKey };
    const old = await createTokens(
      () => keys,
      () => Date.now() - 3_600_000,
    ).issueGuest();
    const other = await createTokens(() => ({ current: Buffer.alloc(32, 7).toString('base64') })).issueGuest();
    for (const bad of [old.token, other.token, 'not-a-token', `${token.slice(0, -4)}AAAA`]) {
      await expect(openSocket(pod.socketUrl, { token: bad })).rejects.toThrow(/^401 .*"code":"unauthorized"/);
      const socket = await openSocket(pod.socketUrl);
      socket.say({ type: 'login', token: bad });
      expect((await socket.closed).code).toBe(closeCodes.unauthorized);
    }
  });

  test('a browser of another origin and another path are refused', async () => {
    await expect(openSocket(pod.socketUrl, { token, headers: { origin: 'https://evil.example' } })).rejects.toThrow(
      /^403/,
    );
    await expect(openSocket(pod.socketUrl.replace('/ws', '/other'), { token })).rejects.toThrow(/^404/);
    const fine = await openSocket(pod.socketUrl, { token, headers: { origin: 'https://assistant.example' } });
    fine.socket.close();
  });
});

describe('send', () => {
  test('is acknowledged, then answered in pieces that share one offset with the message', async () => {
    const conversation = newConversation();
    const socket = await joined(conversation);
    socket.say({ type: 'send', conversation, clientId: 'm1', text: 'hello world' });
    const ack = await socket.next('ack');
    expect(ack).toMatchObject({ conversation, clientId: 'm1', offset: 1, duplicate: false });
    expect(await socket.next('message')).toMatchObject({
      offset: 1,
      epoch: ack.epoch,
      user: 'anna',
      text: 'hello world',
    });
    const done = await socket.next('done');
    expect(done).toMatchObject({ replyTo: 1, text: 'You asked: hello world', tier: 'model', outcome: 'complete' });
    const entries = socket.frames.filter(
      (frame) => 'offset' in frame && ['message', 'token', 'done'].includes(frame.type),
    );
    expect(entries.map((frame) => ('offset' in frame ? frame.offset : 0))).toEqual(
      entries.map((_, index) => index + 1),
    );
    socket.socket.close();
  });

  test('[R-117] the same client id again stores nothing new, on any socket', async () => {
    const conversation = newConversation();
    const one = await joined(conversation);
    const frame = { type: 'send', conversation, clientId: 'same', text: 'once' };
    for (let i = 0; i < 3; i += 1) one.say(frame);
    const acks = [await one.next('ack'), await one.next('ack'), await one.next('ack')];
    expect(acks.map(({ offset }) => offset)).toEqual([1, 1, 1]);
    expect(acks.map(({ duplicate }) => duplicate)).toEqual([false, true, true]);
    const two = await joined(conversation);
    two.say(frame);
    expect(await two.next('ack')).toMatchObject({ offset: 1, duplicate: true });
    await two.next('done');
    expect(two.frames.filter(({ type }) => type === 'message')).toHaveLength(1);
    expect(two.frames.filter(({ type }) => type === 'done')).toHaveLength(1);
    one.socket.close();
    two.socket.close();
  });

  test('messages sent without waiting are stored in their order', async () => {
    const conversation = newConversation();
    const socket = await joined(conversation);
    for (let i = 0; i < 30; i += 1) socket.say({ type: 'send', conversation, clientId: `n${i}`, text: `number ${i}` });
    for (let i = 0; i < 30; i += 1) expect((await socket.next('message')).text).toBe(`number ${i}`);
    socket.socket.close();
  });

  test('not joined, and more conversations than allowed, are refused', async () => {
    const socket = await joined(newConversation());
    socket.say({ type: 'send', conversation: 'elsewhere', clientId: 'x', text: 'hi' });
    expect(await socket.next('error')).toMatchObject({ code: 'not_joined', conversation: 'elsewhere', clientId: 'x' });
    socket.say({ type: 'resume', conversation: newConversation() });
    await socket.next('resumed');
    socket.say({ type: 'resume', conversation: newConversation() });
    expect(await socket.next('error')).toMatchObject({ code: 'too_many_conversations' });
    socket.socket.close();
  });
});

describe('resume', () => {
  test('[R-119] gives exactly what was missed', async () => {
    const conversation = newConversation();
    const writer = await joined(conversation);
    writer.say({ type: 'send', conversation, clientId: 'a', text: 'first' });
    await writer.next('done');
    const reader = await openSocket(pod.socketUrl, { token });
    await reader.next('hello');
    const { epoch } = await writer.next('ack');
    const head = Math.max(...writer.frames.flatMap((frame) => ('offset' in frame ? [frame.offset] : [])));
    for (let from = 0; from <= head; from += 1) {
      const before = reader.frames.length;
      reader.say({ type: 'resume', conversation, epoch, offset: from });
      expect(await reader.next('resumed')).toMatchObject({ recovered: true, offset: from, head });
      reader.say({ type: 'ping', id: `p${from}` });
      await reader.next('pong');
      const got = reader.frames.slice(before).flatMap((frame) => (isEntry(frame) ? [frame.offset] : []));
      expect(got).toEqual(Array.from({ length: head - from }, (_, index) => from + 1 + index));
    }
    writer.socket.close();
    reader.socket.close();
  });

  test('[R-119] says honestly when it cannot: trimmed, unknown epoch, offset ahead', async () => {
    const conversation = newConversation();
    const writer = await joined(conversation);
    for (const clientId of ['a', 'b', 'c']) {
      writer.say({ type: 'send', conversation, clientId, text: `text ${clientId}` });
      await writer.next('done');
    }
    const { epoch } = await writer.next('ack');
    const client = valkey.client();
    await client.xtrim(`{c:${conversation}}:log`, 'MAXLEN', 4);
    const [oldest] = await client.xrange(`{c:${conversation}}:log`, '-', '+', 'COUNT', 1);
    client.disconnect();
    const first = Number(oldest?.[0].split('-')[0]);
    const cases = [
      { asked: { epoch, offset: first - 2 }, reason: 'trimmed' },
      { asked: { offset: 0 }, reason: 'trimmed' },
      { asked: { epoch: 'another', offset: first }, reason: 'epoch_changed' },
      { asked: { epoch, offset: 10_000 }, reason: 'offset_ahead' },
    ];
    for (const { asked, reason } of cases) {
      const socket = await openSocket(pod.socketUrl, { token });
      socket.say({ type: 'resume', conversation, ...asked });
      const resumed = await socket.next('resumed');
      expect(resumed).toMatchObject({ recovered: false, reason, epoch, offset: first - 1 });
      socket.say({ type: 'ping' });
      await socket.next('pong');
      // What is retained follows, so that the client can begin anew.
      const got = socket.frames.flatMap((frame) => (isEntry(frame) ? [frame.offset] : []));
      expect(got).toEqual(Array.from({ length: resumed.head - first + 1 }, (_, index) => first + index));
      socket.socket.close();
    }
    const socket = await openSocket(pod.socketUrl, { token });
    socket.say({ type: 'resume', conversation, epoch, offset: first - 1 });
    expect(await socket.next('resumed')).toMatchObject({ recovered: true });
    socket.socket.close();
    writer.socket.close();
  });

  test('a log that vanishes under a joined socket is told, and goes on in a new epoch', async () => {
    const conversation = newConversation();
    const socket = await joined(conversation);
    socket.say({ type: 'send', conversation, clientId: 'a', text: 'before' });
    const { epoch } = await socket.next('done');
    const client = valkey.client();
    await client.del(...(await client.keys(`{c:${conversation}}:*`)));
    client.disconnect();
    socket.say({ type: 'send', conversation, clientId: 'b', text: 'after' });
    const resumed = await socket.next('resumed');
    expect(resumed).toMatchObject({ recovered: false, reason: 'epoch_changed' });
    expect(resumed.epoch).not.toBe(epoch);
    expect(await socket.next('message', ({ text }) => text === 'after')).toMatchObject({
      epoch: resumed.epoch,
      offset: 1,
    });
    socket.socket.close();
  });
});

describe('[R-334] attacks and accidents', () => {
  test('[R-047] a frame over the limit is refused before parsing, with close code 1009', async () => {
    const socket = await joined(newConversation());
    socket.say({ type: 'send', text: 'x'.repeat(30_000) });
    expect((await socket.closed).code).toBe(1009);
  });

  test.each(['not json', '[]', '"text"', '{"no":"type"}', 'null'])('%s closes with a protocol error', async (text) => {
    const socket = await openSocket(pod.socketUrl, { token });
    socket.socket.send(text);
    expect((await socket.closed).code).toBe(closeCodes.protocol);
  });

  test('binary frames close with a protocol error', async () => {
    const socket = await openSocket(pod.socketUrl, { token });
    socket.socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
    expect((await socket.closed).code).toBe(closeCodes.protocol);
  });

  test('[R-114] [R-048] unknown types and bad members are answered and change nothing', async () => {
    const conversation = newConversation();
    const socket = await joined(conversation);
    socket.say({ type: 'explode' });
    expect(await socket.next('error')).toMatchObject({ code: 'unknown_type', retryable: false });
    const bad = [
      { type: 'send', conversation, clientId: 'x', text: '' },
      { type: 'send', conversation, clientId: 'has space', text: 'x' },
      { type: 'send', conversation, clientId: 'x', text: 7 },
      { type: 'send', conversation: '../x', clientId: 'x', text: 'x' },
      { type: 'resume', conversation, offset: -1 },
      { type: 'resume', conversation, offset: 1.5 },
    ];
    for (const frame of bad) {
      socket.say(frame);
      const error = await socket.next('error');
      expect(error.code).toBe('invalid_input');
      expect(error.errors?.length).toBeGreaterThan(0);
    }
    const client = valkey.client();
    expect(await client.xlen(`{c:${conversation}}:log`)).toBe(0);
    client.disconnect();
    socket.socket.close();
  });

  test('[R-046] a flood is refused with a wait, and closed when it goes on; others live on', async () => {
    const calm = await joined(newConversation());
    const socket = await joined(newConversation());
    for (let i = 0; i < 200; i += 1) socket.say({ type: 'ping' });
    const error = await socket.next('error');
    expect(error).toMatchObject({ code: 'rate_limited', retryable: true });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect((await socket.closed).code).toBe(closeCodes.flood);
    calm.say({ type: 'ping', id: 'still here' });
    expect((await calm.next('pong')).id).toBe('still here');
    calm.socket.close();
  });

  test('[R-125] a client that does not read is shed, the one who sends is not slowed', async () => {
    const wide = await startService('realtime', files, {
      SECRETS_FILE: files.secretsFile,
      REDIS_URL: valkey.url,
      MAX_BUFFERED_BYTES: '65536',
      MESSAGE_RATE: '10000',
      MESSAGE_BURST: '10000',
      LOG_LEVEL: 'info',
    });
    const conversation = newConversation();
    const slow = await joined(conversation, wide);
    const fast = await joined(conversation, wide);
    slow.socket.pause();
    const text = 'x'.repeat(3_900);
    const sheds = async () => (await wide.metrics()).match(/closes_total\{code="4002"[^}]*\} (\d+)/)?.[1];
    // Enough to fill the buffers of the kernel; `fast` gets its acks all the while.
    for (let batch = 0; (await sheds()) === undefined && batch < 100; batch += 1) {
      const ids = Array.from({ length: 20 }, (_, index) => `big${batch}-${index}`);
      for (const clientId of ids) fast.say({ type: 'send', conversation, clientId, text });
      for (const clientId of ids) await fast.next('ack', (ack) => ack.clientId === clientId);
    }
    expect(await sheds()).toBe('1');
    expect(fast.socket.readyState).toBe(fast.socket.OPEN);
    slow.socket.terminate();
    fast.socket.close();
    await wide.process.stop();
  }, 60_000);

  test('[R-116] an idle socket is closed with the code that says so', async () => {
    const socket = await joined(newConversation());
    const startedAt = performance.now();
    expect((await socket.closed).code).toBe(closeCodes.idle);
    expect(performance.now() - startedAt).toBeGreaterThan(5_000);
  });

  test('[R-115] a peer that answers no ping is given up', async () => {
    const socket = await openSocket(pod.socketUrl, { token });
    await socket.next('hello');
    const open = (await pod.sessions()).open;
    // Paused: the kernel takes the pings, nobody answers them.
    socket.socket.pause();
    await eventually('the dead peer is gone', async () => (await pod.sessions()).open < open, 5_000);
    socket.socket.terminate();
  });
});

test('/sessions counts exactly, and [R-251] the metrics say the same', async () => {
  await eventually('all sockets of other tests are gone', async () => (await pod.sessions()).open === 0);
  const sockets = await Promise.all(Array.from({ length: 7 }, () => joined(newConversation())));
  expect(await pod.sessions()).toMatchObject({ open: 7, busy: 0, draining: false });
  model.script = { ...quickModel, everyMs: 300 };
  const conversation = newConversation();
  const busy = sockets[0]!;
  busy.say({ type: 'resume', conversation });
  await busy.next('resumed');
  busy.say({ type: 'send', conversation, clientId: 'b', text: 'take your time' });
  await busy.next('message');
  expect(await pod.sessions()).toMatchObject({ open: 7, busy: 1 });
  const metrics = await pod.metrics();
  expect(metrics).toMatch(/^assistant_realtime_connections\{state="busy".*\} 1$/m);
  expect(metrics).toMatch(/^assistant_realtime_connections\{state="idle".*\} 6$/m);
  expect(metrics).toMatch(/^assistant_dependency_up\{dependency="redis".*\} 1$/m);
  expect(metrics).toMatch(/^assistant_realtime_messages_total\{direction="in",type="send".*revision="test1".*\} \d+$/m);
  expect(metrics).toMatch(/^assistant_session_resumes_total\{outcome="recovered".*\} \d+$/m);
  expect(metrics).toMatch(/^assistant_realtime_closes_total\{code="4001".*\} [1-9]\d*$/m);
  await busy.next('done');
  expect(await pod.sessions()).toMatchObject({ open: 7, busy: 0 });
  for (const { socket } of sockets) socket.close();
  await eventually('all are gone', async () => (await pod.sessions()).open === 0);
});

function isEntry(
  frame: RawSocket['frames'][number],
): frame is Extract<typeof frame, { type: 'message' | 'token' | 'done' }> {
  return frame.type === 'message' || frame.type === 'token' || frame.type === 'done';
}
