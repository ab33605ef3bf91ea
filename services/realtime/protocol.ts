// The subprotocol assistant.v1.json: one JSON object a WebSocket text message, its `type` says what it is.
//
// A session: connect to /ws with the subprotocol `assistant.v1.json`; log in (below); `resume` each conversation from
// the last position you have; `send`. From then on the server sends every entry of the joined conversations, in order,
// each with the position (epoch, offset) it has in the log. Keep the last position: it is all you need to come back.
//
// LOGIN. The token goes into the Authorization header (`Bearer TOKEN`), or, where a browser cannot set headers, into a
// second subprotocol `bearer.TOKEN`, or into a `login` frame within five seconds. The server answers `hello`.
//
// ACKNOWLEDGED. An `ack` is sent only after the message stands in the Redis Stream of its conversation (kit,
// conversation/log.ts says what that survives). Without an `ack` the client does not know: it sends the same frame
// again, on this or another socket, and the same clientId is stored once (`duplicate: true` tells that it had been).
// `ack` and the message's own entry may arrive in either order.
//
// RESUME. `recovered: true`: exactly what was missed follows, every entry behind the given position. `recovered: false`
// with a reason: that is not possible; throw away what you have, the entries still retained follow.
// The server also sends `resumed` by itself: when the log was lost under a joined conversation, and when it goes on in another epoch, because Redis
// was started again or another took its place; `recovered` then says whether all that you have is still there. Resume once on a socket: one that
// resumes a conversation it has joined already gets the entries that are on their way at that moment twice.
//
// ANSWERS. `token` entries of one answerId are pieces of one text; `done` closes it. When a pod dies in the middle,
// another one answers anew: a later answerId with the same replyTo replaces the earlier one.
//
// HEARTBEAT. The server pings (WebSocket ping) and gives up a peer that does not answer. Clients that cannot see those
// may send `ping` and get `pong`; it does not count as activity.
//
// Unknown members are ignored on both sides, unknown types are answered with `error` unknown_type.
import {
  answerOutcome,
  answerTier,
  clientId,
  conversationId,
  messageText,
} from '@assistant-platform/kit/conversation/entries';
import { z } from 'zod';

/** The only version there is. */
export const subprotocol = 'assistant.v1.json';
/** Prefix of the subprotocol that carries a token. */
export const tokenSubprotocol = 'bearer.';
/** Path of the upgrade request. */
export const socketPath = '/ws';

/**
 * Close codes. 4000-4099: connect again at once (with jitter) and resume. 4100-4199: wait first, longer each time.
 * 4200-4299: connecting again is of no use before something has changed. Besides: 1009 for a message over the limit,
 * 1001/1006/1012 as the network has it, all like 4000.
 */
export const closeCodes = {
  /** The pod is being replaced; a `reconnect` frame came before. */
  drain: 4000,
  /** Nothing was said for longer than the idle time. */
  idle: 4001,
  /** The client took its messages too slowly; resume gets them. */
  slowConsumer: 4002,
  /** Too many messages after repeated warnings. */
  flood: 4100,
  /** No login, or a token that is not valid. */
  unauthorized: 4200,
  /** Not text, not JSON, not an object with a type. */
  protocol: 4201,
} as const;

/** What a client does after a close: the ranges above as a function. */
export function afterClose(code: number): 'reconnect' | 'back-off' | 'stop' {
  if (code >= 4200 && code <= 4299) return 'stop';
  if ((code >= 4100 && code <= 4199) || code === 1013) return 'back-off';
  return 'reconnect';
}

/** W3C trace context of the client's own trace; the server's spans continue it. */
const traced = { traceparent: z.string().max(64).optional() };

export const clientFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('login'), token: z.string().min(1).max(4_096), ...traced }),
  z.object({
    type: z.literal('resume'),
    conversation: conversationId,
    /** Of the last entry that the client has; none with offset 0: everything from the beginning. */
    epoch: z.string().max(64).optional(),
    offset: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
    ...traced,
  }),
  z.object({ type: z.literal('leave'), conversation: conversationId, ...traced }),
  z.object({
    type: z.literal('send'),
    conversation: conversationId,
    clientId,
    text: messageText,
    /** A shorter answer than the usual bound. */
    maxTokens: z.number().int().min(1).max(4_096).optional(),
    ...traced,
  }),
  z.object({ type: z.literal('ping'), id: z.string().max(64).optional(), ...traced }),
]);
export type ClientFrame = z.output<typeof clientFrame>;

/** The types a client may send; another one is `unknown_type`. */
export const clientFrameTypes: readonly string[] = ['login', 'resume', 'leave', 'send', 'ping'];

const placed = { conversation: z.string(), epoch: z.string(), offset: z.number() };

export const serverFrame = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    /** Id of this socket, in all logs of it. */
    session: z.string(),
    user: z.string(),
    revision: z.string(),
    release: z.string(),
    heartbeatMs: z.number(),
    idleMs: z.number(),
    maxMessageBytes: z.number(),
    maxConversations: z.number(),
  }),
  z.object({
    type: z.literal('resumed'),
    ...placed,
    recovered: z.boolean(),
    reason: z.enum(['epoch_changed', 'offset_ahead', 'trimmed']).optional(),
    /** The newest offset at that moment; the entries up to it follow. `offset` is where the replay begins. */
    head: z.number(),
  }),
  z.object({
    type: z.literal('message'),
    ...placed,
    clientId: z.string(),
    user: z.string(),
    text: z.string(),
    /** Unix milliseconds. */
    at: z.number(),
  }),
  z.object({
    type: z.literal('token'),
    ...placed,
    answerId: z.string(),
    /** Offset of the message that is answered. */
    replyTo: z.number(),
    index: z.number(),
    text: z.string(),
  }),
  z.object({
    type: z.literal('done'),
    ...placed,
    answerId: z.string(),
    replyTo: z.number(),
    /** The whole text. */
    text: z.string(),
    tier: answerTier,
    degraded: z.boolean(),
    outcome: answerOutcome,
    at: z.number(),
  }),
  z.object({ type: z.literal('ack'), ...placed, clientId: z.string(), duplicate: z.boolean() }),
  z.object({
    type: z.literal('error'),
    /** A code of the error table (kit, problems.ts). */
    code: z.string(),
    message: z.string(),
    retryable: z.boolean(),
    requestId: z.string(),
    retryAfterMs: z.number().optional(),
    /** What the refused frame was about. */
    conversation: z.string().optional(),
    clientId: z.string().optional(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  }),
  z.object({ type: z.literal('pong'), id: z.string().optional() }),
  z.object({
    type: z.literal('reconnect'),
    /** Wait this long (jitter of the server's choice), then connect again and resume. */
    afterMs: z.number(),
    /** The close code that follows. */
    code: z.number(),
    reason: z.string(),
  }),
]);
export type ServerFrame = z.output<typeof serverFrame>;
