// One socket over a log in memory: what it does for the answers of the conversations it has joined.
import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import type { WebSocket } from 'ws';
import type { LogEntry, Placed } from '../kit/conversation/entries.ts';
import type { ConversationLog } from '../kit/conversation/log.ts';
import { defaultLogLimits } from '../kit/conversation/log.ts';
import { createLogger } from '../kit/log.ts';
import { createMetrics } from '../kit/metrics.ts';
import type { Pod } from '../kit/pod.ts';
import { createAnswers } from './answers.ts';
import { createConnection } from './connection.ts';
import { readRealtimeSettings } from './settings.ts';

const identity = { component: 'realtime', revision: 'r', release: '1' };
const settings = readRealtimeSettings({ REDIS_URL: 'redis://nowhere:6379' });
const anna = { user: 'anna', kind: 'guest', expiresAt: 0 } as const;
const question: Placed = {
  position: { epoch: 'e', offset: 1 },
  entry: { type: 'message', clientId: 'c1', user: 'anna', text: 'is anybody there?', at: 0 },
};
const settle = async () => {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A pod whose log holds one unanswered question, and what that pod wrote as answers. */
function podWith(conversations: Partial<ConversationLog>) {
  const written: LogEntry[] = [];
  const log: Partial<ConversationLog> = {
    limits: defaultLogLimits,
    read: (_conversation, after) =>
      Promise.resolve({ epoch: 'e', head: 1, first: 1, entries: after < 1 ? [question] : [] }),
    pending: () => Promise.resolve([1]),
    appendAnswer: (_claim, _batch, entries) => {
      written.push(...entries);
      return Promise.resolve([]);
    },
    ...conversations,
  };
  const pod = {
    identity,
    log: createLogger('silent', identity),
    metrics: createMetrics(identity, false),
    conversations: log,
    flags: { isOn: () => Promise.resolve(false) },
    engine: {
      answer: ({ question: text }: { question: string }) =>
        Promise.resolve({ text: `to: ${text}`, tier: 'model', degraded: false, outcome: 'complete' }),
    },
  } as unknown as Pod;
  return { pod, written };
}

/** A socket that is logged in. */
function connect(pod: Pod, now = () => 0) {
  const sent: { type: string }[] = [];
  const socket = Object.assign(new EventEmitter(), {
    OPEN: 1,
    CLOSED: 3,
    readyState: 1,
    /** Nothing leaves before the next turn of the event loop. */
    bufferedAmount: 0,
    send: (text: string) => {
      sent.push(JSON.parse(text) as { type: string });
      socket.bufferedAmount += text.length;
      setImmediate(() => (socket.bufferedAmount -= text.length));
    },
    ping: (_data: unknown, _mask: unknown, written: () => void) => void setImmediate(written),
    terminate: vi.fn(),
  });
  const answers = createAnswers(pod);
  const connection = createConnection(socket as unknown as WebSocket, anna, 'en', {
    pod,
    settings,
    answers,
    fanOut: { join: () => Promise.resolve(), leave: () => undefined, channels: () => 0 },
    now,
    onClosed: () => undefined,
  });
  return {
    answers,
    connection,
    sent,
    terminated: () => socket.terminate.mock.calls.length > 0,
    say: (frame: object) => socket.emit('message', Buffer.from(JSON.stringify(frame)), false),
  };
}

test('an answer whose maker died is taken over when its lease ends, also for one who came back before and has all there is', async () => {
  let leaseRuns = true;
  const { pod, written } = podWith({ claim: () => Promise.resolve(!leaseRuns) });
  const { connection, sent, say } = connect(pod);
  say({ type: 'resume', conversation: 'c', epoch: 'e', offset: 1 });
  await settle();
  expect(sent.map(({ type }) => type)).toEqual(['hello', 'resumed']);
  connection.sweep();
  await settle();
  expect(written).toEqual([]);
  leaseRuns = false;
  connection.sweep();
  await settle();
  expect(written).toMatchObject([{ type: 'done', replyTo: 1, text: 'to: is anybody there?' }]);
});

test('who was away for long is given everything, however much it is, and is not shed for what nobody could have read yet', async () => {
  const text = 'x'.repeat(settings.MAX_MESSAGE_BYTES);
  const all = Array.from({ length: 300 }, (_, n): Placed => {
    const entry = { type: 'message', clientId: `c${n + 1}`, user: 'anna', text, at: 0 } as const;
    return { position: { epoch: 'e', offset: n + 1 }, entry };
  });
  const { pod } = podWith({
    pending: () => Promise.resolve([]),
    read: (_conversation, after, limit) =>
      Promise.resolve({ epoch: 'e', head: all.length, first: 1, entries: all.slice(after, after + limit) }),
  });
  const { sent, say, terminated } = connect(pod);
  say({ type: 'resume', conversation: 'c', epoch: 'e', offset: 0 });
  await vi.waitFor(() => expect(sent.filter(({ type }) => type === 'message')).toHaveLength(all.length));
  expect(terminated()).toBe(false);
});

test('the end of an answer that pub/sub has lost is read from the log when the answer has been silent for long: no gap shows that it is missing', async () => {
  const end = { type: 'done', answerId: 'a', replyTo: 1, text: 'yes', tier: 'model', degraded: false } as const;
  const done: Placed = { position: { epoch: 'e', offset: 2 }, entry: { ...end, outcome: 'complete', at: 0 } };
  const entries = [question];
  const { pod } = podWith({
    claim: () => Promise.resolve(false),
    pending: () => Promise.resolve([]),
    read: (_conversation, after) =>
      Promise.resolve({ epoch: 'e', head: entries.length, first: 1, entries: entries.slice(after) }),
  });
  let time = 0;
  const { connection, sent, say } = connect(pod, () => time);
  say({ type: 'resume', conversation: 'c', epoch: 'e', offset: 0 });
  await settle();
  entries.push(done);
  connection.sweep();
  await settle();
  expect(sent.map(({ type }) => type)).toEqual(['hello', 'resumed', 'message']);
  expect(connection.busy()).toBe(true);
  time = 9_000;
  connection.sweep();
  await settle();
  expect(sent.map(({ type }) => type)).toEqual(['hello', 'resumed', 'message', 'done']);
});

test('a message that has been trimmed is not answered with the text of the next one that is there', async () => {
  const next: Placed = { ...question, position: { epoch: 'e', offset: 7 } };
  const { pod, written } = podWith({
    claim: () => Promise.resolve(true),
    read: () => Promise.resolve({ epoch: 'e', head: 7, first: 7, entries: [next] }),
  });
  const answers = createAnswers(pod);
  await answers.takeOver('c', [1]);
  await settle();
  expect(written).toEqual([]);
  await answers.takeOver('c', [7]);
  await settle();
  expect(written).toMatchObject([{ type: 'done', replyTo: 7 }]);
});

test('no signal is shared by answers: AbortSignal.any would keep a record of each for as long as the process lives', async () => {
  const { pod, written } = podWith({});
  const any = vi.spyOn(AbortSignal, 'any');
  const answers = createAnswers(pod);
  for (const answerId of ['a', 'b']) answers.begin({ conversation: 'c', replyTo: 1, answerId }, 'hello');
  await answers.finish(1_000);
  const sources = any.mock.calls.flatMap(([signals]) => [...signals]);
  any.mockRestore();
  expect(written).toHaveLength(2);
  expect(new Set(sources).size).toBe(sources.length);
});

test('a pod that stops ends the answers under way, and one whose claim comes too late, and leaves them to others', async () => {
  const released: number[] = [];
  const { pod, written } = podWith({
    claim: () => Promise.resolve(true),
    release: ({ replyTo }) => Promise.resolve(void released.push(replyTo)),
  });
  pod.engine.answer = async ({ signal }) => {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return { text: '', tier: 'model', degraded: false, outcome: 'aborted' };
  };
  const answers = createAnswers(pod);
  answers.begin({ conversation: 'c', replyTo: 2, answerId: 'a' }, 'hello');
  await settle();
  const late = answers.takeOver('c', [1]);
  await answers.finish(0);
  await late;
  await settle();
  expect(released.sort()).toEqual([1, 2]);
  expect([written, answers.running()]).toEqual([[], 0]);
});

test('the end waits for a claim that is on its way: what comes behind it closes the connection by which it is given back', async () => {
  const released: number[] = [];
  const claimed = Promise.withResolvers<boolean>();
  const stored = Promise.withResolvers<{ epoch: string; offset: number; duplicate: boolean }>();
  const { pod } = podWith({
    claim: () => claimed.promise,
    appendMessage: () => stored.promise,
    release: ({ replyTo }) => Promise.resolve(void released.push(replyTo)),
  });
  pod.engine.answer = () => Promise.resolve({ text: '', tier: 'model', degraded: false, outcome: 'aborted' });
  const { answers, say } = connect(pod);
  // Joining looks for what nobody answers.
  say({ type: 'resume', conversation: 'c', epoch: 'e', offset: 1 });
  await settle();
  say({ type: 'send', conversation: 'c', clientId: 'c2', text: 'hello' });
  await settle();
  const releasedAtTheEnd = answers.finish(0).then(() => [...released]);
  setTimeout(() => claimed.resolve(true), 50);
  setTimeout(() => stored.resolve({ epoch: 'e', offset: 2, duplicate: false }), 100);
  expect(await releasedAtTheEnd).toEqual([1, 2]);
});
