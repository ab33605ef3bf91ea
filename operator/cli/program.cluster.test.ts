// The commands against a real API server: what they print, write and exit with.
import { randomUUID } from 'node:crypto';
import { delimiter, dirname, join } from 'node:path';
import { VERBS } from '@assistant-platform/api';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import { describe, expect, test } from 'vitest';
import {
  at,
  command,
  config,
  empty,
  executable,
  execute,
  folder,
  kubeconfig,
  kubectl,
  namespace,
  objects,
  ownNamespaces,
  place,
  read,
  resource,
  sceneStatus,
  setStatus,
  start,
} from './testing/cluster.ts';
import { deadAddress, misdirected } from './testing/kubeconfigs.ts';
import { startProxy } from './testing/proxy.ts';

ownNamespaces();

describe('status', () => {
  test.each([
    ['healthy', 0],
    ['canary-paused', 0],
    ['aborted', 1],
  ])('of one that is %s exits with %d', async (title, code) => {
    await place(`one-${title}`, title);
    const ran = await command(['status', `one-${title}`, ...at]);
    expect(ran).toMatchObject({ code, err: '' });
    expect(ran.out).toContain(sceneStatus(title).message);
  });

  test('-o json is one document', async () => {
    await place('json', 'canary-paused');
    const { out, code } = await command(['status', 'json', ...at, '-o', 'json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      name: 'json',
      namespace,
      verdict: 'UnderWay',
      release: '1.1.0',
      status: { phase: 'Paused', weight: { routed: 50 } },
      pods: [],
    });
  });

  test('without a name lists the namespace, -A all, and exits with 1 when one is degraded', async () => {
    await place('listed', 'aborted');
    const here = await command(['status', ...at]);
    expect(here.code).toBe(1);
    expect(here.out).toMatch(/^NAME +PHASE/);
    expect(here.out).toMatch(/^listed +Degraded/m);
    const everywhere = await command(['status', '-A']);
    expect(everywhere.out).toMatch(new RegExp(`^${namespace} +listed`, 'm'));
    const nowhere = await command(['status', '-n', empty]);
    expect(nowhere.code).toBe(0);
    expect(nowhere.err).toContain('-A looks in all');
  });
});

describe('[R-299] status --watch', () => {
  test('follows a rollout until it is healthy', async () => {
    await place('followed', 'canary-analysis');
    const watching = start(['status', 'followed', '--watch', ...at]);
    await watching.printedText(/step 2\/7.*weight 10%/);
    await setStatus('followed', sceneStatus('canary-paused'));
    await watching.printedText(/step 6\/7.*weight 50%/);
    await setStatus('followed', sceneStatus('healthy'));
    expect(await watching.code).toBe(0);
    expect(watching.printed.out).toMatch(/Healthy {2}ready 4\/4/);
  });

  test('ends with 1 when it is aborted', async () => {
    await place('doomed', 'canary-analysis');
    const watching = start(['status', 'doomed', '--watch', ...at]);
    await watching.printedText(/step 2\/7/);
    await setStatus('doomed', sceneStatus('aborted'));
    expect(await watching.code).toBe(1);
  });

  test('ends with 2 when the time is over, and says how to go on', async () => {
    await place('slow', 'canary-paused');
    const ran = await command(['status', 'slow', '--timeout', '300ms', ...at]);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('kubectl assistant why slow');
  });

  test('waits for longer than a timer of Node.js can', async () => {
    await place('patient', 'canary-paused');
    const watching = start(['status', 'patient', '--timeout', '600h', ...at]);
    await watching.printedText(/step 6\/7/);
    await setStatus('patient', sceneStatus('healthy'));
    expect(await watching.code).toBe(0);
  });

  test('ends with 1 when it is deleted', async () => {
    await place('short-lived', 'canary-paused');
    const watching = start(['status', 'short-lived', '--watch', ...at]);
    await watching.printedText(/step 6\/7/);
    await objects.deleteNamespacedCustomObject({ ...resource, name: 'short-lived' });
    expect(await watching.code).toBe(1);
    expect(watching.printed.err).toContain('short-lived was deleted');
  });

  test('ends with 130 on Ctrl-C', async () => {
    await place('interrupted', 'canary-paused');
    const watching = start(['status', 'interrupted', '--watch', ...at]);
    await watching.printedText(/step 6\/7/);
    watching.interrupt();
    expect(await watching.code).toBe(130);
  });

  test('goes on after the connection was lost, with what happened meanwhile', async () => {
    await place('cut-off', 'canary-analysis');
    const proxy = await startProxy(config.getCurrentCluster()!.server);
    const through = await misdirected(kubeconfig, folder.path, { server: () => proxy.server });
    const watching = start(['status', 'cut-off', '--watch', ...at], { kubeconfig: through });
    await watching.printedText(/step 2\/7/);
    proxy.cut();
    await watching.printedText(/no answer from/);
    await setStatus('cut-off', sceneStatus('canary-paused'));
    proxy.mend();
    await watching.printedText(/step 6\/7/);
    proxy.cut();
    await objects.deleteNamespacedCustomObject({ ...resource, name: 'cut-off' });
    proxy.mend();
    expect(await watching.code).toBe(1);
    expect(watching.printed.err).toContain('cut-off was deleted');
    await proxy.close();
  });
});

describe('why', () => {
  test('says what is waited for', async () => {
    await place('waiting', 'image-missing');
    const { out, code } = await command(['why', 'waiting', ...at]);
    expect(code).toBe(0);
    expect(out).toContain('image localhost/assistant/chat:1.1.0 cannot be had (ImagePullBackOff, since');
    const json = JSON.parse((await command(['why', 'waiting', ...at, '-o', 'json'])).out) as {
      blockedBy: { reason: string }[];
    };
    expect(json.blockedBy.map(({ reason }) => reason)).toEqual(['ImagePullBackOff', 'CrashLoopBackOff']);
  });
});

describe('verbs', () => {
  test.each([
    [['promote'], VERBS.promote, 'step'],
    [['promote', '--full'], VERBS.promote, 'full'],
    [['abort', '--reason', 'answers are wrong'], VERBS.abort, 'answers are wrong'],
  ])('%j writes its annotation', async ([verb = '', ...flags], annotation, value) => {
    const name = `verb-${randomUUID().slice(0, 6)}`;
    await place(name, 'canary-paused');
    const ran = await command([verb, name, ...flags, ...at]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain(`kubectl assistant status ${name} -n ${namespace} --watch`);
    expect((await read(name)).metadata.annotations?.[annotation]).toBe(value);
    // The operator that would take it does not run here: the next order says so.
    expect((await command(['promote', name, ...at])).err).toContain('the operator has not taken the last order yet');
  });

  test.each([
    ['promote', 'healthy', 'nothing to promote: release 1.0.0 is stable'],
    ['abort', 'healthy', 'nothing to abort: release 1.0.0 is stable'],
    ['promote', 'aborted', 'is aborted (answers are wrong)'],
    ['abort', 'aborted', 'is aborted already'],
  ])('%s of one that is %s is refused', async (verb, title, words) => {
    const name = `refused-${verb}-${title}`;
    await place(name, title);
    const ran = await command([verb, name, ...(verb === 'abort' ? ['--reason', 'x'] : []), ...at]);
    expect(ran).toMatchObject({ code: 3, out: '' });
    expect(ran.err).toContain(words);
    expect((await read(name)).metadata.annotations).toBeUndefined();
  });
});

describe('errors', () => {
  test.each([
    [['status', 'absent', ...at], 'there is no AssistantDeployment "absent"'],
    [['status', 'absent', '-n', empty], '(choose with -n)'],
    [['status', '--watch'], '--watch and --timeout need a name'],
    [['status', 'a', '-A'], 'either a name or -A'],
    [['status', 'a', '--timeout', '5 minutes'], '--timeout: "5 minutes" is not a duration'],
    [['abort', 'a'], "required option '--reason <text>'"],
    [['abort', 'a', '--reason', ' '], 'the reason is empty'],
    [['status', 'a', '--context', 'elsewhere'], 'there is no context "elsewhere"'],
    [['status', 'a', '--kubeconfig', '/nowhere'], 'there is no kubeconfig at /nowhere'],
    [['status', 'a', '-o', 'xml'], 'Allowed choices are text, json'],
    [['undo'], "missing required argument 'name'"],
    [['stats'], 'Did you mean status?'],
  ])('%j', async (args, words) => {
    const ran = await command(args);
    expect(ran.err).toContain(words);
    expect(ran.code).toBe(3);
  });

  test('the names that there are, and the one that was meant', async () => {
    await place('existing', 'healthy');
    expect((await command(['why', 'exsiting', ...at])).err).toMatch(/did you mean existing\?; there are: .*existing/);
  });

  test('no cluster there', async () => {
    const dead = await deadAddress();
    const config = await misdirected(kubeconfig, folder.path, { server: () => `https://${dead}` });
    const { code, err, out } = await command(['status', '-o', 'json'], { kubeconfig: config });
    expect(code).toBe(3);
    expect(err).toContain(`no answer from https://${dead}`);
    expect(err).toMatch(/ECONNREFUSED.*npm start/);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'ClusterUnreachable' } });
  });

  test('not installed there', async () => {
    // The same server below a path that it knows nothing of answers as one without our CRD does.
    const config = await misdirected(kubeconfig, folder.path, { server: (server) => `${server}/without` });
    expect((await command(['status', 'a'], { kubeconfig: config })).err).toMatch(
      /does not know AssistantDeployments: install the operator \(helm/,
    );
  });

  test('not known there, and not allowed there', async () => {
    const stranger = await misdirected(kubeconfig, folder.path, { user: { token: 'nonsense' } });
    expect((await command(['status', 'a'], { kubeconfig: stranger })).err).toContain('does not accept the credentials');
    const token = (await kubectl('create', 'token', 'default', '-n', empty)).trim();
    const nobody = await misdirected(kubeconfig, folder.path, { user: { token } });
    expect((await command(['status', 'a'], { kubeconfig: nobody })).err).toMatch(
      /cannot get resource "assistantdeployments".*ask for a role/,
    );
  });
});

test('kubectl finds it as a plugin', async () => {
  await place('plugin', 'canary-paused');
  const links = join(folder.path, 'bin');
  await execute('mkdir', ['-p', links]);
  await execute('ln', ['-sf', executable, join(links, 'kubectl-assistant')]);
  const PATH = [links, dirname(process.execPath), process.env.PATH ?? ''].join(delimiter);
  const { stdout } = await execute(await ensureBinary('kubectl'), ['assistant', 'why', 'plugin', ...at], {
    env: { ...process.env, PATH, KUBECONFIG: kubeconfig },
  });
  expect(stdout).toContain('plugin (release 1.1.0, step 7 of 7: pause until promoted, 50 % routed) waits');
});
