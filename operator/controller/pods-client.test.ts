import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { jsonLogger } from '@assistant-platform/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Sessions } from '../rollout/snapshot.ts';
import { PodsClient } from './pods-client.ts';
import { SessionBook } from './session-book.ts';

let server: Server;
let answer: { status: number; body: string | Buffer; headers?: Record<string, string>; endless?: boolean };
/** Bytes of endless answers that were sent, and how many of those have been cut off. */
let sent: { bytes: number; cut: number };
const asked: {
  method: string | undefined;
  url: string | undefined;
  authorization: string | undefined;
  body: string;
}[] = [];
const signal = new AbortController().signal;
const pod = () => ({ namespace: 'ns', name: 'pod-1', ip: '127.0.0.1', port: (server.address() as AddressInfo).port });

/** Sends the text, then spaces for as long as somebody takes them. */
function stream(response: ServerResponse, text: string | Buffer): void {
  const spaces = Buffer.alloc(16 * 1024, ' ');
  const more = (): void => {
    while (!response.destroyed && response.write(spaces)) sent.bytes += spaces.length;
  };
  response.on('drain', more);
  response.on('close', () => (sent.cut += 1));
  response.write(text);
  more();
}

beforeEach(async () => {
  asked.length = 0;
  answer = { status: 200, body: '{}' };
  sent = { bytes: 0, cut: 0 };
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (data: Buffer) => (body += data.toString()));
    request.on('end', () => {
      asked.push({ method: request.method, url: request.url, authorization: request.headers.authorization, body });
      if (answer.status === 0) return; // never answers
      response.writeHead(answer.status, answer.headers);
      if (answer.endless === true) stream(response, answer.body);
      else response.end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('the admin port of a pod', () => {
  it.each<[string, typeof answer, Sessions]>([
    [
      'its sessions',
      { status: 200, body: '{"open":812,"busy":3,"oldestSeconds":5400,"draining":false}' },
      { kind: 'known', open: 812, busy: 3, draining: false },
    ],
    ['a minimal answer', { status: 200, body: '{"open":1}' }, { kind: 'known', open: 1, busy: 0, draining: false }],
    ['no such page', { status: 404, body: '' }, { kind: 'unsupported' }],
    ['an error', { status: 500, body: '' }, { kind: 'unknown' }],
    ['nonsense', { status: 200, body: '{"open":-1}' }, { kind: 'unknown' }],
    ['no JSON', { status: 200, body: '<html>' }, { kind: 'unknown' }],
    ['silence', { status: 0, body: '' }, { kind: 'unknown' }],
  ])('%s', async (_what, given, expected) => {
    answer = given;
    expect(await new PodsClient({ timeoutMs: 300 }).sessions(pod(), signal)).toEqual(expected);
  });

  it('is not there: unsupported', async () => {
    const address = pod();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await new PodsClient().sessions(address, signal)).toEqual({ kind: 'unsupported' });
  });

  const order = { deadlineSeconds: 60, closePerSecond: 5 };
  const patient = (lines: string[]) =>
    new PodsClient({ timeoutMs: 15_000, log: jsonLogger((line) => void lines.push(line), 'debug') });

  it('sends without end: 64 KiB are read, then it is cut off and unknown, and the log says why', async () => {
    answer = { status: 200, body: '{"open":7}', endless: true };
    const lines: string[] = [];
    expect(await patient(lines).sessions(pod(), signal)).toEqual({ kind: 'unknown' });
    expect(lines).toEqual([
      expect.stringMatching(/"debug".*sessions of pod ns\/pod-1 are unknown.*longer than 65536 bytes/),
    ]);
    await expect(patient([]).drain(pod(), order, 'secret', signal)).rejects.toThrow('longer than 65536 bytes');
    await vi.waitFor(() => expect(sent.cut).toBe(2));
    // What the buffers of two connections hold besides.
    expect(sent.bytes).toBeLessThan(32 * 1024 * 1024);
  });

  it('sends more than 64 KiB that would be a good answer, also compressed: unknown', async () => {
    const body = `{"open":7}${' '.repeat(64 * 1024)}`;
    answer = { status: 200, body };
    expect(await patient([]).sessions(pod(), signal)).toEqual({ kind: 'unknown' });
    answer = { status: 200, body: gzipSync(body), headers: { 'content-encoding': 'gzip' } };
    expect(await patient([]).sessions(pod(), signal)).toEqual({ kind: 'unknown' });
    answer = { status: 200, body: body.slice(0, 64 * 1024) };
    expect(await patient([]).sessions(pod(), signal)).toMatchObject({ kind: 'known', open: 7 });
  });

  it.each([301, 302, 307, 308])('sends us elsewhere (%i): nobody goes there, and it is unknown', async (status) => {
    const { ip, port } = pod();
    answer = { status, body: '', headers: { location: `http://${ip}:${port}/elsewhere` } };
    const lines: string[] = [];
    expect(await patient(lines).sessions(pod(), signal)).toEqual({ kind: 'unknown' });
    expect(lines).toEqual([expect.stringMatching(/"debug".*redirect/)]);
    await expect(patient([]).drain(pod(), order, 'secret', signal)).rejects.toThrow('fetch failed');
    expect(asked.map(({ url }) => url)).toEqual(['/sessions', '/drain']);
  });

  it('takes the order to drain with the bearer token, and says so when it does not', async () => {
    const client = new PodsClient();
    await client.drain(pod(), { deadlineSeconds: 60, closePerSecond: 5 }, 'secret', signal);
    expect(asked).toEqual([
      {
        method: 'POST',
        url: '/drain',
        authorization: 'Bearer secret',
        body: '{"deadlineSeconds":60,"closePerSecond":5}',
      },
    ]);
    answer = { status: 401, body: 'no' };
    await expect(client.drain(pod(), { deadlineSeconds: 60, closePerSecond: 5 }, 'wrong', signal)).rejects.toThrow(
      'POST /drain of pod ns/pod-1: 401 no',
    );
  });
});

describe('the session book', () => {
  const setUp = () => {
    const state = { now: 0, open: 1, asks: 0, draining: false };
    const sessions = (): Promise<Sessions> => {
      state.asks += 1;
      return Promise.resolve({ kind: 'known', open: state.open, busy: 0, draining: state.draining });
    };
    return {
      state,
      book: new SessionBook({ sessions }, () => state.now),
      pods: [{ uid: 'a', namespace: 'ns', name: 'a', ip: '', port: 1 }],
    };
  };

  it('asks again only when an answer is too old, and tells whether it changed', async () => {
    const { state, book, pods } = setUp();
    expect(book.of('a')).toEqual({ kind: 'unknown' });
    expect(await book.refresh(pods, 1000, false, signal)).toBe(true);
    state.now = 999;
    expect(await book.refresh(pods, 1000, false, signal)).toBe(false);
    expect(state.asks).toBe(1);
    state.now = 1000;
    expect(await book.refresh(pods, 1000, false, signal)).toBe(false);
    state.open = 2;
    state.now = 2000;
    expect(await book.refresh(pods, 1000, false, signal)).toBe(true);
  });

  it('at rest asks a pod that it does not know no sooner than any other, and takes the first answer for no news', async () => {
    const { state, book, pods } = setUp();
    state.now = 999;
    expect(await book.refresh(pods, 1000, true, signal)).toBe(false);
    expect(state.asks).toBe(0);
    state.now = 1000;
    expect(await book.refresh(pods, 1000, true, signal)).toBe(false);
    expect(book.of('a')).toMatchObject({ kind: 'known', open: 1 });
    state.open = 2;
    state.now = 2000;
    expect(await book.refresh(pods, 1000, true, signal)).toBe(true);
  });

  it('at rest has a pod looked at that says at first that it drains: nobody else would know', async () => {
    const { state, book, pods } = setUp();
    Object.assign(state, { now: 1000, draining: true });
    expect(await book.refresh(pods, 1000, true, signal)).toBe(true);
  });

  it('does not believe what was asked before the order to drain', async () => {
    const { state, book, pods } = setUp();
    const asking = book.refresh(pods, 0, false, signal);
    state.now = 1;
    book.noteDrain('a');
    await asking;
    expect([book.of('a'), book.wasTold('a')]).toEqual([{ kind: 'unknown' }, true]);
    state.now = 4000;
    expect(book.wasTold('a')).toBe(false);
  });

  it('has a pod that did not take the order told again after a second, not at every look', () => {
    const { state, book } = setUp();
    book.noteFailedDrain('a');
    expect(book.wasTold('a')).toBe(true);
    state.now = 1000;
    expect(book.wasTold('a')).toBe(false);
  });

  it('keeps nothing of a pod that is gone, not even what it answers late', async () => {
    const { book, pods } = setUp();
    book.noteDrain('a');
    const asking = book.refresh(pods, 0, false, signal);
    book.forget('a');
    expect(await asking).toBe(false);
    expect([book.of('a'), book.wasTold('a')]).toEqual([{ kind: 'unknown' }, false]);
  });
});
