// The first step of the upgrade notes, as it is written: the command replaces custom resources that Helm has installed.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const CRD = 'assistantdeployments.assistant-platform.io';
/** The same custom resource in a group of its own: the other tests use ours. */
const COPY = 'assistantdeployments.upgrade-test.io';

let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'upgrade-'));
  env = { ...process.env, KUBECONFIG: inject('kubeconfig') };
  await mkdir(join(folder, 'chart/crds'), { recursive: true });
  await cp(join(root, 'charts/operator/Chart.yaml'), join(folder, 'chart/Chart.yaml'));
});
afterAll(async () => {
  const kubectl = await ensureBinary('kubectl');
  await run(kubectl, ['delete', 'crd', COPY, '--ignore-not-found'], { env });
  await run(await ensureBinary('helm'), ['uninstall', 'upgrade-test'], { env });
  await rm(folder, { recursive: true });
});

it('docs/how-to/install.md upgrades custom resources that Helm has installed', async () => {
  const page = await readFile(join(root, 'docs/how-to/install.md'), 'utf8');
  const [, command = ''] = /`kubectl (apply [^`]*) -f charts\/operator\/crds\/?`/.exec(page) ?? [];
  const definition = (await readFile(join(root, `charts/operator/crds/${CRD}.yaml`), 'utf8'))
    .replaceAll('assistant-platform.io', 'upgrade-test.io')
    .replace('- ad\n', '- upgradetest\n');
  const file = join(folder, 'chart/crds/crd.yaml');

  const older = definition.replace('What should run, and how it gets there.', 'What should run.');
  expect(older).not.toBe(definition);
  await writeFile(file, older);
  await run(await ensureBinary('helm'), ['install', 'upgrade-test', join(folder, 'chart')], { env });
  await writeFile(file, definition);
  const kubectl = await ensureBinary('kubectl');
  await run(kubectl, [...command.split(' '), '-f', join(folder, 'chart/crds')], { env });

  const { stdout } = await run(kubectl, ['get', 'crd', COPY, '-o', 'json'], { env, maxBuffer: 2 ** 24 });
  expect(stdout).toContain('What should run, and how it gets there.');
});
