// Raw sockets as the tests of the protocol use them: every frame is seen, nothing is repaired.
import { WebSocket } from 'ws';
import { subprotocol } from './protocol.ts';
import type { ServerFrame } from './protocol.ts';

type Frame<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;

export interface RawSocket {
  readonly socket: WebSocket;
  /** All frames so far. */
  readonly frames: ServerFrame[];
  say(frame: object): void;
  /** The next frame of this type that fits, from the first not yet taken. */
  next<T extends ServerFrame['type']>(type: T, fits?: (frame: Frame<T>) => boolean): Promise<Frame<T>>;
  /** Resolves with the close code. */
  readonly closed: Promise<{ code: number; reason: string }>;
}

export interface Handshake {
  readonly token?: string | undefined;
  readonly subprotocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

const patienceMs = 10_000;

/** Opens a socket. @throws with the HTTP status and body when the handshake is refused */
export async function openSocket(url: string, how: Handshake = {}): Promise<RawSocket> {
  const socket = new WebSocket(url, [...(how.subprotocols ?? [subprotocol])], {
    headers: { ...(how.token === undefined ? {} : { authorization: `Bearer ${how.token}` }), ...how.headers },
  });
  const frames: ServerFrame[] = [];
  const taken = new WeakSet<ServerFrame>();
  const waiting = new Set<() => void>();
  socket.on('message', (data) => {
    frames.push(JSON.parse((data as Buffer).toString('utf8')) as ServerFrame);
    for (const look of waiting) look();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (bytes: Buffer) => (body += bytes.toString()));
      response.on('end', () => reject(new Error(`${response.statusCode} ${body}`)));
    });
  });
  socket.on('error', () => undefined);
  return {
    socket,
    frames,
    closed,
    say: (frame) => socket.send(JSON.stringify(frame)),
    next: <T extends ServerFrame['type']>(type: T, fits: (frame: Frame<T>) => boolean = () => true) =>
      new Promise<Frame<T>>((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`no ${type} within ${patienceMs} ms; seen: ${frames.map((f) => f.type).join(' ')}`));
        }, patienceMs);
        const look = () => {
          const found = frames.find(
            (frame): frame is Frame<T> => frame.type === type && !taken.has(frame) && fits(frame as Frame<T>),
          );
          if (found === undefined) return;
          taken.add(found);
          waiting.delete(look);
          clearTimeout(timer);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}
