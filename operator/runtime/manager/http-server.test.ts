// The port of health and metrics against clients that send what no client should, and against pages that fail.
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { jsonLogger } from '../log/logger.ts';
import { Registry } from '../metrics/metrics.ts';
import { type Check, type HealthServer, startHealthServer } from './http-server.ts';

let server: HealthServer | undefined;
const lines: string[] = [];
afterEach(async () => {
  await server?.close();
  lines.length = 0;
});

async function start(healthChecks: readonly Check[] = [], registry = new Registry()): Promise<void> {
  const logger = jsonLogger((line) => void lines.push(line));
  server = await startHealthServer({ port: 0, host: '127.0.0.1', registry, healthChecks, readyChecks: [], logger });
}

/** The whole answer to a request line, which goes out as it is. */
const ask = (requestLine: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(server?.port ?? 0, '127.0.0.1', () => {
      socket.write(`${requestLine} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    });
    socket.on('data', (data) => (text += data.toString()));
    socket.on('error', reject);
    socket.on('end', () => resolve(text));
  });

it.each([
  ['GET //', 400],
  ['GET http://', 400],
  ['GET //[', 400],
  ['GET /%', 404],
  ['OPTIONS *', 404],
  ['GET http://elsewhere/healthz', 200],
])('%s is answered %i, and the next request as ever', async (requestLine, code) => {
  await start();
  expect(await ask(requestLine)).toMatch(`HTTP/1.1 ${code} `);
  expect(await ask('GET /healthz')).toMatch(/^HTTP\/1.1 200 [^]*\r\nok\r\n/);
});

it('a check that throws is answered 500 and logged; the process lives', async () => {
  await start([
    {
      name: 'broken',
      run: () => {
        throw new Error('a bug in a check');
      },
    },
  ]);
  expect(await ask('GET /healthz')).toMatch(/^HTTP\/1.1 500 [^]*a bug in a check/);
  expect(lines).toEqual([expect.stringMatching(/"level":"error".*a bug in a check.*"target":"\/healthz"/)]);
  expect(await ask('GET /readyz')).toMatch(/^HTTP\/1.1 200 /);
});

it('metrics that cannot be collected are answered 500 and logged', async () => {
  const registry = new Registry();
  registry.metrics = () => Promise.reject(new Error('a gauge failed'));
  await start([], registry);
  expect(await ask('GET /metrics')).toMatch(/^HTTP\/1.1 500 [^]*a gauge failed/);
  expect(lines).toHaveLength(1);
});
