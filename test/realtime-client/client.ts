// A client of the realtime protocol for tests and the demonstration: one conversation, an outbox that sends again until
// the ack comes, resume after every disconnection, and an account of all that was lost, doubled or late.
import { randomUUID } from 'node:crypto';
import { bucketName, bucketOf } from '@assistant-platform/kit/bucket';
import { afterClose, closeCodes, serverFrame, subprotocol } from '@assistant-platform/realtime/protocol';
import type { ServerFrame } from '@assistant-platform/realtime/protocol';
import { WebSocket } from 'ws';
import { createLedger } from './ledger.ts';
import type { ClientCounts, Ledger } from './ledger.ts';

export type { ClientCounts } from './ledger.ts';
type Frame<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;

export interface RealtimeClientOptions {
  /** Address of the socket, e.g. ws://127.0.0.1:8080/ws. A function is asked at each connection. */
  readonly url: string | (() => string);
  /** Asked at each connection, so that an expired token is never used again. */
  readonly token: () => string | Promise<string>;
  readonly conversation: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Every frame as it comes. */
  readonly onFrame?: (frame: ServerFrame) => void;
  /** Uniform in [0, 1); jitter of reconnections. */
  readonly random?: () => number;
}

export interface RealtimeClient {
  /** Resolves when the conversation is joined for the first time. */
  readonly joined: Promise<unknown>;
  /** Sends until acknowledged. @throws when the server refuses the message for good */
  send(text: string, options?: { maxTokens?: number; clientId?: string }): Promise<Frame<'ack'>>;
  /** The end of the answer to the message at this offset. */
  answerTo(offset: number): Promise<Frame<'done'>>;
  /** Breaks the connection without a close frame, as a network does; the client comes back by itself. */
  cut(): void;
  readonly counts: () => ClientCounts;
  /** Revision that the present socket is on. */
  readonly revision: () => string | undefined;
  /** Closes for good. */
  close(): Promise<void>;
}

/** Bounds of the wait before a reconnection. */
const backoffBaseMs = 100;
const backoffCapMs = 2_000;
/** An ack that takes longer is asked for again. */
const ackWithinMs = 5_000;

interface Outgoing {
  readonly frame: object;
  sentAt: number;
  readonly resolve: (ack: Frame<'ack'>) => void;
  readonly reject: (error: Error) => void;
}

export function connectRealtime(options: RealtimeClientOptions): RealtimeClient {
  const { conversation } = options;
  const random = options.random ?? Math.random;
  const ledger: Ledger = createLedger();
  const outbox = new Map<string, Outgoing>();
  const waiting = new Map<number, (done: Frame<'done'>) => void>();
  const answers = new Map<number, Frame<'done'>>();
  const { promise: joined, resolve: isJoined, reject: isRefused } = Promise.withResolvers<undefined>();
  let socket: WebSocket | undefined;
  let revision: string | undefined;
  let isOpen = false;
  let closing = false;
  let failures = 0;
  let afterMs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let joinTimer: NodeJS.Timeout | undefined;

  const say = (frame: object) => socket?.send(JSON.stringify(frame));
  const sayAgain = (out: Outgoing) => {
    if (!isOpen) return;
    out.sentAt = performance.now();
    say(out.frame);
  };
  const resender = setInterval(() => {
    for (const out of outbox.values()) if (performance.now() - out.sentAt > ackWithinMs) sayAgain(out);
  }, 500);

  const onError = (frame: Frame<'error'>) => {
    ledger.refused(frame.code);
    if (frame.clientId === undefined) {
      // Joining failed for the moment. One try at a time, and only on this socket: whoever resumes where entries are on their way
      // already gets these twice.
      clearTimeout(joinTimer);
      if (frame.retryable) joinTimer = setTimeout(join, frame.retryAfterMs ?? 500);
      else isRefused(new Error(`${frame.code}: ${frame.message}`));
      return;
    }
    const out = outbox.get(frame.clientId);
    if (out === undefined) return;
    if (frame.retryable) setTimeout(() => sayAgain(out), frame.retryAfterMs ?? 500);
    else {
      outbox.delete(frame.clientId);
      out.reject(new Error(`${frame.code}: ${frame.message}`));
    }
  };
  const join = () => {
    if (socket?.readyState !== WebSocket.OPEN) return;
    const position = ledger.position();
    say({ type: 'resume', conversation, ...(position ?? { offset: 0 }) });
  };

  const onFrame = (frame: ServerFrame) => {
    options.onFrame?.(frame);
    switch (frame.type) {
      case 'hello':
        revision = frame.revision;
        join();
        break;
      case 'resumed':
        ledger.resumed(frame);
        failures = 0;
        isOpen = true;
        isJoined(undefined);
        for (const out of outbox.values()) sayAgain(out);
        break;
      case 'ack': {
        ledger.acked(frame);
        const out = outbox.get(frame.clientId);
        outbox.delete(frame.clientId);
        out?.resolve(frame);
        break;
      }
      case 'message':
      case 'token':
      case 'done':
        ledger.entry(frame);
        if (frame.type !== 'done') break;
        answers.set(frame.replyTo, frame);
        waiting.get(frame.replyTo)?.(frame);
        waiting.delete(frame.replyTo);
        break;
      case 'error':
        onError(frame);
        break;
      case 'reconnect':
        ({ afterMs } = frame);
        break;
      case 'pong':
        break;
    }
  };

  const open = async () => {
    const token = await options.token();
    if (closing) return;
    const url = typeof options.url === 'string' ? options.url : options.url();
    const made = new WebSocket(url, [subprotocol], {
      headers: { authorization: `Bearer ${token}`, [bucketName]: String(bucketOf(conversation)), ...options.headers },
      handshakeTimeout: 10_000,
    });
    socket = made;
    made.on('message', (data) => onFrame(serverFrame.parse(JSON.parse((data as Buffer).toString('utf8')))));
    made.on('error', () => undefined);
    made.on('close', (code) => onClose(code));
  };
  const openAgain = () => {
    open().catch(() => onClose(1006));
  };
  const onClose = (code: number) => {
    isOpen = false;
    clearTimeout(joinTimer);
    ledger.away(code);
    if (closing) return;
    const next = afterClose(code);
    if (next === 'stop') {
      closing = true;
      clearInterval(resender);
      const error = new Error(`closed for good with ${code}`);
      isRefused(error);
      for (const out of outbox.values()) out.reject(error);
      return;
    }
    const bound = Math.min(backoffCapMs, backoffBaseMs * 2 ** failures);
    failures += 1;
    const wait = code === closeCodes.drain && afterMs !== undefined ? afterMs : bound * (0.1 + 0.9 * random());
    afterMs = undefined;
    timer = setTimeout(openAgain, next === 'back-off' ? wait + 1_000 : wait);
  };
  // Nobody may be waiting for it yet.
  joined.catch(() => undefined);
  openAgain();

  return {
    joined,
    send(text, { maxTokens, clientId = randomUUID() } = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<Frame<'ack'>>();
      const frame = { type: 'send', conversation, clientId, text, ...(maxTokens === undefined ? {} : { maxTokens }) };
      const out: Outgoing = { frame, sentAt: performance.now(), resolve, reject };
      outbox.set(clientId, out);
      ledger.sent(clientId);
      sayAgain(out);
      return promise;
    },
    answerTo(offset) {
      const known = answers.get(offset);
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((resolve) => waiting.set(offset, resolve));
    },
    cut: () => socket?.terminate(),
    counts: () => ledger.counts(outbox.size),
    revision: () => revision,
    async close() {
      closing = true;
      clearInterval(resender);
      clearTimeout(timer);
      clearTimeout(joinTimer);
      const last = socket;
      if (last === undefined || last.readyState === WebSocket.CLOSED) return;
      const closed = new Promise((resolve) => last.once('close', resolve));
      if (last.readyState === WebSocket.OPEN) last.close(1000);
      else last.terminate();
      await closed;
    },
  };
}
