// The test client against a scripted server: what it says, and when.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { closeCodes, subprotocol } from '@assistant-platform/realtime/protocol';
import { afterEach, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { bucketOf } from '@assistant-platform/kit/bucket';
import { eventually } from '../servers/child-process.ts';
import { connectRealtime } from './client.ts';

let server: WebSocketServer;
afterEach(() => {
  for (const socket of server.clients) socket.terminate();
  server.close();
});

const hello = {
  type: 'hello',
  session: 's',
  user: 'u',
  revision: 'r',
  release: '1',
  heartbeatMs: 1_000,
  idleMs: 1_000,
  maxMessageBytes: 1_000,
  maxConversations: 1,
};
const busy = { type: 'error', code: 'storage_unavailable', message: 'm', retryable: true, requestId: '1' };
const resumed = { type: 'resumed', conversation: 'c', epoch: 'e', offset: 0, head: 0, recovered: true };

/** @param answer is called for each frame with the number of its socket (from 1). */
async function serve(answer: (frame: { type: string }, socket: WebSocket, number: number) => void): Promise<string> {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => subprotocol });
  let sockets = 0;
  server.on('connection', (socket) => {
    const number = ++sockets;
    socket.send(JSON.stringify(hello));
    socket.on('message', (data) =>
      answer(JSON.parse((data as Buffer).toString('utf8')) as { type: string }, socket, number),
    );
  });
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
}

test('a join that is to be tried again later is not tried on the socket that came after: entries on their way would come twice', async () => {
  const resumes: number[] = [];
  const url = await serve((frame, socket, number) => {
    if (frame.type !== 'resume') return;
    resumes.push(number);
    if (number === 1) {
      // Twice, as a server under load does; then the socket is drained before the wait is over.
      for (let n = 0; n < 2; n++) socket.send(JSON.stringify({ ...busy, conversation: 'c', retryAfterMs: 120 }));
      socket.send(JSON.stringify({ type: 'reconnect', afterMs: 0, code: closeCodes.drain, reason: 'r' }));
      socket.close(closeCodes.drain);
      return;
    }
    socket.send(JSON.stringify(resumed));
    // Long enough for what the first socket left behind.
    setTimeout(() => socket.send(JSON.stringify({ type: 'pong' })), 300);
  });
  let pongs = 0;
  const client = connectRealtime({
    url,
    token: () => 't',
    conversation: 'c',
    onFrame: ({ type }) => void (pongs += type === 'pong' ? 1 : 0),
  });
  await client.joined;
  await eventually('the wait of the first socket is over', () => pongs > 0);
  expect(resumes).toEqual([1, 2]);
  await client.close();
});

test('two refusals of one join lead to one more try', async () => {
  let resumes = 0;
  const url = await serve((frame, socket) => {
    if (frame.type !== 'resume') return;
    resumes += 1;
    if (resumes > 1) {
      setTimeout(() => socket.send(JSON.stringify(resumed)), 100);
      return;
    }
    for (let n = 0; n < 2; n++) socket.send(JSON.stringify({ ...busy, conversation: 'c', retryAfterMs: 20 }));
  });
  const client = connectRealtime({ url, token: () => 't', conversation: 'c' });
  await client.joined;
  expect(resumes).toBe(2);
  await client.close();
});

test('the upgrade request carries the bucket of the conversation [R-294]', async () => {
  const url = await serve((_frame, socket) => socket.send(JSON.stringify(resumed)));
  const given: unknown[] = [];
  server.on('connection', (_socket, request) => given.push(request.headers['x-assistant-bucket']));
  const client = connectRealtime({ url, token: () => 't', conversation: 'c' });
  await client.joined;
  expect(given).toEqual([String(bucketOf('c'))]);
  await client.close();
});
