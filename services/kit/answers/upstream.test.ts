// The client of the model against a server on loopback that says exactly these bytes.
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { eventually } from '../../../test/servers/child-process.ts';
import { countsAgainstModel, createUpstream } from './upstream.ts';
import type { Upstream } from './upstream.ts';

const limits = { firstChunkMs: 5_000, chunkMs: 1_000, totalMs: 5_000 };
const never = new AbortController().signal;
let server: Server;
let upstream: Upstream;
/** Connections that were made to the server. */
let connections = 0;

async function serve(answer: (response: ServerResponse) => void): Promise<void> {
  connections = 0;
  server = createServer((request, response) => {
    request.resume();
    answer(response);
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  upstream = createUpstream(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, 'm', limits);
}
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await upstream.close();
});

/** The text that was given before the end, and the end. */
async function ask(): Promise<{ text: string; end: unknown }> {
  let text = '';
  const end = await upstream
    .complete([{ role: 'user', content: 'q' }], 8, (piece) => (text += piece), never)
    .catch((error: unknown) => error);
  return { text, end };
}
const event = (part: object) => `data: ${JSON.stringify(part)}\n\n`;
const piece = (content: string) => event({ choices: [{ delta: { content }, finish_reason: null }] });
const finish = event({ choices: [{ delta: {}, finish_reason: 'stop' }] });
const done = 'data: [DONE]\n\n';

test('the answer is there with [DONE], also from a server that leaves the response open', async () => {
  await serve((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(piece('hello') + finish + done);
  });
  const startedAt = performance.now();
  expect(await ask()).toMatchObject({ text: 'hello', end: { finish: 'stop', outputTokens: 1 } });
  expect(performance.now() - startedAt).toBeLessThan(limits.chunkMs);
});

test('a response that ends right behind [DONE] leaves its connection to the next call', async () => {
  await serve((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(piece('hello') + finish + done);
    setImmediate(() => response.end());
  });
  let calls = 0;
  await eventually('a connection is used again', async () => {
    expect(await ask()).toMatchObject({ text: 'hello', end: { finish: 'stop' } });
    return (calls += 1) > connections;
  });
});

test('an error in the middle is no end, though [DONE] follows it', async () => {
  const failure = event({ error: { message: 'out of memory', type: 'server_error', code: 500 } });
  await serve((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(piece('half an ') + failure + done);
  });
  const { text, end } = await ask();
  expect(text).toBe('half an ');
  expect(end).toMatchObject({
    name: 'UpstreamFailure',
    kind: 'broken',
    message: expect.stringContaining('out of memory') as string,
  });
});

test('CR LF, comments, and a cut in the middle of a character change nothing', async () => {
  const bytes = Buffer.from(
    `: welcome\r\n\r\n${(piece('naïve ') + piece('привет 🙂') + finish + done).replaceAll('\n', '\r\n')}`,
  );
  await serve((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.socket?.setNoDelay(true);
    const next = (at: number) => {
      if (at === bytes.length) response.end();
      else response.write(bytes.subarray(at, at + 1), () => setImmediate(next, at + 1));
    };
    next(0);
  });
  expect(await ask()).toMatchObject({ text: 'naïve привет 🙂', end: { finish: 'stop', outputTokens: 2 } });
});

test('a model that is full says nothing against itself', async () => {
  await serve((response) => response.writeHead(429, { 'retry-after': '1' }).end('{"error":{"message":"slow down"}}'));
  const { end } = await ask();
  expect(end).toMatchObject({ name: 'UpstreamFailure', kind: 'busy' });
  expect(countsAgainstModel(end)).toBe(false);
});

test("a model that ends without a text has given no answer, and that is the question's fault as much as its own", async () => {
  await serve((response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(piece('') + finish + done),
  );
  const { end } = await ask();
  expect(end).toMatchObject({ name: 'UpstreamFailure', kind: 'empty' });
  expect(countsAgainstModel(end)).toBe(false);
});

test('a stream that is cut behind its finish has given the whole answer', async () => {
  await serve((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(piece('whole') + finish, () => {
      response.destroy();
    });
  });
  expect(await ask()).toMatchObject({ text: 'whole', end: { finish: 'stop' } });
});
