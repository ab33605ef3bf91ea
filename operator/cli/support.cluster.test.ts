// `bundle` and `completion` against a real API server and real shells.
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LABELS } from '@assistant-platform/api';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import {
  at,
  command,
  create,
  empty,
  executable,
  execute,
  folder,
  kubeconfig,
  kubectl,
  namespace,
  ownNamespaces,
  place,
  scene,
} from './testing/cluster.ts';
import { misdirected } from './testing/kubeconfigs.ts';

ownNamespaces();

/** A different secret for every place, so that a leak says where it comes from. */
function planter() {
  const planted: Record<string, string> = {};
  const plant = (where: string): string => (planted[where] ??= `planted-${where}-${randomUUID()}`);
  return { planted, plant };
}

/** An archive as one text. */
const unpacked = async (path: string): Promise<string> =>
  (await execute('tar', ['-xzOf', path], { maxBuffer: 64 * 1024 * 1024 })).stdout;
const listed = async (path: string): Promise<string[]> =>
  (await execute('tar', ['-tzf', path])).stdout
    .trim()
    .split('\n')
    .map((each) => each.replace(/^[^/]*[/]/, ''));

describe('bundle', () => {
  test('holds everything but secrets, wherever they are', async () => {
    const { planted, plant } = planter();
    const labels = { [LABELS.name]: 'dumped', [LABELS.component]: 'chat', [LABELS.revision]: '6c9f7d' };
    const container = {
      name: 'chat',
      image: 'localhost/assistant/chat:1.1.0',
      env: [{ name: 'HARMLESS_LOOKING', value: plant('pod-env') }],
      args: ['--token', plant('arg'), `--api-key=${plant('arg-equals')}`],
      readinessProbe: {
        httpGet: { path: '/', port: 80, httpHeaders: [{ name: 'Authorization', value: plant('header') }] },
      },
    };
    await create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'model-keys' },
      stringData: { key: plant('secret-referenced') },
    });
    await create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'dumped-admin', labels },
      stringData: { token: plant('secret-own') },
    });
    await create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings' },
      data: { 'app.ini': plant('configmap') },
    });
    await create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'dumped-pod', labels, annotations: { 'x/session-token': plant('annotation') } },
      spec: { schedulerName: 'nobody', containers: [container] },
    });
    await create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'dumped-chat-6c9f7d', labels },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    });
    await create({
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: { name: 'dumped-6c9f7d', labels },
      revision: 1,
      data: {
        hash: '6c9f7d',
        release: '1.0.0',
        source: {
          release: '1.0.0',
          components: { chat: { image: 'x', env: [{ name: 'OLD', value: plant('record') }] } },
        },
      },
    });
    const object = scene('canary-paused');
    const manifest = join(folder.path, 'dumped.yaml');
    const metrics = ['error-rate', 'ttft'].map((metric) => ({ name: metric, preset: 'ErrorRate', max: '0.5' }));
    const chat = {
      image: 'localhost/assistant/chat:1.1.0',
      env: [
        { name: 'PHRASE', value: plant('spec-env') },
        { name: 'MODEL_KEY', valueFrom: { secretKeyRef: { name: 'model-keys', key: 'key' } } },
      ],
      envFrom: [{ configMapRef: { name: 'settings' } }],
      template: {
        spec: { containers: [{ name: 'chat', command: ['sh', '-c', `PASSWORD=${plant('template')} exec x`] }] },
      },
    };
    const flags = [{ feature: 'new-memory', environment: 'development' }];
    const { status: _, ...rest } = object;
    // kubectl apply leaves the whole manifest in an annotation.
    await writeFile(
      manifest,
      stringify({
        ...rest,
        metadata: { name: 'dumped' },
        spec: { ...object.spec, metrics, flags, components: { chat } },
      }),
    );
    await kubectl('apply', '-n', namespace, '-f', manifest);
    await create({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'dumped-event' },
      eventTime: '2026-11-21T10:00:00.000000Z',
      action: 'Test',
      reason: 'Tested',
      type: 'Normal',
      note: `the container printed ${plant('spec-env')} and password=${plant('event')}`,
      regarding: { apiVersion: 'v1', kind: 'Pod', name: 'dumped-pod', namespace },
      reportingController: 'test',
      reportingInstance: 'test',
    });

    const out = join(folder.path, 'dumped.tar.gz');
    const ran = await command(['bundle', 'dumped', '--out', out, ...at]);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toMatch(/dumped.tar.gz: \d+ files, \d+ KiB, without secrets/);
    expect((await stat(out)).mode & 0o077).toBe(0);

    const text = await unpacked(out);
    expect(Object.keys(planted)).toHaveLength(12);
    for (const [where, secret] of Object.entries(planted)) {
      expect(text.includes(secret), `${where} leaked`).toBe(false);
      expect(text.includes(Buffer.from(secret).toString('base64')), `${where} leaked in base64`).toBe(false);
    }
    expect(await listed(out)).toEqual(
      expect.arrayContaining([
        'README.txt',
        'status.txt',
        'why.txt',
        'history.txt',
        'sockets.txt',
        'versions/command.json',
        'versions/server.json',
        'objects/AssistantDeployment/dumped.yaml',
        'objects/Pod/dumped-pod.yaml',
        'objects/Deployment/dumped-chat-6c9f7d.yaml',
        'objects/ControllerRevision/dumped-6c9f7d.yaml',
        'objects/Secret/model-keys.yaml',
        'objects/Secret/dumped-admin.yaml',
        'objects/ConfigMap/settings.yaml',
        'objects/Event/dumped-event.yaml',
        'objects/CustomResourceDefinition/assistantdeployments.assistant-platform.io.yaml',
      ]),
    );
    // Useful all the same.
    for (const words of [
      'HARMLESS_LOOKING',
      'localhost/assistant/chat:1.1.0',
      'app.ini',
      'the container printed',
      'gitVersion',
    ]) {
      expect(text).toContain(words);
    }
    // The gateway of the scene does not exist, and that is said.
    expect(ran.err).toMatch(/not in it: .*gateways\/public: there is none/);

    const again = await command(['bundle', 'dumped', '--out', out, ...at]);
    expect(again.code).toBe(3);
    expect(again.err).toMatch(/cannot be written: EEXIST/);
  });

  test('says what it may not read', async () => {
    await place('half', 'healthy');
    await kubectl(
      'create',
      'role',
      'one',
      '-n',
      namespace,
      '--verb=get',
      '--resource=assistantdeployments.assistant-platform.io',
    );
    await kubectl('create', 'rolebinding', 'one', '-n', namespace, '--role=one', `--serviceaccount=${empty}:default`);
    const token = (await kubectl('create', 'token', 'default', '-n', empty)).trim();
    const limited = await misdirected(kubeconfig, folder.path, { user: { token } });
    const out = join(folder.path, 'half.tar.gz');
    const ran = await command(['bundle', 'half', '--out', out, ...at], { kubeconfig: limited });
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toMatch(/not in it: .*secrets: answered 403: secrets is forbidden/);
    expect(await unpacked(out)).toContain('Could not be read:');
    expect((await readFile(out)).length).toBeGreaterThan(500);
  });
});

describe('completion', () => {
  const bin = (name: string): string => fileURLToPath(new URL(`bin/${name}`, import.meta.url));

  /** A folder on PATH with the command and its completion, as `npm` links them. */
  async function path(): Promise<string> {
    const links = join(folder.path, `bin-${randomUUID().slice(0, 6)}`);
    await mkdir(links);
    await symlink(executable, join(links, 'kubectl-assistant'));
    await symlink(bin('kubectl_complete-assistant.mjs'), join(links, 'kubectl_complete-assistant'));
    await symlink(await ensureBinary('kubectl'), join(links, 'kubectl'));
    return [links, dirname(process.execPath), process.env.PATH ?? ''].join(delimiter);
  }

  test('kubectl asks for it', async () => {
    await place('completed', 'healthy');
    const env = { ...process.env, PATH: await path(), KUBECONFIG: kubeconfig };
    const ask = async (...line: string[]): Promise<string> =>
      (await execute('kubectl', ['__complete', 'assistant', ...line], { env })).stdout;
    expect(await ask('hist')).toMatch(/^history\t.*\n:4$/m);
    expect(await ask('status', '-n', namespace, 'comp')).toMatch(/^completed$/m);
    expect(await ask('lint', '-f', '')).toMatch(/^:0$/m);
  });

  test('bash completes commands, names and revisions', async () => {
    await place('bashed', 'healthy');
    await create({
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: { name: 'bashed-51aa0e', labels: { [LABELS.name]: 'bashed' } },
      revision: 1,
      data: { hash: '51aa0e', release: '0.9.0' },
    });
    const env = { ...process.env, PATH: await path(), KUBECONFIG: kubeconfig };
    const complete = async (line: string): Promise<string[]> => {
      const script = `source <(kubectl-assistant completion bash)
        COMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDS=() COMP_CWORD=0
        _kubectl_assistant
        printf '%s\\n' "\${COMPREPLY[@]}"`;
      return (await execute('bash', ['-c', script], { env })).stdout.split('\n').filter((word) => word !== '');
    };
    expect(await complete('kubectl-assistant res')).toEqual(['resume', 'restart']);
    expect(await complete(`kubectl-assistant why -n ${namespace} bas`)).toEqual(['bashed']);
    expect(await complete(`kubectl-assistant undo bashed -n ${namespace} --to `)).toEqual(['51aa0e']);
    expect(await complete(`kubectl-assistant status --namespace=${namespace.slice(0, -2)}`)).toContain(namespace);
  });

  test.each(['bash', 'zsh', 'fish'] as const)('the script for %s is one', async (shell) => {
    const { code, out } = await command(['completion', shell]);
    expect(code).toBe(0);
    expect(out).toContain('kubectl-assistant __complete --');
    const file = join(folder.path, `completion.${shell}`);
    await writeFile(file, out);
    const there = await execute('which', [shell]).then(
      () => true,
      () => false,
    );
    // Where the shell is installed it reads the script without complaint.
    if (there) await execute(shell, ['-n', file]);
  });

  test('says nothing where there is no cluster', async () => {
    const ran = await command(['__complete', '--', 'status', ''], { kubeconfig: '/nowhere' });
    expect(ran).toEqual({ code: 0, out: ':4\n', err: '' });
  });
});
