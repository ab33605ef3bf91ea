// One socket: its login, its frames in their order, the conversations it has joined, and what is sent to it.
import { randomUUID } from 'node:crypto';
import { StorageUnavailable } from '@assistant-platform/kit/conversation/log';
import { asProblem } from '@assistant-platform/kit/http';
import type { Pod } from '@assistant-platform/kit/pod';
import { Problem, problemDetails } from '@assistant-platform/kit/problems';
import type { Language } from '@assistant-platform/kit/problems';
import { contextOf, inSpan } from '@assistant-platform/kit/telemetry';
import type { Identity } from '@assistant-platform/kit/tokens';
import type { RawData, WebSocket } from 'ws';
import type { Answers } from './answers.ts';
import { createCursor } from './cursor.ts';
import type { Cursor, Resumed } from './cursor.ts';
import type { FanOut } from './fan-out.ts';
import { createMessageRate } from './message-rate.ts';
import { clientFrame, clientFrameTypes, closeCodes } from './protocol.ts';
import type { ClientFrame, ServerFrame } from './protocol.ts';
import type { RealtimeSettings } from './settings.ts';

/** What a socket needs of the process around it. */
export interface ConnectionParts {
  readonly pod: Pod;
  readonly settings: RealtimeSettings;
  readonly fanOut: FanOut;
  readonly answers: Answers;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly onClosed: (connection: Connection) => void;
}

export interface Connection {
  readonly session: string;
  readonly openedAt: number;
  /** When a person last did something, or was last sent something. */
  readonly lastActiveAt: () => number;
  /** A frame is being worked on, or an answer is under way. */
  readonly busy: () => boolean;
  /** Asks the client to come back elsewhere, then closes. */
  moveAway(afterMs: number): void;
  /** Heartbeat, idle time, login time, silent answers: called about every second. */
  sweep(): void;
  /** Ends it at once. */
  terminate(): void;
}

/** Frames that may wait for their turn; a client that sends more without waiting is refused. */
const longestQueue = 100;
/** Refused frames in a row after which a flooding socket is closed. */
const floodRefusals = 100;
/** How long a peer has to answer a close. */
const closeGraceMs = 5_000;
/** An answer without a sign of life for this long (the lease of the log) may be taken over. */
const silentMs = 9_000;
/** What a client is told to wait before it repeats what could not be stored. */
const storageRetryMs = 1_000;

/** @param identity of a token in the handshake; undefined: a login frame must follow */
export function createConnection(
  socket: WebSocket,
  identity: Identity | undefined,
  language: Language,
  parts: ConnectionParts,
): Connection {
  const { pod, settings, fanOut, answers, now } = parts;
  const { metrics } = pod;
  const session = randomUUID();
  const log = pod.log.child({ session });
  const rate = createMessageRate(settings.MESSAGE_RATE, settings.MESSAGE_BURST, now);
  const cursors = new Map<string, Cursor>();
  /** Joined conversations in which an unanswered message may still have to be taken over. */
  const unattended = new Set<string>();
  const openedAt = now();
  let user = identity?.user;
  let lastActiveAt = openedAt;
  let lastHeardAt = openedAt;
  let pingedAt = openedAt;
  let shed = false;
  let frames = 0;
  let queued = 0;
  let queue = Promise.resolve();

  const close = (code: number, reason: string) => {
    if (socket.readyState !== socket.OPEN) return;
    socket.close(code, reason);
    setTimeout(() => socket.terminate(), closeGraceMs).unref();
  };

  const send = (frame: ServerFrame) => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > settings.MAX_BUFFERED_BYTES) {
      log.info({ bufferedBytes: socket.bufferedAmount }, 'shedding a slow client');
      shed = true;
      // A close frame would wait behind what the client does not read.
      socket.terminate();
      return;
    }
    metrics.realtimeMessages.inc({ direction: 'out', type: frame.type });
    socket.send(JSON.stringify(frame));
  };

  /** A ping is written behind all that was sent. */
  const flushed = () =>
    new Promise<void>((resolve) => {
      if (socket.bufferedAmount === 0) resolve();
      else socket.ping(undefined, undefined, () => resolve());
    });

  const sendProblem = (problem: Problem, about: { conversation?: string; clientId?: string } = {}) => {
    const { title, code, retryable, requestId, errors } = problemDetails(problem, `${session}.${frames}`, language);
    const wait = problem.retryAfterSeconds;
    const later = wait === undefined ? {} : { retryAfterMs: Math.ceil(wait * 1000) };
    const fields = errors === undefined ? {} : { errors: [...errors] };
    send({ type: 'error', code, message: title, retryable, requestId, ...later, ...about, ...fields });
  };

  const hello = (name: string) =>
    send({
      type: 'hello',
      session,
      user: name,
      revision: pod.identity.revision,
      release: pod.identity.release,
      heartbeatMs: settings.HEARTBEAT_MS,
      idleMs: settings.IDLE_MS,
      maxMessageBytes: settings.MAX_MESSAGE_BYTES,
      maxConversations: settings.MAX_CONVERSATIONS,
    });

  const leave = (conversation: string) => {
    const cursor = cursors.get(conversation);
    if (cursor === undefined) return;
    cursor.stop();
    cursors.delete(conversation);
    unattended.delete(conversation);
    fanOut.leave(conversation, cursor);
  };

  const resume = async (frame: Extract<ClientFrame, { type: 'resume' }>) => {
    const { conversation } = frame;
    leave(conversation);
    if (cursors.size >= settings.MAX_CONVERSATIONS) throw new Problem('too_many_conversations');
    const isNew = frame.epoch === undefined && frame.offset === 0;
    const onResumed = ({ position, head, recovered, reason }: Resumed) => {
      metrics.sessionResumes.inc({ outcome: isNew ? 'new' : recovered ? 'recovered' : 'not_recovered' });
      send({ type: 'resumed', conversation, ...position, head, recovered, ...(reason && { reason }) });
    };
    const cursor = createCursor({
      conversation,
      log: pod.conversations,
      now,
      onResumed,
      onEntry: ({ entry, position }) => {
        lastActiveAt = now();
        send({ ...entry, conversation, ...position });
      },
      flushed,
      onLeft: (replyTo) => void takeOverQuietly(conversation, [replyTo]),
      onStale: (error) => log.debug({ err: error, conversation }, 'behind the log; reading again soon'),
    });
    // First subscribed, then read: what is appended in between is seen twice by the cursor and sent once.
    cursors.set(conversation, cursor);
    try {
      await fanOut.join(conversation, cursor);
      await cursor.start({ epoch: frame.epoch, offset: frame.offset });
    } catch (error) {
      if (cursors.get(conversation) === cursor) leave(conversation);
      throw error instanceof Problem ? error : storageProblem(error);
    }
    if (isClosed()) leave(conversation);
    // The client has been told that it is joined: what fails from here on is made good later and takes nothing back.
    else void lookAfter(conversation);
  };

  /**
   * Takes over what nobody answers. sweep() looks again while an answer is held: if its maker is dead, a client that has all there is hears
   * nothing more of it, so that the cursor cannot notice the silence.
   */
  const lookAfter = async (conversation: string) => {
    unattended.delete(conversation);
    const again = await answers.takeOver(conversation).catch((error: unknown) => {
      log.debug({ err: error, conversation }, 'could not look for unanswered messages; trying again soon');
      return true;
    });
    if (again && cursors.has(conversation)) unattended.add(conversation);
  };

  const store = async (frame: Extract<ClientFrame, { type: 'send' }>, name: string) => {
    const { conversation, clientId, text, maxTokens } = frame;
    if (!cursors.has(conversation)) throw new Problem('not_joined');
    const answerId = randomUUID();
    const message = { clientId, user: name, text, at: Date.now() };
    const { epoch, offset, duplicate } = await pod.conversations.appendMessage(conversation, message, answerId);
    send({ type: 'ack', conversation, clientId, epoch, offset, duplicate });
    if (duplicate) await answers.takeOver(conversation, [offset]);
    else answers.begin({ conversation, replyTo: offset, answerId }, text, maxTokens);
  };

  const handle = async (frame: ClientFrame) => {
    if (frame.type === 'login') {
      user = (await pod.tokens.verify(frame.token)).user;
      hello(user);
      return;
    }
    const name = user;
    if (name === undefined) throw new Problem('unauthorized');
    switch (frame.type) {
      case 'resume':
        await resume(frame);
        return;
      case 'leave':
        leave(frame.conversation);
        return;
      case 'send':
        await answers.during(() => store(frame, name));
        return;
      case 'ping':
        send({ type: 'pong', ...(frame.id === undefined ? {} : { id: frame.id }) });
    }
  };

  const work = async (frame: ClientFrame) => {
    const about = {
      ...('conversation' in frame ? { conversation: frame.conversation } : {}),
      ...('clientId' in frame ? { clientId: frame.clientId } : {}),
    };
    try {
      const attributes = { 'session.id': session };
      await inSpan(`frame ${frame.type}`, attributes, () => handle(frame), contextOf(frame));
    } catch (error) {
      const problem = error instanceof StorageUnavailable ? storageProblem(error) : asProblem(error);
      if (problem.code === 'internal') log.error({ err: error, frame: frame.type }, 'a frame failed');
      sendProblem(problem, about);
      if (problem.code === 'unauthorized') close(closeCodes.unauthorized, 'log in with a valid token');
    }
  };

  socket.on('message', (data: RawData, isBinary: boolean) => {
    // After a close was sent the client will repeat what has no ack.
    if (socket.readyState !== socket.OPEN) return;
    frames += 1;
    lastHeardAt = now();
    const parsed = isBinary ? undefined : parseFrame(data);
    if (parsed === undefined) {
      close(closeCodes.protocol, 'frames are JSON objects with a type');
      return;
    }
    const type = clientFrameTypes.includes(parsed.type) ? parsed.type : 'unknown';
    metrics.realtimeMessages.inc({ direction: 'in', type });
    if (type !== 'ping') lastActiveAt = lastHeardAt;
    const taken = rate.take();
    if (!taken.ok || queued >= longestQueue) {
      const waitMs = taken.ok ? storageRetryMs : taken.retryAfterMs;
      if (!taken.ok && taken.refusals >= floodRefusals) close(closeCodes.flood, 'too many messages');
      else sendProblem(new Problem('rate_limited', { retryAfterSeconds: waitMs / 1000 }), aboutOf(parsed));
      return;
    }
    const frame = clientFrame.safeParse(parsed);
    if (!frame.success) {
      const problem = type === 'unknown' ? new Problem('unknown_type') : asProblem(frame.error);
      sendProblem(problem, aboutOf(parsed));
      return;
    }
    queued += 1;
    queue = queue.then(() => work(frame.data)).finally(() => (queued -= 1));
  });
  socket.on('pong', () => {
    lastHeardAt = now();
  });
  socket.on('error', (error) => log.debug({ err: error }, 'socket error'));
  socket.on('close', (code) => {
    for (const conversation of [...cursors.keys()]) leave(conversation);
    metrics.realtimeCloses.inc({ code: shed ? closeCodes.slowConsumer : code });
    parts.onClosed(connection);
  });
  const isClosed = () => socket.readyState === socket.CLOSED;

  const checkTimes = () => {
    const at = now();
    if (user === undefined && at - openedAt > settings.LOGIN_TIMEOUT_MS) {
      close(closeCodes.unauthorized, 'no login in time');
      return;
    }
    if (at - lastActiveAt > settings.IDLE_MS) {
      close(closeCodes.idle, 'nothing was said for a long time');
      return;
    }
    if (at - pingedAt < settings.HEARTBEAT_MS) return;
    // No sign of life since the ping before: the peer is gone, and a close frame would reach nobody.
    if (lastHeardAt < pingedAt) {
      socket.terminate();
      return;
    }
    pingedAt = at;
    socket.ping();
  };

  const connection: Connection = {
    session,
    openedAt,
    lastActiveAt: () => lastActiveAt,
    busy: () => queued > 0 || cursors.values().some((cursor) => cursor.busy(silentMs)),
    moveAway(afterMs) {
      send({ type: 'reconnect', afterMs, code: closeCodes.drain, reason: 'this server is being replaced' });
      close(closeCodes.drain, 'drain');
    },
    sweep() {
      if (socket.readyState !== socket.OPEN) return;
      checkTimes();
      for (const conversation of [...unattended]) void lookAfter(conversation);
      for (const [conversation, cursor] of cursors) {
        cursor.retryIfStale();
        const silent = cursor.silentAnswers(silentMs);
        if (silent.length === 0) continue;
        void takeOverQuietly(conversation, silent);
        // Or its end is there, and pub/sub has lost it.
        cursor.missed();
      }
    },
    terminate: () => socket.terminate(),
  };

  const takeOverQuietly = async (conversation: string, offsets: readonly number[]) => {
    try {
      await answers.takeOver(conversation, offsets);
    } catch (error) {
      log.debug({ err: error, conversation }, 'could not look after a silent answer');
    }
  };

  if (user !== undefined) hello(user);
  return connection;
}

/** Any failure to reach Redis is the same to a client: repeat it soon. */
const storageProblem = (cause: unknown): Problem =>
  new Problem('storage_unavailable', { cause, retryAfterSeconds: storageRetryMs / 1000 });

/** What can be said of a frame whose shape is wrong. */
function aboutOf(frame: Readonly<Record<string, unknown>>): { conversation?: string; clientId?: string } {
  const { conversation, clientId } = frame;
  return {
    ...(typeof conversation === 'string' ? { conversation: conversation.slice(0, 64) } : {}),
    ...(typeof clientId === 'string' ? { clientId: clientId.slice(0, 64) } : {}),
  };
}

/** The object in a text frame, if it is one and has a type. */
function parseFrame(data: RawData): (Record<string, unknown> & { type: string }) | undefined {
  try {
    const parsed: unknown = JSON.parse((data as Buffer).toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
    const { type } = parsed as Record<string, unknown>;
    return typeof type === 'string' ? { ...parsed, type } : undefined;
  } catch {
    // Not JSON: the caller closes with a protocol error.
    return undefined;
  }
}
