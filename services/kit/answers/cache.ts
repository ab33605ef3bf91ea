// Answers kept in Redis, so that an equal question costs no model call. Never a reason to fail: when Redis is away
// there is nothing in the cache.
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Logger } from '../log.ts';
import { redisScript, runScript } from '../redis-script.ts';
import { DependencyUnavailable } from '../resilience.ts';
import type { Guard } from '../resilience.ts';
import type { Turn } from './upstream.ts';

/** What decides the answer to a question. Two questions with equal parts share an entry. */
export interface QuestionKey {
  readonly taskType: string;
  readonly tenant: string;
  readonly model: string;
  readonly promptVersion: string;
  readonly maxTokens: number;
  /** Every turn that the model sees, oldest first; the last is the question. */
  readonly turns: readonly Turn[];
}

/** What is kept of an answer. Times are Unix milliseconds. */
export interface CachedAnswer {
  readonly key: string;
  readonly excerpt: string;
  readonly answer: string;
  readonly model: string;
  readonly taskType: string;
  readonly tokens: number;
  readonly costUsd: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Hits, this one included. */
  readonly uses: number;
}

export interface AnswerCache {
  /** The entry, with its use counted; undefined when there is none, it has expired, or Redis is away. */
  find(question: QuestionKey): Promise<CachedAnswer | undefined>;
  /** Replaces an entry and starts its count anew; resolves false when it was left out or Redis is away. */
  keep(question: QuestionKey, answer: string, cost: { tokens: number; usd: number }): Promise<boolean>;
}

/** Longer answers are left uncached, never cut. */
export const largestAnswer = 5_000;
/** Characters of the question that are kept beside the answer. */
export const excerptLength = 500;

/** Unicode form, case of the first letter and white space do not make another question. */
export function normalizeQuestion(text: string): string {
  return text.normalize('NFC').trim().replace(/\s+/gu, ' ').toLowerCase();
}

/** The key of a question: SHA-256 over all that decides its answer. */
export function cacheKey(question: QuestionKey): string {
  const turns = question.turns.map(({ role, content }) => [role, normalizeQuestion(content)]);
  const parts = [question.tenant, question.taskType, question.model, question.promptVersion, question.maxTokens, turns];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

// The expiry is checked here as well as by Redis, so that an entry past it is never served.
const findScript = redisScript(`
local expires = redis.call('HGET', KEYS[1], 'expiresAt')
if not expires or tonumber(expires) <= tonumber(ARGV[1]) then return false end
redis.call('HINCRBY', KEYS[1], 'uses', 1)
return redis.call('HMGET', KEYS[1], 'excerpt', 'answer', 'model', 'taskType', 'tokens', 'costUsd', 'createdAt', 'expiresAt', 'uses')
`);

const stored = z.tuple([
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  z.coerce.number(),
  z.coerce.number(),
  z.coerce.number(),
  z.coerce.number(),
  z.coerce.number(),
]);

/** @param now Unix milliseconds */
export function createAnswerCache(
  client: Redis,
  guard: Guard,
  ttlMs: number,
  log: Logger,
  now: () => number = Date.now,
): AnswerCache {
  const without = (what: string) => (error: unknown) => {
    // An open breaker has been reported when it opened; the rest is worth a line.
    if (!(error instanceof DependencyUnavailable)) log.debug({ err: error }, `answer cache: ${what} failed`);
    return undefined;
  };
  return {
    async find(question) {
      const key = cacheKey(question);
      const found = await guard
        .run(() => runScript(client, findScript, [`answer:${key}`], [now()]))
        .catch(without('looking up'));
      if (!Array.isArray(found)) return undefined;
      const entry = stored.safeParse(found);
      // Written by a revision that keeps something else: the answer is made anew, and kept as we do.
      if (!entry.success) {
        without('reading an entry')(entry.error);
        return undefined;
      }
      const [excerpt, answer, model, taskType, tokens, costUsd, createdAt, expiresAt, uses] = entry.data;
      return { key, excerpt, answer, model, taskType, tokens, costUsd, createdAt, expiresAt, uses };
    },
    async keep(question, answer, cost) {
      if (answer.length === 0 || answer.length > largestAnswer) return false;
      const name = `answer:${cacheKey(question)}`;
      const createdAt = now();
      const expiresAt = createdAt + ttlMs;
      const excerpt = (question.turns.at(-1)?.content ?? '').slice(0, excerptLength);
      const { model, taskType } = question;
      const fields = { excerpt, answer, model, taskType, tokens: cost.tokens, costUsd: cost.usd, createdAt, expiresAt };
      const done = await guard
        .run(() =>
          client
            .multi()
            .hset(name, { ...fields, uses: 0 })
            .pexpireat(name, expiresAt)
            .exec(),
        )
        .catch(without('keeping an answer'));
      return Array.isArray(done);
    },
  };
}
