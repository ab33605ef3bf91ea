// What a conversation's log holds: people's messages, the tokens of answers, and the ends of answers, all counted by
// one offset. Written by one revision and read by another, so readers ignore members they do not know.
import { z } from 'zod';

/** The name of a conversation. Whoever knows it may take part (first cut: there are no accounts yet). */
export const conversationId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ -');

/** The sender's own id of a message; sending the same one again stores nothing new. */
export const clientId = z.string().regex(/^[A-Za-z0-9._:-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ : -');

/** Longest message of a person, in UTF-16 units. */
export const messageLimit = 4_000;

/** Well-formed text with something to read in it. */
export const messageText = z
  .string()
  .max(messageLimit, `must have at most ${messageLimit} characters`)
  .refine((text) => text.trim().length > 0, 'must not be empty')
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
  .refine((text) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text), 'must have no control characters');

/** Who gave the answer: a model, an earlier answer to the same question, or the written rules. */
export const answerTier = z.enum(['model', 'cache', 'rules']);
export type AnswerTier = z.output<typeof answerTier>;

/**
 * How an answer ended: `complete`; `length` (the token limit cut it); `failover` (the model stopped in the middle and
 * the rules closed the answer); `aborted` (nobody wanted it any more).
 */
export const answerOutcome = z.enum(['complete', 'length', 'failover', 'aborted']);
export type AnswerOutcome = z.output<typeof answerOutcome>;

const messageEntry = z.object({
  type: z.literal('message'),
  clientId: z.string(),
  user: z.string(),
  text: z.string(),
  /** Unix time in milliseconds. */
  at: z.number(),
});

const tokenEntry = z.object({
  type: z.literal('token'),
  answerId: z.string(),
  /** Offset of the message that is answered. A later answerId with the same replyTo replaces the earlier one. */
  replyTo: z.number(),
  /** Number of this piece within its answer, from 0. */
  index: z.number(),
  /** One or several tokens of the model; pieces written close together travel as one. */
  text: z.string(),
});

const doneEntry = z.object({
  type: z.literal('done'),
  answerId: z.string(),
  replyTo: z.number(),
  /** The whole text, as the tokens add up to. */
  text: z.string(),
  tier: answerTier,
  /** True when a lower tier answered than would have without a fault. */
  degraded: z.boolean(),
  outcome: answerOutcome,
  at: z.number(),
});

export const logEntry = z.discriminatedUnion('type', [messageEntry, tokenEntry, doneEntry]);
export type LogEntry = z.output<typeof logEntry>;
export type MessageEntry = z.output<typeof messageEntry>;

/** A place in a log. Offsets count from 1; a log that was lost begins a new epoch, and one that may have lost its last moments goes on in one. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** An entry where it stands. */
export interface Placed {
  readonly position: Position;
  readonly entry: LogEntry;
}
