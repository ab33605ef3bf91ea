// The commands against a real API server: what they print, write and exit with.
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CustomObjectsApi, KubeConfig, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import {
  ASSISTANT_DEPLOYMENT,
  GROUP,
  VERBS,
  VERSION,
  type AssistantDeployment,
  type AssistantDeploymentStatus,
} from '@assistant-platform/api';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { run } from './program.ts';
import { deadAddress, misdirected } from './testing/kubeconfigs.ts';
import { startProxy } from './testing/proxy.ts';
import { scenes } from './testing/scenes.ts';

const execute = promisify(execFile);
const kubeconfig = inject('kubeconfig');
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
const objects = config.makeApiClient(CustomObjectsApi);
const namespace = `cli-${randomUUID().slice(0, 8)}`;
const empty = `${namespace}-empty`;
const resource = { group: GROUP, version: VERSION, plural: ASSISTANT_DEPLOYMENT.plural, namespace };
const executable = fileURLToPath(new URL('bin/kubectl-assistant.mjs', import.meta.url));
let folder = '';

async function kubectl(...args: readonly string[]): Promise<string> {
  const cache = ['--cache-dir', join(folder, 'cache')];
  return (await execute(await ensureBinary('kubectl'), ['--kubeconfig', kubeconfig, ...cache, ...args])).stdout;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubectl-assistant-'));
  await kubectl('create', 'namespace', namespace);
  await kubectl('create', 'namespace', empty);
});
afterAll(async () => {
  await kubectl('delete', 'namespace', namespace, empty, '--wait=false');
  await rm(folder, { recursive: true });
});

const sceneStatus = (title: string): AssistantDeploymentStatus =>
  scenes.find((scene) => scene.title === title)!.object.status!;

/** Creates an object in a moment of its life. */
async function place(name: string, title: string): Promise<void> {
  const { object } = scenes.find((scene) => scene.title === title)!;
  const flags = [{ feature: 'new-memory', environment: 'development' }];
  const metrics = ['error-rate', 'ttft'].map((metric) => ({ name: metric, preset: 'ErrorRate', max: '0.5' }));
  const body = { ...object, metadata: { name }, spec: { ...object.spec, flags, metrics } };
  await objects.createNamespacedCustomObject({ ...resource, body });
  if (object.status !== undefined) await setStatus(name, object.status);
}

async function setStatus(name: string, status: AssistantDeploymentStatus): Promise<void> {
  const body = [{ op: 'add', path: '/status', value: { ...status, observedGeneration: 1 } }];
  await objects.patchNamespacedCustomObjectStatus(
    { ...resource, name, body },
    setHeaderOptions('Content-Type', PatchStrategy.JsonPatch),
  );
}

const read = async (name: string): Promise<AssistantDeployment> =>
  (await objects.getNamespacedCustomObject({ ...resource, name })) as AssistantDeployment;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command that runs, with what it has printed so far. */
function start(args: readonly string[], config = kubeconfig) {
  const printed = { out: '', err: '' };
  const changes = new Set<() => void>();
  const sink = (key: 'out' | 'err') => ({
    write: (text: string) => {
      printed[key] += text;
      for (const change of changes) change();
    },
  });
  const interrupt = new AbortController();
  const env = { KUBECONFIG: config };
  const code = run(args, {
    stdout: sink('out'),
    stderr: sink('err'),
    env,
    now: () => Date.now(),
    interrupted: interrupt.signal,
  });
  /** Resolves once the output matches. */
  const printedText = async (pattern: RegExp): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const look = (): void => {
      if (pattern.test(printed.out)) resolve(undefined);
    };
    changes.add(look);
    look();
    await promise;
    changes.delete(look);
  };
  return { code, printed, printedText, interrupt: () => interrupt.abort() };
}

async function command(args: readonly string[], config = kubeconfig): Promise<Ran> {
  const { code, printed } = start(args, config);
  return { code: await code, ...printed };
}

const at = ['-n', namespace];

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
    const through = await misdirected(kubeconfig, folder, { server: () => proxy.server });
    const watching = start(['status', 'cut-off', '--watch', ...at], through);
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

  test('redraws in a terminal, and gives the cursor back', async () => {
    await place('drawn', 'canary-analysis');
    // script(1) gives the command a pseudo-terminal.
    const words = [process.execPath, executable, 'status', 'drawn', '--watch', ...at].join(' ');
    const child = spawn('script', ['-qefc', words, '/dev/null'], {
      env: { ...process.env, KUBECONFIG: kubeconfig, NO_COLOR: '' },
    });
    let screen = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      screen += text;
      if (screen.includes('▶') && !screen.includes('pause until promoted since'))
        void setStatus('drawn', sceneStatus('canary-paused'));
      if (/▶.* pause until promoted/.test(screen)) void setStatus('drawn', sceneStatus('healthy'));
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code, screen).toBe(0);
    expect(screen).toMatch(/\u001b\[\d+A\r\u001b\[J/);
    expect(screen).toContain('\u001b[32mHealthy');
    expect(screen.trimEnd().endsWith('\u001b[?25h')).toBe(true);
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
    [['undo'], "unknown command 'undo'"],
  ])('%j', async (args, words) => {
    const ran = await command(args);
    expect(ran.err).toContain(words);
    expect(ran.code).toBe(3);
  });

  test('the names that there are', async () => {
    await place('existing', 'healthy');
    expect((await command(['why', 'exist', ...at])).err).toMatch(/there are: .*existing/);
  });

  test('no cluster there', async () => {
    const dead = await deadAddress();
    const config = await misdirected(kubeconfig, folder, { server: () => `https://${dead}` });
    const { code, err, out } = await command(['status', '-o', 'json'], config);
    expect(code).toBe(3);
    expect(err).toContain(`no answer from https://${dead}`);
    expect(err).toMatch(/ECONNREFUSED.*npm start/);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'ClusterUnreachable' } });
  });

  test('not installed there', async () => {
    // The same server below a path that it knows nothing of answers as one without our CRD does.
    const config = await misdirected(kubeconfig, folder, { server: (server) => `${server}/without` });
    expect((await command(['status', 'a'], config)).err).toMatch(
      /does not know AssistantDeployments: install the operator \(helm/,
    );
  });

  test('not known there, and not allowed there', async () => {
    const stranger = await misdirected(kubeconfig, folder, { user: { token: 'nonsense' } });
    expect((await command(['status', 'a'], stranger)).err).toContain('does not accept the credentials');
    const token = (await kubectl('create', 'token', 'default', '-n', empty)).trim();
    const nobody = await misdirected(kubeconfig, folder, { user: { token } });
    expect((await command(['status', 'a'], nobody)).err).toMatch(
      /cannot get resource "assistantdeployments".*ask for a role/,
    );
  });
});

test('kubectl finds it as a plugin', async () => {
  await place('plugin', 'canary-paused');
  const links = join(folder, 'bin');
  await execute('mkdir', ['-p', links]);
  await execute('ln', ['-sf', executable, join(links, 'kubectl-assistant')]);
  const PATH = [links, dirname(process.execPath), process.env.PATH ?? ''].join(delimiter);
  const { stdout } = await execute(await ensureBinary('kubectl'), ['assistant', 'why', 'plugin', ...at], {
    env: { ...process.env, PATH, KUBECONFIG: kubeconfig },
  });
  expect(stdout).toContain('plugin (release 1.1.0, step 7 of 7: pause until promoted, 50 % routed) waits');
});
