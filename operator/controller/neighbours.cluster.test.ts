// One operator works for many: what somebody stores in a namespace must not end it for the others. As a process, with little memory.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { API_VERSION, type AssistantDeploymentStatus } from '@assistant-platform/api';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import { ApiClient, configMaps, connectionFromEnvironment, namespaces } from '@assistant-platform/runtime';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { OperatorProcess } from '../../test/cluster/operator-process.ts';
import { restrictedKubeconfig } from '../../test/cluster/service-account.ts';
import { ELECTION_RULES, NAMESPACE_RULES } from './permissions.ts';
import { assistantDeployments } from './resources.ts';

/** MiB; less than the chart gives, so that less has to be stored. */
const MEMORY = ['--max-old-space-size=120', '--max-semi-space-size=4'];

let client: ApiClient;
let folder: string;
let namespace = '';
let operator: OperatorProcess;
let count = 0;

beforeEach(async () => {
  count += 1;
  namespace = `neighbours-${process.pid}-${count}`;
  folder = mkdtempSync(join(tmpdir(), 'neighbours-'));
  client = new ApiClient({
    connection: await connectionFromEnvironment({ kubeconfig: inject('kubeconfig') }),
    fieldManager: 'person',
  });
  await client.create(namespaces, { metadata: { name: namespace } });
  const file = join(folder, 'kubeconfig');
  const rules = [...NAMESPACE_RULES, ...ELECTION_RULES];
  await restrictedKubeconfig(client, inject('kubeconfig'), { namespace, name: 'operator', rules, file });
  operator = new OperatorProcess(['--kubeconfig', file, '--namespaces', namespace, '--port', '0'], {
    nodeArgs: MEMORY,
  });
});
afterEach(async () => {
  await operator.stop();
  for (const { metadata } of (await client.list(assistantDeployments, { namespace })).items)
    await client.patch(assistantDeployments, metadata, { metadata: { finalizers: null } });
  await client.delete(namespaces, { name: namespace });
  client.close();
  rmSync(folder, { recursive: true });
});

/** With the template as text: JSON.stringify does not come to the end of a deep one either. */
async function create(name: string, template: string): Promise<void> {
  const object = {
    apiVersion: API_VERSION,
    kind: 'AssistantDeployment',
    metadata: { namespace, name },
    spec: {
      components: { chat: { image: 'a:1', template: 'TEMPLATE' } },
      gateway: { parentRef: { name: 'public' } },
      strategy: { type: 'BlueGreen', blueGreen: {} },
    },
  };
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(object).replace('"TEMPLATE"', template));
  const path = `/apis/${API_VERSION}/namespaces/${namespace}/assistantdeployments`;
  await promisify(execFile)(await ensureBinary('kubectl'), [
    ...['--kubeconfig', inject('kubeconfig')],
    ...['create', '--raw', path, '-f', file],
  ]);
}

const status = async (name: string): Promise<AssistantDeploymentStatus> =>
  (await client.get(assistantDeployments, { namespace, name })).status ?? {};

/** Until the operator has looked at it. */
const looked = (name: string) =>
  expect.poll(async () => (await status(name)).observedGeneration, { timeout: 20_000, interval: 100 }).toBe(1);

it.each([
  ['maps', '{"a":', '}'],
  ['lists', '[', ']'],
])('a template of nine thousand %s inside each other is refused in its status', async (_, open, close) => {
  await create('deep', `{"metadata":${open.repeat(9000)}1${close.repeat(9000)}}`);
  await create('other', '{}');
  operator.start();
  await looked('other');
  await looked('deep');
  const { blockedBy } = await status('deep');
  expect(blockedBy?.[0]).toMatchObject({ reason: 'SpecRefused' });
  expect(blockedBy?.[0]?.message).toContain('components.chat.template: write at most 32 levels');
});

it('large ConfigMaps are taken in a few at a time, also behind many small ones', async () => {
  const data = { text: 'x'.repeat(1_000_000) };
  for (let each = 0; each < 200; each += 1)
    await client.create(configMaps, { metadata: { namespace, name: `a-small-${each}` }, data: { text: 'x' } });
  for (let each = 0; each < 80; each += 1)
    await client.create(configMaps, { metadata: { namespace, name: `large-${each}` }, data });
  await create('other', '{}');
  operator.start();
  await looked('other');
});
