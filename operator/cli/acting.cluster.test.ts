// The commands that move a release, against a real API server. The operator does not run here: what is written is what counts.
import { randomUUID } from 'node:crypto';
import { LABELS, VERBS, withDefaults, type AssistantDeploymentSpec } from '@assistant-platform/api';
import { targetOf } from '@assistant-platform/operator/rollout';
import { describe, expect, test } from 'vitest';
import {
  at,
  command,
  create,
  kubeconfig,
  folder,
  kubectl,
  namespace,
  ownNamespaces,
  place,
  read,
  scene,
} from './testing/cluster.ts';
import { Assistants } from './assistants.ts';
import { readReferences } from './references.ts';
import { openSession } from './session.ts';
import { misdirected } from './testing/kubeconfigs.ts';

ownNamespaces();

const unique = (what: string): string => `${what}-${randomUUID().slice(0, 6)}`;

/** Leaves a record as the operator does. */
async function remember(
  name: string,
  hash: string,
  release: string,
  sequence: number,
  image: string,
  components: AssistantDeploymentSpec['components'] = {
    chat: { image, replicas: 1 },
    realtime: { image: 'localhost/assistant/realtime:1.1.0', replicas: 1 },
  },
  references: Readonly<Record<string, string | null>> = {},
): Promise<void> {
  await create({
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: { name: `${name}-${hash}`, labels: { [LABELS.name]: name, [LABELS.revision]: hash } },
    revision: sequence,
    data: { hash, release, components: {}, references, source: { release, components } },
  });
}

describe('[R-298] retry and restart', () => {
  test('retry of an aborted rollout writes its annotation', async () => {
    await place('again', 'aborted');
    const ran = await command(['retry', 'again', ...at]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('release 1.1.0 begins again at its first step');
    expect((await read('again')).metadata.annotations).toMatchObject({ [VERBS.retry]: '' });
  });

  test('restart writes the time', async () => {
    await place('fresh', 'healthy');
    const before = Date.now();
    const ran = await command(['restart', 'fresh', ...at]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    const time = Date.parse((await read('fresh')).metadata.annotations?.[VERBS.restart] ?? '');
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  });

  test.each([
    ['retry', 'healthy', 'no rollout is aborted, release 1.0.0 is stable'],
    ['retry', 'canary-paused', 'no rollout is aborted, release 1.0.0 is being replaced'],
    ['restart', 'canary-paused', 'release 1.1.0 is being rolled out, its pods are new'],
    ['restart', 'aborted', 'kubectl assistant retry'],
    ['restart', 'no-status', 'is being rolled out'],
  ])('%s of one that is %s is refused', async (verb, title, words) => {
    const name = unique('no');
    await place(name, title);
    const ran = await command([verb, name, ...at]);
    expect(ran).toMatchObject({ code: 3, out: '' });
    expect(ran.err).toContain(words);
    expect((await read(name)).metadata.annotations).toBeUndefined();
  });
});

describe('[R-298] pause and resume', () => {
  test('hold a rollout and let it go on', async () => {
    await place('held', 'canary-analysis');
    const paused = await command(['pause', 'held', ...at]);
    expect(paused).toMatchObject({ code: 0, err: '' });
    expect(paused.out).toContain('release 1.1.0 is held at 10 %; kubectl assistant resume held goes on');
    const object = await read('held');
    expect(object.spec.paused).toBe(true);
    // Nothing else is touched.
    expect({ ...object.spec, paused: false }).toMatchObject(scene('canary-analysis').spec);
    expect((await command(['pause', 'held', ...at])).err).toContain('held is paused already');
    expect((await command(['promote', 'held', ...at])).err).toContain(
      'nothing moves until kubectl assistant resume held',
    );

    expect(await command(['resume', 'held', ...at])).toMatchObject({ code: 0 });
    expect((await read('held')).spec.paused).toBe(false);
    const again = await command(['resume', 'held', ...at]);
    expect(again.code).toBe(3);
    expect(again.err).toContain('held is not paused');
  });

  test('resume does not pass a pause of the strategy, and says what does', async () => {
    await place('gate', 'canary-paused');
    const ran = await command(['resume', 'gate', ...at]);
    expect(ran.code).toBe(3);
    expect(ran.err).toMatch(
      /it waits at a step of its strategy \(pause until promoted\); kubectl assistant promote gate/,
    );
  });
});

describe('[R-298] undo', () => {
  test('in mid-rollout writes the stable release back and leaves the number of pods alone', async () => {
    await place('back', 'canary-analysis', {
      spec: {
        components: {
          chat: { image: 'localhost/assistant/chat:1.1.0', replicas: 7 },
          realtime: { image: 'localhost/assistant/realtime:1.1.0', replicas: 2 },
        },
      },
    });
    await remember('back', '6c9f7d', '1.0.0', 1, 'localhost/assistant/chat:1.0.0');
    await remember('back', '8d1b2a', '1.1.0', 2, 'localhost/assistant/chat:1.1.0');

    const dry = await command(['undo', 'back', '--dry-run', ...at]);
    expect(dry).toMatchObject({ code: 0, err: '' });
    expect(
      dry.out,
    ).toBe(`back would go back to release 1.0.0 (6c9f7d; release 1.1.0 is not stable yet); all traffic returns in one change of the route; nothing was written:
  spec.components.chat.image localhost/assistant/chat:1.1.0 → localhost/assistant/chat:1.0.0
  spec.release 1.1.0 → 1.0.0
`);
    expect((await read('back')).spec.release).toBe('1.1.0');

    const ran = await command(['undo', 'back', ...at]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('all traffic returns in one change of the route');
    const { spec } = await read('back');
    expect(spec.release).toBe('1.0.0');
    expect(spec.components['chat']).toMatchObject({ image: 'localhost/assistant/chat:1.0.0', replicas: 7 });
    expect(spec.components['realtime']?.replicas).toBe(2);
    expect((await command(['undo', 'back', ...at])).err).toContain('asks for release 1.0.0 (6c9f7d) already');
  });

  test('at rest goes to the one before, or to the one that is named', async () => {
    const ended = { startedAt: '2026-11-21T08:00:00Z', finishedAt: '2026-11-21T09:00:00Z' };
    await place('earlier', 'healthy', {
      spec: { strategy: { ...scene('healthy').spec.strategy, rollbackWindow: { revisions: 1 } } },
      status: {
        history: [
          { hash: '6c9f7d', release: '1.0.0', outcome: 'Promoted', ...ended },
          { hash: '51aa0e', release: '0.9.0', outcome: 'Promoted', ...ended },
        ],
      },
    });
    await remember('earlier', '51aa0e', '0.9.0', 1, 'localhost/assistant/chat:0.9.0');
    await remember('earlier', '4400aa', '0.8.0', 2, 'localhost/assistant/chat:0.8.0');
    const dry = await command(['undo', 'earlier', '--dry-run', ...at]);
    expect(dry.out).toContain('back to release 0.9.0 (51aa0e; the last one before the stable one)');
    const ran = await command(['undo', 'earlier', '--to', '4400', ...at]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('step by step, as its strategy says');
    expect((await read('earlier')).spec.components['chat']?.image).toBe('localhost/assistant/chat:0.8.0');
    expect((await command(['undo', 'earlier', '--to', '0.9.0', ...at])).out).toContain('within the rollbackWindow');
    expect((await command(['undo', 'earlier', '--to', 'beef', ...at])).err).toMatch(
      /no revision "beef".*51aa0e \(0.9.0\)/,
    );
  });

  test('asks for the contents, too, and says so when the ConfigMaps of the release hold other data by now', async () => {
    const name = 'configured';
    await create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'prompts' }, data: { greeting: 'hello' } });
    const componentsOf = (tag: string): AssistantDeploymentSpec['components'] => ({
      chat: { image: `localhost/assistant/chat:${tag}`, envFrom: [{ configMapRef: { name: 'prompts' } }] },
    });
    await place(name, 'healthy', { spec: { release: '2', components: componentsOf('2') } });
    const { session } = new Assistants(openSession({ kubeconfig, namespace, env: {} }));
    const references = (await readReferences(session, [(await read(name)).spec])) ?? {};
    expect(Object.keys(references)).toEqual(['ConfigMap/prompts']);
    const then = withDefaults({ ...(await read(name)).spec, components: componentsOf('1') });
    const { plain: hash } = targetOf(then, references);
    await remember(name, hash, '1', 1, '', componentsOf('1'), references);
    const undo = ['undo', name, '--to', hash, ...at];
    expect((await command([...undo, '--dry-run'])).out).toContain('step by step, as its strategy says');
    const patch = '{"data":{"greeting":"good day"}}';
    await kubectl('patch', 'configmap', 'prompts', '-n', namespace, '--type=merge', '-p', patch);
    const ran = await command(undo);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toContain('ConfigMap/prompts holds other data now, its pods read what they read then');
    expect((await read(name)).metadata.annotations).toMatchObject({ [VERBS.undo]: hash });
    // Of a record that this version would name otherwise it cannot be told.
    await remember('named-otherwise', '51aa0e', '1', 1, '', componentsOf('1'), references);
    await place('named-otherwise', 'healthy', { spec: { release: '2', components: componentsOf('2') } });
    const other = await command(['undo', 'named-otherwise', '--to', '51aa0e', '--dry-run', ...at]);
    expect(other.out).toContain('so that it becomes a new revision, step by step');
  });

  test('says so when the record is gone', async () => {
    await place('forgotten', 'canary-analysis');
    const ran = await command(['undo', 'forgotten', ...at]);
    expect(ran).toMatchObject({ code: 3, out: '' });
    expect(ran.err).toContain('the record of revision 6c9f7d is gone (spec.revisionHistoryLimit is 5)');
  });

  test('does not write over what somebody wrote at the same moment', async () => {
    await place('raced', 'canary-analysis');
    const before = await read('raced');
    expect(await command(['pause', 'raced', ...at])).toMatchObject({ code: 0 });
    const assistants = new Assistants(openSession({ kubeconfig, namespace, env: {} }));
    await expect(assistants.change(before, { spec: { paused: false } })).rejects.toMatchObject({ code: 'Changed' });
    expect((await read('raced')).spec.paused).toBe(true);
  });

  test('orders nothing about a release that nobody has looked at: the spec was changed at the same moment', async () => {
    await place('raced-order', 'canary-paused');
    const before = await read('raced-order');
    expect(await command(['pause', 'raced-order', ...at])).toMatchObject({ code: 0 });
    const assistants = new Assistants(openSession({ kubeconfig, namespace, env: {} }));
    const order = { verb: 'promote', value: 'full' } as const;
    await expect(assistants.change(before, { order })).rejects.toMatchObject({ code: 'Changed' });
    expect((await read('raced-order')).metadata.annotations).toBeUndefined();
  });

  test('leaves the annotations that somebody wrote at the same moment', async () => {
    await place('raced-notes', 'canary-paused');
    const bare = await read('raced-notes');
    expect(bare.metadata.annotations).toBeUndefined();
    const assistants = new Assistants(openSession({ kubeconfig, namespace, env: {} }));
    await assistants.change(bare, { order: { verb: 'promote', value: 'step' } });
    // As it was read before the first one came.
    await assistants.change(bare, { order: { verb: 'abort', value: 'bad' } });
    expect((await read('raced-notes')).metadata.annotations).toEqual({
      [VERBS.promote]: 'step',
      [VERBS.abort]: 'bad',
    });
  });
});

describe('history', () => {
  test('lists what was, what is, and what can be gone back to', async () => {
    await place('told', 'aborted');
    await remember('told', '6c9f7d', '1.0.0', 1, 'localhost/assistant/chat:1.0.0');
    const { out, code } = await command(['history', 'told', ...at]);
    expect(code).toBe(0);
    expect(out).toMatch(/^1.1.0 +8d1b2a +Aborted .* no +← update$/m);
    expect(out).toMatch(/^1.0.0 +6c9f7d +- .* yes +← stable$/m);
    const json = JSON.parse((await command(['history', 'told', ...at, '-o', 'json'])).out) as { rollouts: unknown[] };
    expect(json).toMatchObject({
      name: 'told',
      namespace,
      rollouts: [{ outcome: 'Aborted', undo: false }, { mark: 'stable' }],
    });
  });

  test('is shown to those who may not read the records', async () => {
    await place('limited', 'aborted');
    await kubectl(
      'create',
      'role',
      'viewer',
      '-n',
      namespace,
      '--verb=get,list',
      '--resource=assistantdeployments.assistant-platform.io',
    );
    await kubectl(
      'create',
      'rolebinding',
      'viewer',
      '-n',
      namespace,
      '--role=viewer',
      `--serviceaccount=${namespace}:default`,
    );
    const token = (await kubectl('create', 'token', 'default', '-n', namespace)).trim();
    const viewer = { kubeconfig: await misdirected(kubeconfig, folder.path, { user: { token } }) };
    const { out, code } = await command(['history', 'limited', ...at], viewer);
    expect(code).toBe(0);
    expect(out).toMatch(/^1.1.0 +8d1b2a +Aborted .*[?] +← update$/m);
    const sockets = await command(['sockets', 'limited', ...at], viewer);
    expect(sockets.code).toBe(0);
    expect(sockets.out).toContain('needs get on pods/proxy');
    const undo = await command(['undo', 'limited', ...at], viewer);
    expect(undo.err).toMatch(/cannot list resource "controllerrevisions".*ask for a role/);
    expect((await command(['pause', 'limited', ...at], viewer)).err).toMatch(
      /cannot patch resource "assistantdeployments"/,
    );
  });
});
