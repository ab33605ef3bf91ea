// The log of one conversation in a Redis Stream, shared by chat and realtime.
//
// ACKNOWLEDGED means: Redis has run the script that appended the message, and answered. With `appendonly yes` and
// `appendfsync always` (what infra sets up) Redis answers after the entry is on disk, so an acknowledged message
// survives a crash and a restart of Redis with its data. With weaker settings the last moments before a crash can be
// lost; checkDurability() says so in the log of the service.
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Logger } from '../log.ts';
import { runScript } from '../redis-script.ts';
import type { RedisScript } from '../redis-script.ts';
import { DependencyUnavailable } from '../resilience.ts';
import type { Guard } from '../resilience.ts';
import { inSpan } from '../telemetry.ts';
import type { LogEntry, MessageEntry, Placed, Position } from './entries.ts';
import { logEntry } from './entries.ts';
import { appendScript, claimScript, readScript, releaseScript, renewScript } from './scripts.ts';

/** Nothing was stored, or it is not known whether it was: repeat with the same id. */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable';
}

export interface LogLimits {
  /** Entries kept of each conversation; older ones are trimmed. */
  readonly maxEntries: number;
  /** How long a conversation without a new entry is kept. */
  readonly keepMs: number;
  /** How long a client id is remembered. A client repeats a message within seconds, or after hours offline. */
  readonly sentMs: number;
  /** How long an answer may be silent before another pod takes it over. */
  readonly leaseMs: number;
}

export const defaultLogLimits: LogLimits = {
  maxEntries: 1_000,
  keepMs: 7 * 86_400_000,
  sentMs: 86_400_000,
  leaseMs: 8_000,
};

/** A part of a log, and what is known about the whole of it at the moment of reading. */
export interface LogPage {
  readonly epoch: string;
  /** Where the epoch was left that this one continues: there, Redis was started again or another took its place. */
  readonly before?: Position | undefined;
  /** Offset of the newest entry; 0 for an empty log. */
  readonly head: number;
  /** Offset of the oldest entry that is still there; 0 when none is. */
  readonly first: number;
  readonly entries: readonly Placed[];
}

/** Which message an answer belongs to; only its holder may write. */
export interface Claim {
  readonly conversation: string;
  readonly replyTo: number;
  readonly answerId: string;
}

export interface ConversationLog {
  readonly limits: LogLimits;
  /**
   * Stores a person's message once, and claims the right to answer it for `answerId`.
   * @throws StorageUnavailable when it is not known to be stored; repeating with the same clientId is safe
   */
  appendMessage(
    conversation: string,
    message: Omit<MessageEntry, 'type'>,
    answerId: string,
  ): Promise<Position & { readonly duplicate: boolean }>;
  /**
   * Appends pieces of an answer; with `last` the claim ends with them. `batch` numbers the calls for one answer from
   * 0, so that repeating one after an error stores it once.
   * @returns the place of each entry, or undefined when another process has taken the answer over
   * @throws StorageUnavailable
   */
  appendAnswer(claim: Claim, batch: number, entries: readonly LogEntry[], last: boolean): Promise<Placed[] | undefined>;
  /** Reads what follows `after`, at most `limit` entries. @throws StorageUnavailable */
  read(conversation: string, after: number, limit: number): Promise<LogPage>;
  /** Messages that nobody has finished answering: their offsets. @throws StorageUnavailable */
  pending(conversation: string): Promise<number[]>;
  /** Takes over an answer whose holder has fallen silent. @throws StorageUnavailable */
  claim(claim: Claim): Promise<boolean>;
  /** Keeps the claim while there is nothing to write yet; false: somebody else has it. @throws StorageUnavailable */
  renew(claim: Claim): Promise<boolean>;
  /** Lets others take the answer over now, and tells them. @throws StorageUnavailable */
  release(claim: Claim): Promise<void>;
}

const appended = z.union([
  z.tuple([z.enum(['ok', 'duplicate']), z.string(), z.number()]),
  z.tuple([z.literal('lost')]),
]);
const page = z.tuple([z.string(), z.number(), z.number(), z.array(z.union([z.number(), z.string()])), z.string()]);

/** Name of the pub/sub channel of a conversation. */
export const channelOf = (conversation: string) => `c:${conversation}`;

const keyOf = (conversation: string, part: string) => `{c:${conversation}}:${part}`;

/** What a channel carries: an entry, or word that the answer to the message at `left` was given up by its maker. */
export type Published = Placed | { readonly left: number };

/** Parses what a channel carries; see scripts.ts. @throws ZodError, SyntaxError on what we did not write */
export function parsePublished(payload: string): Published {
  const left = /^left (\d+)$/.exec(payload)?.[1];
  if (left !== undefined) return { left: Number(left) };
  const [, epoch = '', offset = '', json = ''] = /^(\S+) (\d+) (.*)$/s.exec(payload) ?? [];
  return { position: { epoch, offset: Number(offset) }, entry: logEntry.parse(JSON.parse(json)) };
}

/** The run id of the Redis that `client` is connected to, asked once for each connection. */
function runIdOf(client: Redis): () => Promise<string> {
  let known: Promise<string> | undefined;
  client.on('close', () => (known = undefined));
  const ask = async () => {
    try {
      return /^run_id:(\w+)/m.exec(await client.info('server'))?.[1] ?? 'unknown';
    } catch (error) {
      // Some managed servers refuse INFO: then nobody sees that they have been replaced.
      if (error instanceof Error && error.name === 'ReplyError') return 'unknown';
      known = undefined;
      throw error;
    }
  };
  return () => (known ??= ask());
}

/** @param guard breaker around Redis, with a short half-open time: a probe costs nothing */
export function createConversationLog(
  client: Redis,
  guard: Guard,
  limits: LogLimits = defaultLogLimits,
): ConversationLog {
  const runId = runIdOf(client);
  const run = async (
    name: string,
    script: RedisScript,
    keys: string[],
    args: (string | number)[] | (() => Promise<(string | number)[]>),
  ) => {
    try {
      return await inSpan(`redis ${name}`, { 'db.system.name': 'redis' }, () =>
        guard.run(async () => runScript(client, script, keys, typeof args === 'function' ? await args() : args)),
      );
    } catch (cause) {
      const why = cause instanceof DependencyUnavailable ? cause.message : cause instanceof Error ? cause.message : '';
      throw new StorageUnavailable(`the conversation log could not be reached: ${why}`, { cause });
    }
  };
  const newEpoch = () => randomBytes(6).toString('base64url');

  const append = async (
    claim: Claim,
    mode: 'open' | 'hold' | 'close',
    once: { key: string; ms: number },
    entries: readonly LogEntry[],
  ) => {
    const { conversation } = claim;
    const keys = ['log', 'head', 'pending', `sent:${once.key}`].map((part) => keyOf(conversation, part));
    const fixed = [newEpoch(), limits.keepMs, limits.maxEntries, once.ms, channelOf(conversation)];
    const claiming = [mode, claim.replyTo, claim.answerId, limits.leaseMs];
    const texts = entries.flatMap((entry) => [entry.type, JSON.stringify(entry)]);
    const args = async () => [...fixed, ...claiming, await runId(), ...texts];
    return appended.parse(await run('append', appendScript, keys, args));
  };

  return {
    limits,
    async appendMessage(conversation, message, answerId) {
      const once = { key: `m:${message.user}:${message.clientId}`, ms: limits.sentMs };
      const entry = { type: 'message', ...message } as const;
      const answer = await append({ conversation, replyTo: 0, answerId }, 'open', once, [entry]);
      if (answer[0] === 'lost') throw new Error('a message cannot lose a claim it opens');
      return { epoch: answer[1], offset: answer[2], duplicate: answer[0] === 'duplicate' };
    },
    async appendAnswer(claim, batch, entries, last) {
      const once = { key: `a:${claim.answerId}:${batch}`, ms: 10 * 60_000 };
      const answer = await append(claim, last ? 'close' : 'hold', once, entries);
      if (answer[0] === 'lost') return undefined;
      const [, epoch, offset] = answer;
      const before = offset - entries.length;
      return entries.map((entry, index) => ({ position: { epoch, offset: before + 1 + index }, entry }));
    },
    async read(conversation, after, limit) {
      const keys = [keyOf(conversation, 'log'), keyOf(conversation, 'head')];
      const answer = await run('read', readScript, keys, [after, limit, newEpoch(), limits.keepMs]);
      const [epoch, head, first, flat, left] = page.parse(answer);
      const [, wasEpoch, wasOffset] = /^(\S+) (\d+)$/.exec(left) ?? [];
      const before = wasEpoch === undefined ? undefined : { epoch: wasEpoch, offset: Number(wasOffset) };
      const entries: Placed[] = [];
      for (let i = 0; i + 1 < flat.length; i += 2) {
        const entry = logEntry.parse(JSON.parse(String(flat[i + 1])));
        entries.push({ position: { epoch, offset: Number(flat[i]) }, entry });
      }
      return { epoch, before, head, first, entries };
    },
    async pending(conversation) {
      try {
        const offsets = await guard.run(() => client.hkeys(keyOf(conversation, 'pending')));
        return offsets.map(Number).sort((a, b) => a - b);
      } catch (cause) {
        throw new StorageUnavailable('the list of unanswered messages could not be read', { cause });
      }
    },
    async claim({ conversation, replyTo, answerId }) {
      const keys = [keyOf(conversation, 'pending')];
      return (await run('claim', claimScript, keys, [replyTo, answerId, limits.leaseMs])) === 1;
    },
    async renew({ conversation, replyTo, answerId }) {
      const keys = [keyOf(conversation, 'pending')];
      return (await run('renew', renewScript, keys, [replyTo, answerId, limits.leaseMs])) === 1;
    },
    async release({ conversation, replyTo, answerId }) {
      const args = [replyTo, answerId, channelOf(conversation)];
      await run('release', releaseScript, [keyOf(conversation, 'pending')], args);
    },
  };
}

/** Warns when this Redis may forget what it acknowledged. Managed servers often refuse CONFIG: then it says unknown. */
export async function checkDurability(client: Redis, log: Logger): Promise<void> {
  try {
    const appendOnly = await client.config('GET', 'appendonly');
    const fsync = await client.config('GET', 'appendfsync');
    const settings = [appendOnly, fsync].map((answer) => (Array.isArray(answer) ? String(answer[1]) : ''));
    if (settings[0] === 'yes' && settings[1] === 'always') return;
    log.warn(
      { appendonly: settings[0], appendfsync: settings[1] },
      'Redis may lose acknowledged messages when it crashes; set appendonly yes and appendfsync always',
    );
  } catch (error) {
    log.warn({ err: error }, 'whether Redis writes each message to disk is unknown: CONFIG GET was refused');
  }
}
