// `plan` and `lint` with a real API server, or without any.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { API_VERSION, type AssistantDeploymentSpec } from '@assistant-platform/api';
import { describe, expect, test } from 'vitest';
import { blueGreenObject, canaryObject, changed } from '../api/specimens/base.ts';
import {
  at,
  command,
  empty,
  folder,
  kubeconfig,
  kubectl,
  namespace,
  ownNamespaces,
  place,
  read,
  scene,
} from './testing/cluster.ts';
import { deadAddress, misdirected } from './testing/kubeconfigs.ts';

ownNamespaces();

let written = 0;
async function file(...documents: readonly unknown[]): Promise<string> {
  const path = join(folder.path, `manifest-${(written += 1)}.yaml`);
  await writeFile(path, documents.map((document) => stringify(document)).join('---\n'));
  return path;
}

const manifest = (name: string, spec: Partial<AssistantDeploymentSpec> = {}) => ({
  apiVersion: API_VERSION,
  kind: 'AssistantDeployment',
  metadata: { name },
  spec: { ...canaryObject().spec, ...spec },
});
const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other' }, data: {} };

describe('plan', () => {
  test('of a first release asks the API server and writes nothing', async () => {
    const { code, out, err } = await command(['plan', '-f', await file(config, manifest('planned')), ...at]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`planned in ${namespace}: release 1.1.0, Canary\nthe API server would take it (dry run)`);
    expect(out).toContain('A first release');
    expect((await command(['why', 'planned', ...at])).err).toContain('there is no AssistantDeployment "planned"');
  });

  test('of fields without a value: the API server takes them for not there', async () => {
    const { components } = canaryObject().spec;
    const chat = { ...components['chat'], env: null, resources: null, autoscaling: null };
    const path = await file(manifest('valueless', { components: { chat }, slo: null } as never));
    const { code, out } = await command(['plan', '-f', path, ...at]);
    expect(out).toContain('the API server would take it (dry run)');
    expect(code).toBe(0);
    expect((await command(['lint', '-f', path])).code).toBe(0);
  });

  test('of a change compares with what is there', async () => {
    await place('changed', 'healthy');
    const before = await read('changed');
    const components = {
      chat: { image: 'localhost/assistant/chat:2.0.0', replicas: 3 },
      realtime: { image: 'localhost/assistant/realtime:1.1.0', replicas: 2 },
    };
    const path = await file(manifest('changed', { components, release: '2.0.0' }));
    const { code, out } = await command(['plan', '-f', path, ...at]);
    expect(code).toBe(0);
    expect(out).toContain('A new revision, through the steps of the strategy');
    expect(out).toContain(
      'spec.components.chat.image localhost/assistant/chat:1.1.0 → localhost/assistant/chat:2.0.0  (new revision)',
    );
    expect(out).toContain('spec.components.chat.replicas 2 → 3  (scales, no new revision)');
    expect(out).toMatch(/^ +all traffic; the old revision drains +100 % +3 [+] 3 +2 [+] 2 +10 ← peak$/m);
    expect(await read('changed')).toEqual(before);
    const json = JSON.parse((await command(['plan', '-f', path, ...at, '-o', 'json'])).out) as unknown;
    expect(json).toMatchObject([{ name: 'changed', effects: { course: { kind: 'Rollout' } }, stages: { peak: 10 } }]);
  });

  test('of what is there already changes nothing', async () => {
    await place('same', 'healthy');
    const { spec } = await read('same');
    const { out } = await command(['plan', '-f', await file({ ...manifest('same'), spec }), ...at]);
    expect(out).toContain('No new revision (6c9f7d stays): no pod is replaced.');
    expect(out).not.toContain('spec.');
  });

  test('shows what the API server refuses, which no schema here knows', async () => {
    // Another controller's rule: the namespace does not exist.
    const { code, err } = await command(['plan', '-f', await file(manifest('nowhere')), '-n', 'does-not-exist']);
    expect(code).toBe(3);
    expect(err).toMatch(/namespaces "does-not-exist" not found/);
  });

  test('shows errors of its own with the remedy', async () => {
    const broken = changed(canaryObject(), ['spec.components.chat.replicas', -1]);
    const { code, out } = await command(['plan', '-f', await file(broken), ...at]);
    expect(code).toBe(1);
    expect(out).toMatch(/^refused spec.components.chat.replicas: too small; write at least 0$/m);
  });

  test('takes the namespace of the manifest, unless a flag names another', async () => {
    const own = { ...manifest('elsewhere'), metadata: { name: 'elsewhere', namespace: empty } };
    expect((await command(['plan', '-f', await file(own)])).out).toContain(`elsewhere in ${empty}: `);
  });

  test.each([
    ['--offline', ['--offline'], 'by --offline'],
    ['no kubeconfig', ['--kubeconfig', '/nowhere'], 'no cluster is configured'],
  ])('without a cluster (%s) says so and shows the steps', async (_, flags, why) => {
    const { code, out } = await command(['plan', '-f', await file(manifest('alone')), ...flags]);
    expect(code).toBe(0);
    expect(out).toContain(`checked without a cluster (${why})`);
    expect(out).toContain('What would change is not known');
    expect(out).toMatch(/^6 +weight 50 % /m);
  });

  test('without an answer, without our kind, or without the right, too', async () => {
    const path = await file(manifest('alone', { strategy: blueGreenObject().spec.strategy }));
    const dead = await deadAddress();
    const away = await misdirected(kubeconfig, folder.path, { server: () => `https://${dead}` });
    expect((await command(['plan', '-f', path], { kubeconfig: away })).out).toContain('the cluster does not answer');
    const without = await misdirected(kubeconfig, folder.path, { server: (server) => `${server}/without` });
    expect((await command(['plan', '-f', path], { kubeconfig: without })).out).toContain(
      'does not know AssistantDeployments',
    );
    const token = (await kubectl('create', 'token', 'default', '-n', empty)).trim();
    const nobody = await misdirected(kubeconfig, folder.path, { user: { token } });
    const ran = await command(['plan', '-f', path], { kubeconfig: nobody });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('the cluster does not allow a dry run');
  });

  test('reads standard input', async () => {
    const { out } = await command(['plan', '-f', '-', '--offline'], { stdin: stringify(manifest('piped')) });
    expect(out).toContain('piped in default');
  });
});

describe('lint', () => {
  test('needs no cluster, and exits with 1 on errors', async () => {
    const careful = await file(manifest('careful'));
    const broken = await file(changed(canaryObject(), ['spec.strategy.type', 'Rolling']));
    const away = { kubeconfig: '/nowhere' };
    expect((await command(['lint', '-f', careful], away)).code).toBe(0);
    const ran = await command(['lint', '-f', careful, broken, '-o', 'json'], away);
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.out)).toMatchObject({
      objects: 2,
      findings: expect.arrayContaining([
        expect.objectContaining({ code: 'Schema', severity: 'error', path: 'spec.strategy.type', file: broken }),
      ]) as unknown,
    });
  });

  test.each([
    [['lint'], "required option '-f, --filename <path...>'"],
    [['lint', '-f', '/nowhere.yaml'], '-f /nowhere.yaml cannot be read: ENOENT'],
    [['plan', '-f', '/nowhere.yaml'], '-f /nowhere.yaml cannot be read: ENOENT'],
  ])('%j', async (args, words) => {
    const ran = await command(args);
    expect(ran.code).toBe(3);
    expect(ran.err).toContain(words);
  });

  test('what it passes, the API server takes', async () => {
    const { spec } = scene('healthy');
    const stdin = stringify({ ...manifest('passed'), spec: { ...canaryObject().spec, components: spec.components } });
    expect((await command(['lint', '-f', '-'], { stdin })).code).toBe(0);
    expect((await command(['plan', '-f', '-', ...at], { stdin })).code).toBe(0);
  });
});
