// What goes wrong around the assistant, caused for real: a release without an image, and each dependency taken away.
import { afterEach, describe, expect, inject, it } from 'vitest';
import { connectRealtime } from '../realtime-client/client.ts';
import { settled } from '../demo/releases.ts';
import { ask, demo, eventually, guest, kubectl } from './access.ts';

/** Takes a Deployment or StatefulSet away, and gives it back after the test. */
const takenAway: { kind: string; name: string; namespace: string }[] = [];

async function takeAway(kind: string, name: string, namespace: string): Promise<void> {
  takenAway.push({ kind, name, namespace });
  await kubectl('scale', kind, name, '-n', namespace, '--replicas=0');
  await kubectl(
    'wait',
    '--for=delete',
    'pod',
    '-n',
    namespace,
    '-l',
    `app.kubernetes.io/name=${name}`,
    '--timeout=90s',
  );
}

async function giveBack(): Promise<void> {
  for (const { kind, name, namespace } of takenAway.splice(0)) {
    await kubectl('scale', kind, name, '-n', namespace, '--replicas=1');
    await kubectl('rollout', 'status', kind, name, '-n', namespace, '--timeout=120s');
  }
}

async function kindOf(name: string, namespace: string): Promise<string> {
  const found = await kubectl('get', 'deployments,statefulsets', '-n', namespace, '-o', 'name');
  const line = found.split('\n').find((each) => each.endsWith(`/${name}`));
  if (line === undefined) throw new Error(`no Deployment or StatefulSet ${name} in ${namespace}: ${found}`);
  return line.startsWith('statefulset') ? 'statefulset' : 'deployment';
}

describe('a release whose image does not exist', () => {
  it('holds with the reason, and the stable release goes on answering', async () => {
    const releases = demo();
    const before = await releases.read();
    const stable = before.status?.stableRevision?.hash;
    const chat = before.spec.components['chat'];
    if (chat === undefined) throw new Error('the demo has no chat component');
    await releases.edit({
      release: '9.9.9',
      components: { chat: { image: chat.image.replace(/:[^:/]+$/, ':9.9.9') } },
    });
    const held = await releases.until(
      ({ status }) => (status?.blockedBy ?? []).some((wait) => /Image|ErrImage/.test(`${wait.reason} ${wait.message}`)),
      { timeoutMs: 120_000, what: 'the reason why it waits' },
    );
    expect(held.status?.weight?.routed ?? 0).toBe(0);
    expect(held.status?.blockedBy?.[0]?.since).toBeTruthy();
    const token = await guest();
    for (let n = 0; n < 20; n++) {
      const answer = await ask(token, 'Where is my order?');
      expect(answer.status).toBe(200);
      expect(answer.revision).toBe(stable);
    }
    const restored = await releases.edit({ release: before.spec.release, components: { chat: { image: chat.image } } });
    await releases.until(settled(restored), { timeoutMs: 180_000, what: 'back on the stable spec' });
  });
});

describe('a dependency is taken away', () => {
  afterEach(giveBack);

  it.each([
    ['unleash', 'platform'],
    ['openbao', 'platform'],
  ])('[R-105] without %s answers go on as before', async (name, namespace) => {
    const token = await guest();
    await takeAway(await kindOf(name, namespace), name, namespace);
    const answer = await ask(token, 'Where is my order?');
    expect(answer).toMatchObject({ status: 200, stored: true });
  });

  it('[R-070, R-105] without Redis chat still answers and says that nothing was stored', async () => {
    const token = await guest();
    await takeAway(await kindOf('redis', 'data'), 'redis', 'data');
    await eventually('an answer without storage', 30, async () => {
      const answer = await ask(token, 'Where is my order?');
      return answer.status === 200 && !answer.stored;
    });
    await giveBack();
    await eventually('answers are stored again', 60, async () => (await ask(token, 'Where is my order?')).stored);
  });

  it('[R-080, R-081] without the model the rules answer, marked as such', async () => {
    const token = await guest();
    await takeAway(await kindOf('model', 'assistants'), 'model', 'assistants');
    await eventually('an answer of the rules', 30, async () => {
      const answer = await ask(token, `Something new ${Date.now()}?`);
      return answer.status === 200 && answer.tier === 'rules';
    });
  });

  it('[R-121] a restart of Redis with its data loses nothing that was acknowledged', async () => {
    const conversation = `e2e-redis-${Date.now()}`;
    const url = `${inject('where').gateway.replace(/^http/, 'ws')}/ws`;
    const client = connectRealtime({ url, token: guest, conversation });
    await client.joined;
    for (let n = 0; n < 10; n++) await client.send(`before ${n}`, { maxTokens: 4 });
    await takeAway(await kindOf('redis', 'data'), 'redis', 'data');
    // Sent while Redis is away: acknowledged when it is back.
    const during = Promise.all(Array.from({ length: 5 }, (_, n) => client.send(`during ${n}`, { maxTokens: 4 })));
    await giveBack();
    await during;
    const last = await client.send('after', { maxTokens: 4 });
    await client.answerTo(last.offset);
    const counts = client.counts();
    await client.close();
    expect(counts).toMatchObject({ sent: 16, acked: 16, lost: 0, duplicated: 0, notRecovered: 0 });
  });
});
