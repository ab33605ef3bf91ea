// Chat with its secrets in a real OpenBao and its flags in a real Unleash: start, rotation, and outages of both.
import { randomBytes, randomUUID } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../test/servers/child-process.ts';
import { startOpenBao } from '../../test/servers/openbao.ts';
import type { OpenBaoServer } from '../../test/servers/openbao.ts';
import { startScriptedModel } from '../../test/servers/scripted-model.ts';
import type { ScriptedModel } from '../../test/servers/scripted-model.ts';
import { makeTestFiles, startService } from '../../test/servers/services.ts';
import type { RunningPod, TestFiles } from '../../test/servers/services.ts';
import { startUnleash } from '../../test/servers/unleash.ts';
import type { UnleashServer } from '../../test/servers/unleash.ts';
import { startValkey } from '../../test/servers/valkey.ts';
import type { ValkeyServer } from '../../test/servers/valkey.ts';
import { ask, guestToken } from './test-requests.ts';

let valkey: ValkeyServer;
let model: ScriptedModel;
let openBao: OpenBaoServer;
let unleash: UnleashServer;
let files: TestFiles;
let chat: RunningPod;
let secret: { redisPassword: string; tokenSigningKey: string; unleashToken: string };

const startChat = (waitUntilReady = true) =>
  startService(
    'chat',
    files,
    {
      VAULT_ADDR: openBao.address,
      VAULT_JWT_FILE: openBao.jwtFile,
      SECRETS_REFRESH_MS: '300',
      REDIS_URL: valkey.url,
      UNLEASH_URL: unleash.url,
      UNLEASH_REFRESH_MS: '300',
      MODEL_URL: model.url,
      LOG_LEVEL: 'info',
    },
    waitUntilReady,
  );
const newQuestion = () => `question ${randomUUID()}`;

interface Answer {
  readonly message: { offset: number } | null;
  readonly answer: { text: string; tier: string; stored: boolean };
}
async function answerOf(token: string, conversation: string, text = newQuestion(), at = chat): Promise<Answer> {
  const answer = await ask(at.url, token, conversation, { text }, 'application/json');
  if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

beforeAll(async () => {
  [valkey, model, openBao, unleash] = await Promise.all([
    startValkey(),
    startScriptedModel(),
    // A login lives three seconds here, so that renewal and a new login happen within the tests.
    startOpenBao(3),
    startUnleash(),
  ]);
  files = await makeTestFiles(valkey.password);
  secret = { ...files.secrets, unleashToken: unleash.backendToken };
  await openBao.writeSecret(secret);
  await unleash.createFlag('new-memory', 100);
  await unleash.toggle('new-memory', false);
  chat = await startChat();
});
afterAll(async () => {
  await chat.process.stop();
  await Promise.all([model.close(), valkey.remove(), openBao.remove(), unleash.remove(), files.remove()]);
});

describe('[R-314] the flag new-memory, switched in Unleash', () => {
  /** How many turns the model is given for the second message of a conversation. */
  const turnsGiven = async (at = chat) => {
    const token = await guestToken(at.url);
    const conversation = `memory-${randomUUID()}`;
    await answerOf(token, conversation, 'My name is Anna.', at);
    await answerOf(token, conversation, newQuestion(), at);
    return model.requests.at(-1)?.length;
  };

  test('off: the model sees the question alone; on: the earlier turns as well; no restart between', async () => {
    expect(await turnsGiven()).toBe(1);
    await unleash.toggle('new-memory', true);
    await eventually('the flag is seen', async () => (await turnsGiven()) === 3);
    expect(model.requests.at(-1)?.[0]).toEqual({ role: 'user', content: 'My name is Anna.' });
  });

  test('[R-320] Unleash down: running and newly started pods go on with the last known flags', async () => {
    await unleash.down();
    expect(await turnsGiven()).toBe(3);
    const late = await startChat();
    expect(await turnsGiven(late)).toBe(3);
    expect((await late.readiness()).status).toBe(200);
    await late.process.stop();
    await unleash.up();
    await unleash.toggle('new-memory', false);
    await eventually('the change is seen', async () => (await turnsGiven()) === 1, 30_000);
  }, 120_000);
});

describe('secrets from OpenBao', () => {
  test('the password of Redis is changed without a restart and without a failed request', async () => {
    const token = await guestToken(chat.url);
    expect((await answerOf(token, 'rotate')).answer.stored).toBe(true);
    const client = valkey.client();
    await client.config('SET', 'requirepass', 'another-password');
    // Drops all connections: they come back with the password of the moment.
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    for (let i = 0; i < 5; i += 1) expect((await answerOf(token, 'rotate')).answer.tier).toBe('model');
    await openBao.writeSecret({ ...secret, redisPassword: 'another-password' });
    await eventually('stored again', async () => (await answerOf(token, 'rotate')).answer.stored);
    await client.config('SET', 'requirepass', valkey.password);
    client.disconnect();
    await openBao.writeSecret(secret);
    await eventually('stored again', async () => (await answerOf(token, 'rotate')).answer.stored);
  }, 60_000);

  test('the signing key is changed: old tokens stay good, new ones have a new kid', async () => {
    const before = await guestToken(chat.url);
    const next = randomBytes(32).toString('base64');
    await openBao.writeSecret({ ...secret, tokenSigningKey: next });
    const kidOf = (token: string) => decodeProtectedHeader(token).kid;
    await eventually('tokens are signed with the new key', async () => {
      return kidOf(await guestToken(chat.url)) !== kidOf(before);
    });
    await answerOf(before, 'old-token');
    await answerOf(await guestToken(chat.url), 'new-token');
    secret = { ...secret, tokenSigningKey: next };
  });

  test('a login is renewed, and made anew when it was revoked or cannot be renewed any more', async () => {
    const kidOf = (token: string) => decodeProtectedHeader(token).kid;
    /** A change of the secret reaches chat only by a valid login. */
    const changeArrives = async () => {
      const before = kidOf(await guestToken(chat.url));
      secret = { ...secret, tokenSigningKey: randomBytes(32).toString('base64') };
      await openBao.writeSecret(secret);
      await eventually('the change has arrived', async () => kidOf(await guestToken(chat.url)) !== before);
    };
    await openBao.revokeLogins();
    await changeArrives();
    // Past the life of a login: what still works was renewed.
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await changeArrives();
    expect((await chat.readiness()).body.dependencies.secrets).toEqual({ ok: true, required: true });
  });

  test('OpenBao down: running pods go on, a new pod waits unready and says why, and becomes ready by itself', async () => {
    const token = await guestToken(chat.url);
    await openBao.down();
    await eventually('the outage is noticed', async () => {
      return 'detail' in ((await chat.readiness()).body.dependencies.secrets ?? {});
    });
    expect((await answerOf(token, 'outage')).answer).toMatchObject({ tier: 'model', stored: true });
    expect((await chat.readiness()).status).toBe(200);

    const late = await startChat(false);
    await eventually('it says why', () => late.process.output().includes('secrets could not be read'));
    expect((await late.readiness()).status).toBe(503);
    expect(late.process.output()).toContain('the pod stays unready until it works');
    const refused = await fetch(`${late.url}/v1/sessions`, { method: 'POST' });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'not_ready', retryable: true });
    await openBao.up();
    await eventually('ready', async () => (await late.readiness()).status === 200, 20_000);
    await late.process.stop();
  }, 60_000);
});
