import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../clock/clock.ts';
import { pods } from '../objects/builtin.ts';
import { failure, renewable, withServer } from '../testing/scripted-client.ts';
import { refuse, ScriptedServer, WatchAnswer } from '../testing/scripted-server.ts';
import { ApiClient } from './api-client.ts';
import { isForbidden, TransportError } from './errors.ts';

const collect = async (events: AsyncIterable<unknown>): Promise<unknown[]> => {
  const all: unknown[] = [];
  for await (const event of events) all.push(event);
  return all;
};

describe('ApiClient.watch', () => {
  const options = { namespace: 'ns', resourceVersion: '5', timeoutSeconds: 60 };

  it('streams events until the server ends the watch', () =>
    withServer(async (server, client) => {
      const watch = new WatchAnswer();
      server.on('watch', watch.answer);
      const seen: unknown[] = [];
      const reading = (async () => {
        for await (const event of client.watch(pods, options)) seen.push(event);
      })();
      const request = await watch.opened;
      expect(String(request.query)).toBe('watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=60');
      const added = JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'a' } } });
      watch.write(added.slice(0, 10));
      watch
        .write(`${added.slice(10)}\n`)
        .bookmark('9')
        .end();
      await reading;
      expect(seen).toEqual([
        { type: 'ADDED', object: { metadata: { name: 'a' } } },
        { type: 'BOOKMARK', resourceVersion: '9' },
      ]);
    }));

  it('without a version asks for what there is first', () =>
    withServer(async (server, client) => {
      const watch = new WatchAnswer();
      server.on('watch', watch.answer);
      const reading = collect(client.watch(pods, { ...options, resourceVersion: undefined }));
      const request = await watch.opened;
      expect(String(request.query)).toBe(
        'watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=60',
      );
      watch
        .send('ADDED', { metadata: { name: 'a' } })
        .initialEventsEnd('7')
        .end();
      expect(await reading).toEqual([
        { type: 'ADDED', object: { metadata: { name: 'a' } } },
        { type: 'BOOKMARK', resourceVersion: '7', initialEventsEnd: true },
      ]);
    }));

  it.each<[string, (watch: WatchAnswer) => void, object]>([
    ['a cut connection', (watch) => watch.cut(), { failure: 'Connection' }],
    ['a cut within an event', (watch) => watch.write('{"type":"ADDED","obj').cut(), { failure: 'Connection' }],
    ['an end within an event', (watch) => watch.write('{"type":"ADDED","obj').end(), { failure: 'Malformed' }],
    ['an ERROR event', (watch) => watch.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired' }), { code: 410 }],
  ])('throws for %s', (_name, act, expected) =>
    withServer(async (server, client) => {
      const watch = new WatchAnswer();
      server.on('watch', watch.answer);
      const reading = failure(collect(client.watch(pods, options)));
      await watch.opened;
      act(watch);
      expect(await reading).toMatchObject(expected);
    }),
  );

  it('reads its credentials anew, once, after a 401', async () => {
    await using server = await ScriptedServer.start();
    const { connection } = await renewable(server);
    const client = new ApiClient({ connection, fieldManager: 't' });
    const watch = new WatchAnswer();
    const unauthorized = refuse(401, 'Unauthorized');
    server.on('watch', unauthorized, watch.answer, unauthorized, unauthorized);
    const reading = collect(client.watch(pods, options));
    await watch.opened;
    watch.end();
    expect(await reading).toEqual([]);
    expect(await failure(collect(client.watch(pods, options)))).toMatchObject({ code: 401 });
    const sent = server.requests.map(({ headers }) => headers.authorization);
    expect(sent).toEqual(['Bearer old', 'Bearer new', 'Bearer old', 'Bearer new']);
    client.close();
  });

  it('throws the refusal of the watch itself', () =>
    withServer(async (server, client) => {
      server.on('watch', refuse(403, 'Forbidden'));
      expect(isForbidden(await failure(collect(client.watch(pods, options))))).toBe(true);
    }));

  it('gives up a silent connection; a bookmark is a sign of life', () =>
    withServer(async (server, client) => {
      const watch = new WatchAnswer();
      server.on('watch', watch.answer);
      const startedAt = performance.now();
      const reading = failure(collect(client.watch(pods, { ...options, idleTimeoutMs: 120 })));
      await watch.opened;
      await sleep(systemClock, 80);
      watch.bookmark('6');
      const error = await reading;
      expect(error).toBeInstanceOf(TransportError);
      expect(error).toMatchObject({ failure: 'Timeout' });
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(195);
    }));

  it('closes the request when the consumer leaves', () =>
    withServer(async (server, client) => {
      const watch = new WatchAnswer();
      const closed = Promise.withResolvers<undefined>();
      server.on('watch', (request, response) => {
        response.on('close', () => closed.resolve(undefined));
        watch.answer(request, response);
        watch.bookmark('6');
      });
      for await (const event of client.watch(pods, options)) {
        expect(event.type).toBe('BOOKMARK');
        break;
      }
      await closed.promise;
    }));
});
