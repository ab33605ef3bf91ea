import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sessions } from '../rollout/snapshot.ts';
import { PodsClient } from './pods-client.ts';
import { SessionBook } from './session-book.ts';

let server: Server;
let answer: { status: number; body: string };
const asked: {
  method: string | undefined;
  url: string | undefined;
  authorization: string | undefined;
  body: string;
}[] = [];
const signal = new AbortController().signal;
const pod = () => ({ namespace: 'ns', name: 'pod-1', ip: '127.0.0.1', port: (server.address() as AddressInfo).port });

beforeEach(async () => {
  asked.length = 0;
  answer = { status: 200, body: '{}' };
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (data: Buffer) => (body += data.toString()));
    request.on('end', () => {
      asked.push({ method: request.method, url: request.url, authorization: request.headers.authorization, body });
      if (answer.status === 0) return; // never answers
      response.writeHead(answer.status).end(answer.body);
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
