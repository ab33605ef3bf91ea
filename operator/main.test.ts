// The log of the process is lines of JSON to its last one, whatever ends it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** An API server that knows nothing, and so holds the port that a test takes for health. */
const server = createServer((_request, response) => response.writeHead(404).end());
let folder: string;
let kubeconfig: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  folder = await mkdtemp(join(tmpdir(), 'assistant-operator-'));
  kubeconfig = join(folder, 'kubeconfig');
  const cluster = { name: 'c', cluster: { server: `http://127.0.0.1:${port()}` } };
  const context = { name: 'c', context: { cluster: 'c', user: 'u' } };
  await writeFile(
    kubeconfig,
    JSON.stringify({ clusters: [cluster], contexts: [context], users: [{ name: 'u' }], 'current-context': 'c' }),
  );
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

const port = (): number => (server.address() as AddressInfo).port;

/** Runs it to its end. @param crashes it throws in a callback, out of anybody's reach, once it has begun */
async function lines(args: readonly string[], crashes = false): Promise<{ code: unknown; lines: unknown[] }> {
  const thrower = "process.once('SIGUSR2', () => { throw new Error('two\\nlines'); })";
  const load = crashes ? ['--import', `data:text/javascript,${encodeURIComponent(thrower)}`] : [];
  const child = spawn(
    process.execPath,
    [...load, join(import.meta.dirname, 'main.ts'), '--kubeconfig', kubeconfig, ...args],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } },
  );
  let text = '';
  let thrown = !crashes;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      text += data.toString();
      if (!thrown && text.includes('serving /healthz')) thrown = child.kill('SIGUSR2');
    });
  const [code] = (await once(child, 'close')) as unknown[];
  const all = text.trimEnd().split('\n');
  return { code, lines: all.map((line) => JSON.parse(line) as unknown) };
}

it('a port that is taken', async () => {
  const { code, lines: log } = await lines(['--port', String(port())]);
  expect(code).toBe(1);
  expect(log.at(-1)).toMatchObject({ level: 'fatal', err: { code: 'EADDRINUSE' } });
});

it('an error that nobody catches', async () => {
  const { code, lines: log } = await lines(['--port', '0'], true);
  expect(code).toBe(1);
  expect(log.at(-1)).toMatchObject({ level: 'fatal', err: { message: 'two\nlines' } });
});
