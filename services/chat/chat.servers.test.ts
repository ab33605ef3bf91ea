// The chat service against a real Valkey: answers, repetition, cache, and what is left when something is taken away.
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually, freePort } from '../../test/servers/child-process.ts';
import { startScriptedModel } from '../../test/servers/scripted-model.ts';
import type { ScriptedModel } from '../../test/servers/scripted-model.ts';
import { makeTestFiles, startService } from '../../test/servers/services.ts';
import type { RunningPod, TestFiles } from '../../test/servers/services.ts';
import { startValkey } from '../../test/servers/valkey.ts';
import type { ValkeyServer } from '../../test/servers/valkey.ts';
import { bucketOf } from '../kit/bucket.ts';
import { createConversationLog } from '../kit/conversation/log.ts';
import { createMetrics } from '../kit/metrics.ts';
import { createGuard } from '../kit/resilience.ts';
import { ask, guestToken, readEvents } from './test-requests.ts';
import type { ServerSentEvent } from './test-requests.ts';

let valkey: ValkeyServer;
let model: ScriptedModel;
let files: TestFiles;
let chat: RunningPod;
let token: string;
const quickModel = { tokens: ['You ', 'asked: ', '{question}'], everyMs: 0 };
const newQuestion = () => `question ${randomUUID()}`;

beforeAll(async () => {
  valkey = await startValkey();
  model = await startScriptedModel();
  files = await makeTestFiles(valkey.password);
  chat = await startService('chat', files, environment());
  token = await guestToken(chat.url);
});
afterAll(async () => {
  await chat.process.stop();
  await model.close();
  await valkey.remove();
  await files.remove();
});
afterEach(() => {
  model.script = quickModel;
});

const environment = () => ({
  SECRETS_FILE: files.secretsFile,
  REDIS_URL: valkey.url,
  MODEL_URL: model.url,
  MODEL_FIRST_CHUNK_TIMEOUT_MS: '500',
  MODEL_CHUNK_TIMEOUT_MS: '500',
  MODEL_BREAKER_OPEN_MS: '300',
  REDIS_COMMAND_TIMEOUT_MS: '300',
});

describe('answers', () => {
  test('streams meta, tokens and done, each with its place in the log', async () => {
    const question = newQuestion();
    const answer = await ask(chat.url, token, 'stream-1', { text: question });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    expect(answer.headers.get('x-assistant-revision')).toBe('test1');
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]+$/);
    const events = await readEvents(answer);
    expect(events[0]?.event).toBe('meta');
    expect(events.at(-1)).toMatchObject({
      event: 'done',
      data: { tier: 'model', degraded: false, outcome: 'complete' },
    });
    const text = events.filter(({ event }) => event === 'token').map(({ data }) => data.text);
    expect(text.join('')).toBe(`You asked: ${question}`);
    const offsets = events.map(({ id }) => Number(id?.split(':')[1]));
    expect(offsets).toEqual(offsets.map((_, index) => (offsets[0] ?? 0) + index));
  });

  test('[R-060] an equal question is answered from the cache, without a model call', async () => {
    const text = newQuestion();
    const first = await ask(chat.url, token, 'cache-1', { text }, 'application/json');
    const calls = model.requests.length;
    const second = await ask(chat.url, token, 'cache-2', { text: `  ${text.toUpperCase()} ` }, 'application/json');
    const [one, two] = [(await first.json()) as Answer, (await second.json()) as Answer];
    expect(one.answer).toMatchObject({ tier: 'model', stored: true });
    expect(two.answer).toMatchObject({ tier: 'cache', text: one.answer.text, degraded: false, stored: true });
    expect(model.requests.length).toBe(calls);
  });

  test('an entry of the cache that another revision wrote otherwise is no entry', async () => {
    const text = newQuestion();
    const client = valkey.client();
    const known = new Set(await client.keys('answer:*'));
    await ask(chat.url, token, 'drift-1', { text }, 'application/json');
    const [entry = ''] = (await client.keys('answer:*')).filter((key) => !known.has(key));
    expect(await client.hdel(entry, 'taskType')).toBe(1);
    client.disconnect();
    const answer = await ask(chat.url, token, 'drift-2', { text }, 'application/json');
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as Answer).answer).toMatchObject({ tier: 'model', text: `You asked: ${text}` });
  });

  test('[R-078] equal questions at the same time share one model call', async () => {
    model.script = { ...quickModel, everyMs: 100 };
    const text = newQuestion();
    const calls = model.requests.length;
    const answers = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const answer = await ask(chat.url, token, `shared-${i}`, { text }, 'application/json');
        return (await answer.json()) as Answer;
      }),
    );
    expect(new Set(answers.map(({ answer }) => answer.text))).toEqual(new Set([`You asked: ${text}`]));
    expect(model.requests.length - calls).toBe(1);
  });

  test('a message sent again with its client id is stored once and gets the same answer', async () => {
    const clientId = randomUUID();
    const body = { text: newQuestion(), clientId };
    const first = (await (await ask(chat.url, token, 'repeat', body, 'application/json')).json()) as Answer;
    const again = (await (await ask(chat.url, token, 'repeat', body, 'application/json')).json()) as Answer;
    expect(again).toEqual({ ...first, duplicate: true });
    const client = valkey.client();
    const entries = await client.xrange('{c:repeat}:log', '-', '+');
    client.disconnect();
    expect(entries.filter(([, fields]) => fields[1] === 'message')).toHaveLength(1);
  });

  test('a message sent again is answered with the text as a stream, too', async () => {
    const body = { text: newQuestion(), clientId: randomUUID() };
    const first = await readEvents(await ask(chat.url, token, 'repeat-stream', body));
    const again = await readEvents(await ask(chat.url, token, 'repeat-stream', body));
    expect(textOf(again)).toBe(textOf(first));
    expect(again[0]).toMatchObject({ event: 'meta', data: { duplicate: true, answerId: first[0]?.data.answerId } });
    expect(again.at(-1)).toEqual(first.at(-1));
  });

  test('a repetition while the answer is being made is told to come back', async () => {
    model.script = { ...quickModel, everyMs: 150 };
    const body = { text: newQuestion(), clientId: randomUUID() };
    const first = ask(chat.url, token, 'busy', body, 'application/json');
    await eventually('the first request is under way', async () => (await chat.sessions()).busy === 1);
    const again = await ask(chat.url, token, 'busy', body, 'application/json');
    expect(again.status).toBe(409);
    expect(again.headers.get('retry-after')).toBe('1');
    expect(await again.json()).toMatchObject({ code: 'in_progress', retryable: true });
    expect((await first).status).toBe(200);
  });

  test('the bucket of the conversation is in header and cookie', async () => {
    const answer = await ask(chat.url, token, 'bucket-me', { text: 'hello' });
    const bucket = String(bucketOf('bucket-me'));
    expect(answer.headers.get('x-assistant-bucket')).toBe(bucket);
    expect(answer.headers.get('set-cookie')).toContain(`x-assistant-bucket=${bucket};`);
    await answer.body?.cancel();
  });
});

describe('a client that leaves, and one that asks again', () => {
  // Nothing here is about time: a machine under load must not turn an answer into another tier's.
  const patience = {
    MODEL_FIRST_CHUNK_TIMEOUT_MS: '8000',
    MODEL_CHUNK_TIMEOUT_MS: '8000',
    REDIS_COMMAND_TIMEOUT_MS: '8000',
  };
  let patient: RunningPod;
  beforeAll(async () => {
    patient = await startService('chat', files, { ...environment(), ...patience });
  });
  afterAll(() => patient.process.stop());

  test('stops the model call', async () => {
    model.script = { tokens: Array.from({ length: 100 }, () => 'x '), everyMs: 50 };
    const gone = new AbortController();
    const before = model.hangUps();
    const answer = await ask(patient.url, token, 'leaver', { text: newQuestion() }, undefined, gone.signal);
    const reader = answer.body?.getReader();
    await reader?.read();
    gone.abort();
    await eventually('the model call is cancelled', () => model.hangUps() === before + 1);
    await eventually('the request has ended', async () => (await patient.sessions()).open === 0);
  });

  test('whose network broke in the middle of an answer gets the whole one when the message is sent again', async () => {
    model.script = { tokens: ['one ', 'two ', 'three '], everyMs: 200 };
    const body = { text: newQuestion(), clientId: randomUUID() };
    const cut = new AbortController();
    const answer = await ask(patient.url, token, 'broken-off', body, undefined, cut.signal);
    const reader = answer.body?.getReader();
    let seen = '';
    const read = async () => Buffer.from((await reader?.read())?.value as Uint8Array).toString();
    while (!seen.includes('one ')) seen += await read();
    cut.abort();
    const again = await eventually('the first request has ended', async () => {
      const repeated = await ask(patient.url, token, 'broken-off', body);
      return repeated.status === 200 && repeated;
    });
    const events = await readEvents(again);
    expect(textOf(events)).toBe('one two three ');
    expect(events.at(-1)?.data).toMatchObject({ tier: 'model', outcome: 'complete', stored: true });
    // It stays the answer.
    expect(textOf(await readEvents(await ask(patient.url, token, 'broken-off', body)))).toBe('one two three ');
  });

  test('the answer to a message that is sent again is found behind all that others have said meanwhile', async () => {
    model.script = { tokens: ['one ', 'two ', 'three '], everyMs: 400 };
    const body = { text: newQuestion(), clientId: randomUUID() };
    const first = ask(patient.url, token, 'crowd', body, 'application/json');
    await eventually('the answer is under way', async () => (await patient.sessions()).busy === 1);
    const client = valkey.client();
    const metrics = createMetrics({ component: 'test', revision: 'r' }, false);
    const log = createConversationLog(client, createGuard({ dependency: 'redis', metrics }));
    const talk = Array.from({ length: 600 }, (_, n) => ({ clientId: `m${n}`, user: 'others', text: 'x', at: 0 }));
    await Promise.all(talk.map((message) => log.appendMessage('crowd', message, randomUUID())));
    client.disconnect();
    const { answer } = (await (await first).json()) as Answer;
    expect(answer).toMatchObject({ text: 'one two three ', stored: true });
    const again = await ask(patient.url, token, 'crowd', body, 'application/json');
    expect(((await again.json()) as Answer).answer).toEqual(answer);
  });
});

describe('refusals are problem details with stable codes', () => {
  const send = (headers: Record<string, string>, body: string, path = '/v1/conversations/c/messages') =>
    fetch(`${chat.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
  const cases: [string, () => Promise<Response>, number, string][] = [
    ['no token', () => send({}, '{"text":"x"}'), 401, 'unauthorized'],
    [
      'forged token',
      () => send({ authorization: `Bearer ${token.slice(0, -4)}AAAA` }, '{"text":"x"}'),
      401,
      'unauthorized',
    ],
    ['empty text', () => send(bearer(), '{"text":"  "}'), 422, 'invalid_input'],
    ['text too long', () => send(bearer(), JSON.stringify({ text: 'x'.repeat(4001) })), 422, 'invalid_input'],
    ['lone surrogate', () => send(bearer(), '{"text":"\\ud800"}'), 422, 'invalid_input'],
    ['control character', () => send(bearer(), '{"text":"a\\u0000b"}'), 422, 'invalid_input'],
    [
      'bad conversation id',
      () => send(bearer(), '{"text":"x"}', '/v1/conversations/a.b/messages'),
      422,
      'invalid_input',
    ],
    ['broken JSON', () => send(bearer(), '{"text":'), 400, 'bad_request'],
    ['body too large', () => send(bearer(), JSON.stringify({ text: 'x'.repeat(70_000) })), 413, 'payload_too_large'],
    ['not JSON', () => send({ ...bearer(), 'content-type': 'text/csv' }, 'x'), 415, 'unsupported_media_type'],
    ['unknown path', () => send(bearer(), '{}', '/v1/nothing'), 404, 'not_found'],
  ];
  const bearer = () => ({ authorization: `Bearer ${token}` });

  test.each(cases)('%s', async (_name, request, status, code) => {
    const answer = await request();
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.headers.get('x-assistant-revision')).toBe('test1');
    expect(await answer.json()).toMatchObject({ code, status, requestId: answer.headers.get('x-request-id') });
  });

  test('the message is in the language that is asked for', async () => {
    const answer = await send({ 'accept-language': 'ru-RU,ru;q=0.9' }, '{"text":"x"}');
    expect(((await answer.json()) as { title: string }).title).toMatch(/токен/);
    expect(answer.headers.get('content-language')).toBe('ru');
  });
});

describe('what is left when a dependency is gone', () => {
  test('[R-081] model gone: the rules answer, marked degraded, and the model is used again when it is back', async () => {
    model.script = { ...quickModel, status: 500 };
    for (let i = 0; i < 6; i += 1) {
      const answer = (await (
        await ask(chat.url, token, 'm', { text: newQuestion() }, 'application/json')
      ).json()) as Answer;
      expect(answer.answer).toMatchObject({ tier: 'rules', degraded: true, outcome: 'complete' });
    }
    expect((await chat.readiness()).body.dependencies.model?.ok).toBe(false);
    expect((await chat.readiness()).status).toBe(200);
    model.script = quickModel;
    await eventually('the model answers again', async () => {
      const answer = await ask(chat.url, token, 'm', { text: newQuestion() }, 'application/json');
      return ((await answer.json()) as Answer).answer.tier === 'model';
    });
  });

  test('model breaks off in mid-stream: what was sent stays, one sentence says so', async () => {
    model.script = { tokens: ['one ', 'two ', 'three ', 'four '], everyMs: 60, breakAfter: 2 };
    const events = await readEvents(await ask(chat.url, token, 'mid', { text: newQuestion() }));
    const text = events.filter(({ event }) => event === 'token').map(({ data }) => data.text);
    expect(text.join('')).toBe(
      'one two \n\n[The model stopped in the middle of this answer. Ask again for a complete one.]',
    );
    expect(events.at(-1)?.data).toMatchObject({ tier: 'rules', degraded: true, outcome: 'failover' });
  });

  test('model falls silent in mid-stream: the same, after the limit for silence', async () => {
    model.script = { tokens: ['one ', 'two '], everyMs: 10, silentAfter: 1 };
    const startedAt = performance.now();
    const events = await readEvents(await ask(chat.url, token, 'mid', { text: newQuestion() }));
    expect(events.at(-1)?.data).toMatchObject({ tier: 'rules', degraded: true, outcome: 'failover' });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  test('[R-070] [R-107] Redis gone, hung, and back: always an answer, never waited for, used again by itself', async () => {
    const stored = async () => {
      const startedAt = performance.now();
      const answer = await ask(chat.url, token, 'redis', { text: newQuestion() }, 'application/json');
      const ms = performance.now() - startedAt;
      expect(answer.status).toBe(200);
      const { answer: given, message } = (await answer.json()) as Answer;
      expect(given.tier).toBe('model');
      return { stored: given.stored && message !== null, ms };
    };
    expect((await stored()).stored).toBe(true);
    await valkey.down();
    for (let i = 0; i < 3; i += 1) expect((await stored()).stored).toBe(false);
    expect((await chat.readiness()).status).toBe(200);
    await valkey.up();
    await eventually('Redis is used again', async () => (await stored()).stored);

    valkey.process().freeze();
    const hung = await Promise.all([stored(), stored(), stored()]);
    valkey.process().thaw();
    for (const answer of hung) expect(answer.ms).toBeLessThan(3_000);
    await eventually('Redis is used again', async () => (await stored()).stored);
  });
});

describe('a pod that starts while something is gone', () => {
  test('without Redis it is ready and answers', async () => {
    const nowhere = `redis://127.0.0.1:${await freePort()}`;
    const pod = await startService('chat', files, { ...environment(), REDIS_URL: nowhere });
    expect((await pod.readiness()).body.dependencies.redis).toMatchObject({ ok: false });
    const answer = await ask(pod.url, token, 'alone', { text: newQuestion() }, 'application/json');
    expect(await answer.json()).toMatchObject({ message: null, answer: { tier: 'model', stored: false } });
    await pod.process.stop();
  });

  test('[R-321] without its settings it does not start, and one message lists them all', async () => {
    const bad = { PORT: 'x', REDIS_URL: 'nonsense', MODEL_URL: 'nonsense' };
    const starting = startService('chat', files, bad);
    await expect(starting).rejects.toThrow(
      /The environment has 3 problem\(s\):\n {2}PORT .*\n {2}REDIS_URL .*\n {2}MODEL_URL /,
    );
  });
});

test('the trace of the caller goes on through chat to the model, and its spans reach a collector', async () => {
  const bodies: string[] = [];
  const collector = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => (body += bytes.toString()));
    request.on('end', () => {
      bodies.push(`${request.url ?? ''} ${body}`);
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const { port } = collector.address() as AddressInfo;
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
  const pod = await startService('chat', files, { ...environment(), ...endpoint });
  const traceId = randomBytes(16).toString('hex');
  const answer = await fetch(`${pod.url}/v1/conversations/traced/messages`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
    },
    body: JSON.stringify({ text: newQuestion() }),
  });
  await readEvents(answer);
  expect(model.headers.at(-1)?.traceparent).toContain(traceId);
  await pod.process.stop();
  collector.close();
  expect(bodies.every((body) => body.startsWith('/v1/traces '))).toBe(true);
  const spans = [...bodies.join('').matchAll(/"traceId":"(\w+)"[^{}]*?"name":"([^"]+)"/g)];
  const ours = new Set(spans.filter(([, id]) => id === traceId).map(([, , name]) => name));
  expect(ours).toEqual(new Set(['POST /v1/conversations/:id/messages', 'redis append', 'answer']));
  // Its lines in the log carry the same id.
  expect(pod.process.output()).toMatch(new RegExp(`"traceId":"${traceId}".*"msg":"request"`));
});

describe('the end of a pod', () => {
  test('[R-306] SIGTERM: unready at once, requests under way are finished, exit without an error', async () => {
    model.script = { ...quickModel, everyMs: 200 };
    const pod = await startService('chat', files, { ...environment(), SHUTDOWN_DELAY_MS: '300' });
    const slow = ask(pod.url, token, 'term', { text: newQuestion() });
    await eventually('the request is under way', async () => (await pod.sessions()).busy === 1);
    const stopped = pod.process.stop();
    await eventually('unready', async () => (await pod.readiness()).status === 503);
    // Gateways still send for a moment: that is answered too.
    expect((await ask(pod.url, token, 'term2', { text: 'hi' })).status).toBe(200);
    const events = await readEvents(await slow);
    expect(events.at(-1)).toMatchObject({ event: 'done', data: { outcome: 'complete' } });
    await stopped;
    expect(pod.process.output()).toContain('"msg":"stopped"');
  });

  test('drain needs the admin token, takes the pod out of its Service, and is idempotent', async () => {
    const pod = await startService('chat', files, environment());
    expect((await fetch(`${pod.adminUrl}/drain`, { method: 'POST' })).status).toBe(401);
    expect((await pod.readiness()).status).toBe(200);
    expect(await (await pod.drain({ deadlineSeconds: 5, closePerSecond: 10 })).json()).toMatchObject({
      draining: true,
    });
    expect((await pod.drain({ deadlineSeconds: 5, closePerSecond: 10 })).status).toBe(200);
    expect((await pod.drain({ deadlineSeconds: -1 })).status).toBe(422);
    expect((await pod.readiness()).status).toBe(503);
    expect((await ask(pod.url, token, 'late', { text: 'hi' })).status).toBe(200);
    expect(await pod.metrics()).toMatch(/assistant_drain_seconds_count\{[^}]*outcome="completed"[^}]*\} 1/);
    await pod.process.stop();
  });
});

test('[R-248] metrics carry the names of the contract, with component and revision', async () => {
  const text = await chat.metrics();
  for (const name of [
    'http_server_request_duration_seconds_count',
    'gen_ai_client_operation_duration_seconds_count',
    'gen_ai_client_time_to_first_chunk_seconds_count',
    'gen_ai_client_tokens_total',
    'assistant_answers_total',
    'assistant_answer_cost_usd_total',
  ]) {
    expect(text).toMatch(new RegExp(`^${name}\\{.*component="chat".*revision="test1".*\\} [0-9.e+]+$`, 'm'));
  }
});

const textOf = (events: readonly ServerSentEvent[]) =>
  events.flatMap(({ event, data }) => (event === 'token' ? [data.text] : [])).join('');

interface Answer {
  readonly message: { epoch: string; offset: number } | null;
  readonly answer: { text: string; tier: string; degraded: boolean; outcome: string; stored: boolean };
}
