// The end of a server, with clients that keep connections open in every state.
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, test } from 'vitest';
import { closeHttpServer, createHttpServer } from './http.ts';
import { createLifecycle } from './lifecycle.ts';
import { createLogger } from './log.ts';
import { createMetrics } from './metrics.ts';

const identity = { component: 'test', revision: 'r', release: '1' };

test('who has not sent a whole request does not hold up the end, who has gets the answer', async () => {
  const app = createHttpServer({
    log: createLogger('silent', identity),
    metrics: createMetrics(identity, false),
    lifecycle: createLifecycle(),
    revision: 'r',
  });
  const gate = Promise.withResolvers<undefined>();
  const begun = Promise.withResolvers<undefined>();
  app.post('/slow', async () => {
    begun.resolve(undefined);
    await gate.promise;
    return 'at last';
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const head = 'POST /slow HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  const open = async (text: string): Promise<{ socket: Socket; closed: Promise<string> }> => {
    const arrived = new Promise((resolve) => app.server.once('connection', resolve));
    const socket = connect(port, '127.0.0.1');
    let got = '';
    socket.on('data', (bytes) => (got += bytes.toString()));
    const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(got)));
    await arrived;
    if (text !== '') await new Promise((resolve) => socket.write(text, resolve));
    return { socket, closed };
  };
  const waiting = [await open(''), await open(head), await open(`${head}content-length: 10\r\n\r\n{"a"`)];
  const whole = await open(`${head}content-length: 2\r\n\r\n{}`);
  await begun.promise;

  const startedAt = performance.now();
  const end = closeHttpServer(app);
  await Promise.all(waiting.map(({ closed }) => closed));
  expect(whole.socket.closed).toBe(false);
  gate.resolve(undefined);
  expect(await whole.closed).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*at last$/);
  await end;
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});
