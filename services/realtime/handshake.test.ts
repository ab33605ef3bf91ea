import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { Problem } from '../kit/problems.ts';
import { checkHandshake, handshakeToken, refuseUpgrade } from './handshake.ts';
import { afterClose, closeCodes } from './protocol.ts';

const request = (headers: Record<string, string>, url = '/ws') => ({ url, headers }) as unknown as IncomingMessage;
const offer = { 'sec-websocket-protocol': 'other, assistant.v1.json' };

test('path, subprotocol and origin are checked', () => {
  const origins = ['https://a.example'];
  expect(() => checkHandshake(request(offer), undefined)).not.toThrow();
  expect(() => checkHandshake(request(offer, '/ws?x=1'), undefined)).not.toThrow();
  expect(() => checkHandshake(request({ ...offer, origin: 'https://a.example' }), origins)).not.toThrow();
  expect(() => checkHandshake(request(offer), origins)).not.toThrow();
  const refused = (headers: Record<string, string>, url?: string) => () =>
    checkHandshake(request(headers, url), origins);
  expect(refused(offer, '/')).toThrow(expect.objectContaining({ code: 'not_found' }));
  expect(refused(offer, '/wsx')).toThrow(expect.objectContaining({ code: 'not_found' }));
  expect(refused({})).toThrow(expect.objectContaining({ code: 'bad_request' }));
  expect(refused({ 'sec-websocket-protocol': 'assistant.v2.json' })).toThrow(
    expect.objectContaining({ code: 'bad_request' }),
  );
  expect(refused({ ...offer, origin: 'https://a.example.evil' })).toThrow(
    expect.objectContaining({ code: 'forbidden' }),
  );
});

test('[R-012] the token comes from the header or a subprotocol, never from the address', () => {
  expect(handshakeToken(request({ authorization: 'Bearer abc' }))).toBe('abc');
  expect(handshakeToken(request({ 'sec-websocket-protocol': 'assistant.v1.json, bearer.a.b.c' }))).toBe('a.b.c');
  expect(handshakeToken(request(offer, '/ws?token=abc&access_token=abc'))).toBeUndefined();
});

test('a refused client gets the whole answer, and keeps no connection by leaving its own side open', async () => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [socket] = (await once(server, 'connection')) as [Socket];
  let answer = '';
  client.on('data', (bytes) => (answer += bytes.toString()));
  refuseUpgrade(request(offer), socket, new Problem('draining', { retryAfterSeconds: 0 }), 'r');
  await Promise.all([once(socket, 'finish'), once(client, 'end')]);
  expect(answer).toMatch(/^HTTP\/1\.1 503 draining\r\n.*\r\n\r\n\{.*\}$/s);
  expect(socket.destroyed).toBe(true);
  client.destroy();
  server.close();
});

test('close codes tell what to do next', () => {
  expect(Object.entries(closeCodes).map(([name, code]) => [name, afterClose(code)])).toEqual([
    ['drain', 'reconnect'],
    ['idle', 'reconnect'],
    ['slowConsumer', 'reconnect'],
    ['flood', 'back-off'],
    ['unauthorized', 'stop'],
    ['protocol', 'stop'],
  ]);
  expect([1001, 1006, 1009, 1012].map(afterClose)).toEqual(Array(4).fill('reconnect'));
  expect(afterClose(1013)).toBe('back-off');
});
