// The fault of release 1.3.0, loaded the way its image loads it, in front of a real Fastify in a process of its own.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);

const SERVICE = `
import fastify from 'fastify';
const app = fastify();
app.post('/v1/conversations/:id/messages', (request) => ({ text: request.body.text }));
app.post('/v1/sessions', (request) => request.body);
const count = async (url) => {
  const codes = {};
  for (let n = 0; n < 40; n++) {
    const { statusCode } = await app.inject({ method: 'POST', url, payload: { text: 'hi' } });
    codes[statusCode] = (codes[statusCode] ?? 0) + 1;
  }
  return codes;
};
console.log(JSON.stringify([await count('/v1/conversations/a/messages?x=1'), await count('/v1/sessions')]));
`;

async function codes(...flags: string[]): Promise<unknown> {
  const args = [...flags, '--input-type=module', '--eval', SERVICE];
  const { stdout } = await run(process.execPath, args, { cwd: import.meta.dirname });
  return JSON.parse(stdout);
}

test('every tenth message answers 500, and nothing else does', async () => {
  const preload = `--import=${join(import.meta.dirname, 'preload.mjs')}`;
  expect(await codes(preload)).toEqual([{ 200: 36, 500: 4 }, { 200: 40 }]);
});

test('without it all is well', async () => {
  expect(await codes()).toEqual([{ 200: 40 }, { 200: 40 }]);
});
