// What the operator's chart renders of names and values that Helm takes, a real API server takes, too: server-side apply, as Helm 4 does it, as a dry run.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import { ApiClient, connectionFromEnvironment, namespaces } from '@assistant-platform/runtime';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';

const CHART = new URL('../../charts/operator', import.meta.url).pathname;
const run = promisify(execFile);
const system = `chart-${process.pid}`;

let client: ApiClient;
let folder: string;

beforeAll(async () => {
  client = new ApiClient({
    connection: await connectionFromEnvironment({ kubeconfig: inject('kubeconfig') }),
    fieldManager: 'person',
  });
  folder = await mkdtemp(join(tmpdir(), 'chart-'));
  await client.create(namespaces, { metadata: { name: system } });
});
afterAll(async () => {
  await client.delete(namespaces, { name: system });
  client.close();
  await rm(folder, { recursive: true });
});

/** Renders a release and has it taken. @throws Error with what Helm or the API server refuses. */
async function install(release: string, values: object): Promise<string> {
  const [given, rendered] = [join(folder, 'values.yaml'), join(folder, 'rendered.yaml')];
  await writeFile(given, stringify(values));
  const { stdout } = await run(await ensureBinary('helm'), [
    ...['template', release, CHART, '--namespace', system, '-f', given],
  ]);
  expect(parseAllDocuments(stdout).flatMap(({ errors }) => errors)).toEqual([]);
  await writeFile(rendered, stdout);
  await run(await ensureBinary('kubectl'), [
    ...['--kubeconfig', inject('kubeconfig')],
    ...['apply', '--server-side', '--dry-run=server', '-f', rendered],
  ]);
  return stdout;
}

it.each(['7', 'my.operator', `${'a'.repeat(49)}.xyz`])('a release named %s', async (release) => {
  await install(release, {});
});

it('the labels and annotations of the values, but for those that select the pods', async () => {
  const rendered = await install('operator', {
    podLabels: { 'app.kubernetes.io/part-of': 'shop', 'app.kubernetes.io/name': 'mine', team: '7' },
    podAnnotations: { 'prometheus.io/scrape': 'false' },
  });
  const deployment = parseAllDocuments(rendered)
    .map((document) => document.toJS() as { kind: string; spec: { template: { metadata: object } } })
    .find(({ kind }) => kind === 'Deployment');
  expect(deployment?.spec.template.metadata).toMatchObject({
    labels: { 'app.kubernetes.io/part-of': 'shop', 'app.kubernetes.io/name': 'assistant-operator', team: '7' },
    annotations: { 'prometheus.io/scrape': 'false', 'prometheus.io/port': '8080' },
  });
});

it('what a person writes who knows Kubernetes', async () => {
  await install('operator', {
    replicas: 0,
    watchNamespaces: [system],
    image: { tag: '1', pullSecrets: [{ name: 'registry' }] },
    serviceAccount: { name: '007', annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/x' } },
    env: [{ name: 'ASSISTANT_PROMETHEUS_URL', valueFrom: { secretKeyRef: { name: 'prometheus', key: 'url' } } }],
    tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
    nodeSelector: { disk: 'true' },
    affinity: { nodeAffinity: {} },
    resources: { limits: { cpu: 1, memory: '512Mi' } },
    networkPolicy: { from: [{ namespaceSelector: {} }, { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }] },
    priorityClassName: 'high',
  });
});

it('keys without a value', async () => {
  await install('operator', { podLabels: null, podAnnotations: null, env: null, tolerations: null, resources: null });
});
