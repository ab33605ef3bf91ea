import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Placed, Position } from '../kit/conversation/entries.ts';
import type { LogPage } from '../kit/conversation/log.ts';
import { createCursor } from './cursor.ts';
import type { Resumed } from './cursor.ts';

const entryAt = (epoch: string, offset: number): Placed => ({
  position: { epoch, offset },
  entry: { type: 'message', clientId: `c${offset}`, user: 'u', text: 'x', at: 0 },
});

/** A log in memory whose reads take a turn of the event loop, and can fail. */
function memoryLog() {
  let epoch = 'e1';
  let entries: Placed[] = [];
  let head = 0;
  let failing = 0;
  let before: Position | undefined;
  return {
    append() {
      const placed = entryAt(epoch, (head += 1));
      entries.push(placed);
      return placed;
    },
    trim: (keep: number) => void (entries = entries.slice(Math.max(0, entries.length - keep))),
    lose: () => void ([epoch, entries, head] = [`${epoch}'`, [], 0]),
    /** Redis is another process, which has only the first of them left. */
    restart: (left: number) => {
      entries = entries.slice(0, left);
      head = entries.at(-1)?.position.offset ?? 0;
      before = { epoch, offset: head };
      epoch = `${epoch}+`;
    },
    failNext: (times: number) => void (failing = times),
    all: () => entries,
    async read(_conversation: string, after: number, limit: number): Promise<LogPage> {
      await new Promise((resolve) => setImmediate(resolve));
      if (failing > 0) {
        failing -= 1;
        throw new Error('away');
      }
      const found = entries.filter(({ position }) => position.offset > after).slice(0, limit);
      const placed = found.map(({ position, entry }) => ({ position: { ...position, epoch }, entry }));
      return { epoch, before, head, first: entries[0]?.position.offset ?? 0, entries: placed };
    },
  };
}
const settle = async () => {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A cursor, and what a client that follows the protocol holds after what the cursor told it. */
function client(log: ReturnType<typeof memoryLog>, now = () => 0) {
  const told: Resumed[] = [];
  let held: Placed[] = [];
  let order = true;
  const cursor = createCursor({
    conversation: 'c',
    log,
    now,
    onResumed: (resumed) => {
      told.push(resumed);
      if (!resumed.recovered) held = [];
    },
    onEntry: (placed) => {
      const last = held.at(-1)?.position;
      const from = last ?? told.at(-1)?.position;
      order &&= from?.epoch === placed.position.epoch && from.offset + 1 === placed.position.offset;
      held.push(placed);
    },
    flushed: () => Promise.resolve(),
    onLeft: () => undefined,
    onStale: () => undefined,
  });
  return { cursor, told, held: () => held, inOrder: () => order };
}

test('what is published before it has begun is left to its first reading of the log', async () => {
  // The answer to SUBSCRIBE and the first message of the channel may come in one packet: the message is heard before start().
  const log = memoryLog();
  for (let i = 0; i < 3; i += 1) log.append();
  const { cursor, held, told } = client(log);
  cursor.live(log.append());
  cursor.missed();
  await cursor.start({ epoch: 'e1', offset: 3 });
  await settle();
  expect(told).toEqual([{ position: { epoch: 'e1', offset: 3 }, head: 4, recovered: true, reason: undefined }]);
  expect(held()).toEqual([entryAt('e1', 4)]);
});

test('whatever pub/sub loses, doubles or reorders, each entry leaves once and in order', async () => {
  const event = fc.oneof(
    fc.constant({ do: 'publish' } as const),
    fc.constant({ do: 'lose message' } as const),
    fc.constant({ do: 'publish twice' } as const),
    fc.constant({ do: 'publish late' } as const),
    fc.constant({ do: 'turn' } as const),
    fc.constant({ do: 'missed' } as const),
    fc.constant({ do: 'fail a read' } as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60 }), fc.nat(5), async (events, before) => {
      const log = memoryLog();
      for (let i = 0; i < before; i += 1) log.append();
      const { cursor, held, inOrder } = client(log);
      await cursor.start({ epoch: undefined, offset: 0 });
      const late: Placed[] = [];
      for (const { do: what } of events) {
        if (what === 'publish') cursor.live(log.append());
        else if (what === 'lose message') log.append();
        else if (what === 'publish late') late.push(log.append());
        else if (what === 'publish twice') {
          const placed = log.append();
          cursor.live(placed);
          cursor.live(placed);
        } else if (what === 'turn') await new Promise((resolve) => setImmediate(resolve));
        else if (what === 'missed') cursor.missed();
        else log.failNext(1);
      }
      for (const placed of late.reverse()) cursor.live(placed);
      await settle();
      // What a reconnection, and the sweep after a failed read, do in the end.
      cursor.missed();
      cursor.retryIfStale();
      await settle();
      cursor.retryIfStale();
      await settle();
      expect(inOrder()).toBe(true);
      expect(held()).toEqual(log.all());
    }),
    { numRuns: 200 },
  );
});

test('what comes while the log is being read is not forgotten', async () => {
  const log = memoryLog();
  // The page is taken before the entry is appended, and arrives after it was published.
  const gate = Promise.withResolvers<undefined>();
  let gated = false;
  const early = {
    ...log,
    read: async (conversation: string, after: number, limit: number) => {
      const page = await log.read(conversation, after, limit);
      if (gated) await gate.promise;
      return page;
    },
  };
  const { cursor, held } = client(early);
  await cursor.start({ epoch: undefined, offset: 0 });
  gated = true;
  cursor.missed();
  await settle();
  cursor.live(log.append());
  gate.resolve(undefined);
  await settle();
  expect(held()).toEqual(log.all());
});

test('a log that is trimmed or lost under the cursor is told, and what is retained follows', async () => {
  const log = memoryLog();
  for (let i = 0; i < 3; i += 1) log.append();
  const { cursor, told, held, inOrder } = client(log);
  await cursor.start({ epoch: 'e1', offset: 3 });
  expect(told).toEqual([{ position: { epoch: 'e1', offset: 3 }, head: 3, recovered: true, reason: undefined }]);
  for (let i = 0; i < 10; i += 1) log.append();
  log.trim(4);
  cursor.missed();
  await settle();
  expect(told.at(-1)).toMatchObject({ recovered: false, reason: 'trimmed', position: { offset: 9 } });
  expect(held()).toEqual(log.all());
  log.lose();
  cursor.live(log.append());
  await settle();
  expect(told.at(-1)).toMatchObject({
    recovered: false,
    reason: 'epoch_changed',
    position: { epoch: "e1'", offset: 0 },
  });
  expect(held()).toEqual(log.all());
  expect(inOrder()).toBe(true);
});

test('a log that goes on in another epoch is told without taking anything back, unless something of it was lost', async () => {
  const log = memoryLog();
  for (let i = 0; i < 3; i += 1) log.append();
  const { cursor, told, held } = client(log);
  await cursor.start({ epoch: 'e1', offset: 3 });
  log.restart(3);
  const next = log.append();
  cursor.live(next);
  await settle();
  expect(told.at(-1)).toMatchObject({ recovered: true, position: { epoch: 'e1+', offset: 3 }, head: 4 });
  expect(held()).toEqual([next]);
  log.restart(2);
  for (let i = 0; i < 3; i += 1) cursor.live(log.append());
  await settle();
  expect(told.at(-1)).toMatchObject({
    recovered: false,
    reason: 'offset_ahead',
    position: { epoch: 'e1++', offset: 0 },
  });
  expect(held().map(({ position }) => position.offset)).toEqual([1, 2, 3, 4, 5]);
});

test('a long absence is read in bounded pages', async () => {
  const log = memoryLog();
  for (let i = 0; i < 1_000; i += 1) log.append();
  const limits: number[] = [];
  const counting = {
    ...log,
    read: (conversation: string, after: number, limit: number) => {
      limits.push(limit);
      return log.read(conversation, after, limit);
    },
  };
  const { cursor, held } = client(counting);
  await cursor.start({ epoch: 'e1', offset: 0 });
  expect(held()).toHaveLength(1_000);
  expect(Math.max(...limits)).toBeLessThanOrEqual(50);
});

test('an answer is awaited from its question to its end, and silence is noticed', async () => {
  let time = 0;
  const log = memoryLog();
  const { cursor } = client(log, () => time);
  await cursor.start({ epoch: undefined, offset: 0 });
  expect(cursor.busy(1_000)).toBe(false);
  const question = log.append();
  cursor.live(question);
  expect(cursor.busy(1_000)).toBe(true);
  time = 999;
  expect(cursor.silentAnswers(1_000)).toEqual([]);
  time = 1_000;
  expect(cursor.silentAnswers(1_000)).toEqual([1]);
  expect(cursor.busy(1_000)).toBe(false);
  const at = { epoch: 'e1', offset: 2 };
  cursor.live({ position: at, entry: { type: 'token', answerId: 'a', replyTo: 1, index: 0, text: 'x' } });
  expect(cursor.busy(1_000)).toBe(true);
  const end = {
    type: 'done',
    answerId: 'a',
    replyTo: 1,
    text: 'x',
    tier: 'model',
    degraded: false,
    outcome: 'complete',
    at: 0,
  } as const;
  cursor.live({ position: { epoch: 'e1', offset: 3 }, entry: end });
  expect(cursor.busy(1_000)).toBe(false);
  time = 9_000;
  expect(cursor.silentAnswers(1_000)).toEqual([]);
});
