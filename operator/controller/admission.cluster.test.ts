// The chart's ValidatingAdmissionPolicies on a real API server: verbs that mean nothing are refused with the remedy; the operator's notes and the pod templates
// of released revisions are its own.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { API_VERSION, LABELS } from '@assistant-platform/api';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import {
  ApiClient,
  ApiError,
  connectionFromEnvironment,
  type Deployment,
  deployments,
  type KubeObject,
  namespaces,
  resourceType,
} from '@assistant-platform/runtime';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { restrictedKubeconfig } from '../../test/cluster/service-account.ts';
import { eventually } from '../../test/servers/child-process.ts';
import { NAMESPACE_RULES } from './permissions.ts';
import { assistantDeployments } from './resources.ts';

const CHART = new URL('../../charts/operator', import.meta.url).pathname;
const KINDS = {
  ValidatingAdmissionPolicy: resourceType(
    'admissionregistration.k8s.io/v1',
    'ValidatingAdmissionPolicy',
    'validatingadmissionpolicies',
    'Cluster',
  ),
  ValidatingAdmissionPolicyBinding: resourceType(
    'admissionregistration.k8s.io/v1',
    'ValidatingAdmissionPolicyBinding',
    'validatingadmissionpolicybindings',
    'Cluster',
  ),
};
const namespace = `admission-${Date.now()}`;
const ref = { namespace, name: 'support' };

/** The chart's release, and so the name of the operator's account. */
const RELEASE = 'admission-test';
const SPEC = {
  components: { chat: { image: 'a:1' } },
  gateway: { parentRef: { name: 'public' } },
  strategy: { type: 'BlueGreen', blueGreen: {} },
};
const workload = { namespace, name: 'support-chat-0001aaaa' };

let folder: string;
let client: ApiClient;
let operator: ApiClient;
let policies: KubeObject[] = [];

const typeOf = ({ kind }: KubeObject) => KINDS[kind as keyof typeof KINDS];

/** What the API server says to annotations on an existing object; null when it takes them. */
const refusal = (annotations: Readonly<Record<string, string>>, by = client): Promise<string | null> => {
  const named = Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [`assistant-platform.io/${key}`, value]),
  );
  return refused(by.patch(assistantDeployments, ref, { metadata: { annotations: named } }, { dryRun: true }));
};

/** The same of a change to the Deployment of a revision. */
const workloadRefusal = (change: object, by = client): Promise<string | null> =>
  refused(by.patch(deployments, workload, change, { dryRun: true }));

async function refused(request: Promise<unknown>): Promise<string | null> {
  try {
    await request;
    return null;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}

function deploymentOfRevision(): Deployment {
  const labels = { app: 'support' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      ...workload,
      labels: { [LABELS.name]: 'support', [LABELS.component]: 'chat', [LABELS.revision]: '0001aaaa' },
    },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'chat', image: 'a:1' }] } },
    },
  };
}

beforeAll(async () => {
  client = new ApiClient({
    connection: await connectionFromEnvironment({ kubeconfig: inject('kubeconfig') }),
    fieldManager: 'person',
  });
  const helm = await ensureBinary('helm');
  const args = ['template', RELEASE, CHART, '--namespace', namespace, '--set', `watchNamespaces={${namespace}}`];
  const { stdout } = await promisify(execFile)(helm, [...args, '--show-only', 'templates/admission.yaml']);
  policies = parseAllDocuments(stdout).map((document) => document.toJS() as KubeObject);
  await client.create(namespaces, { metadata: { name: namespace } });
  folder = await mkdtemp(join(tmpdir(), 'admission-'));
  const file = join(folder, 'operator.kubeconfig');
  await restrictedKubeconfig(client, inject('kubeconfig'), { namespace, name: RELEASE, rules: NAMESPACE_RULES, file });
  operator = new ApiClient({
    connection: await connectionFromEnvironment({ kubeconfig: file }),
    fieldManager: 'operator',
  });
  for (const policy of policies) await client.apply(typeOf(policy), policy);
  await client.create(deployments, deploymentOfRevision());
  await client.create(assistantDeployments, { apiVersion: API_VERSION, metadata: ref, spec: SPEC } as never);
  // The API server takes a moment until it goes by a new policy.
  await eventually('the policy to be in force', async () => (await refusal({ promote: 'now' })) !== null, 30_000);
  const edit = { spec: { template: { metadata: { annotations: { edited: 'yes' } } } } };
  await eventually('that of workloads as well', async () => (await workloadRefusal(edit)) !== null, 30_000);
});
afterAll(async () => {
  for (const policy of policies) await client.delete(typeOf(policy), { name: policy.metadata.name });
  await client.delete(namespaces, { name: namespace });
  client.close();
  operator.close();
  await rm(folder, { recursive: true, force: true });
});

describe('annotations of an AssistantDeployment', () => {
  it.each([
    [{ promote: 'step' }],
    [{ promote: 'full' }],
    [{ abort: 'too slow' }],
    [{ retry: '' }],
    [{ restart: '2026-01-31T12:00:00Z' }],
    [{ restart: '2026-01-31T12:00:00.123+01:00' }],
    [{ undo: '6c9f7d01' }],
    [{ note: 'anything of others' }],
  ])('%j is taken', async (annotations: Record<string, string>) => {
    expect(await refusal(annotations)).toBeNull();
  });

  it.each<[Record<string, string>, string]>([
    [{ promote: '' }, 'write step (ends the present pause) or full'],
    [{ promote: 'all' }, 'write step (ends the present pause) or full'],
    [{ abort: '' }, 'write the reason'],
    [{ restart: 'now' }, 'such as 2026-01-31T12:00:00Z'],
    [{ restart: '' }, 'such as 2026-01-31T12:00:00Z'],
    [{ undo: '1.0.0' }, 'write the hash of the revision whose spec this is'],
    [{ order: '{"verb":"promote"}' }, "is the operator's own note"],
    [{ restarted: '{"at":"x","of":"y"}' }, "is the operator's own note"],
    [{ undone: '{"to":"x","of":"y"}' }, "is the operator's own note"],
  ])('%j is refused with the remedy', async (annotations, remedy) => {
    expect(await refusal(annotations)).toContain(remedy);
  });

  it.each(['order', 'restarted', 'undone'])('%s is taken from the operator', async (note) => {
    expect(await refusal({ [note]: '{}' }, operator)).toBeNull();
  });
});

describe('an AssistantDeployment', () => {
  const manifest = (name: string, annotations: Readonly<Record<string, string>>) => ({
    apiVersion: API_VERSION,
    metadata: {
      ...{ namespace, name },
      finalizers: ['example.com/held'],
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([key, value]) => [`assistant-platform.io/${key}`, value]),
      ),
    },
    spec: SPEC,
  });
  const created = (annotations: Readonly<Record<string, string>>) =>
    refused(client.create(assistantDeployments, manifest('restored', annotations) as never, { dryRun: true }));

  it('is put back from a backup with the notes that it had', async () => {
    expect(await created({ order: '{}', restarted: '{"at":"x","of":"y"}', undone: '{}' })).toBeNull();
    expect(await created({ promote: 'all' })).toContain('write step (ends the present pause) or full');
  });

  it('is deleted whatever verb was stored while there was no policy', async () => {
    const [binding] = policies.filter(
      ({ kind, metadata: { name } }) => kind.endsWith('Binding') && !name.startsWith('workloads'),
    );
    if (binding === undefined) throw new Error('the chart has no binding');
    const name = 'held';
    const at = (change: object) =>
      refused(client.patch(assistantDeployments, { namespace, name }, { metadata: change }));
    await client.delete(typeOf(binding), { name: binding.metadata.name });
    await eventually('the policy to be out of force', async () => (await refusal({ promote: 'all' })) === null, 30_000);
    await client.create(assistantDeployments, manifest(name, { promote: 'all' }) as never);
    await client.apply(typeOf(binding), binding);
    await eventually('the policy to be in force', async () => (await refusal({ promote: 'all' })) !== null, 30_000);
    expect(await at({ labels: { team: 'search' } })).toContain('annotation assistant-platform.io/promote');
    await client.delete(assistantDeployments, { namespace, name });
    expect(await at({ finalizers: null })).toBeNull();
    expect(await client.find(assistantDeployments, { namespace, name })).toBeUndefined();
  });
});

describe('the Deployment of a revision', () => {
  const image = { spec: { template: { spec: { containers: [{ name: 'chat', image: 'b:1' }] } } } };
  // As `kubectl rollout restart` does it.
  const restart = {
    spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-01-31T12:00:00Z' } } } },
  };

  it.each([
    ['another image', image],
    ['kubectl rollout restart', restart],
    ['another image without the label', { metadata: { labels: { [LABELS.revision]: null } }, ...image }],
  ])('%s: refused with the remedy', async (_, change) => {
    expect(await workloadRefusal(change)).toMatch(/spec\.template: .* kubectl assistant restart support/);
  });

  it.each([
    ['its own replicas', { spec: { replicas: 0 } }],
    ['annotations of its own', { metadata: { annotations: { note: 'of others' } } }],
  ])('%s: taken', async (_, change) => {
    expect(await workloadRefusal(change)).toBeNull();
  });

  it('the operator changes it: a new version of it may make other pods', async () => {
    expect(await workloadRefusal(image, operator)).toBeNull();
  });

  it('one that is not ours is left alone', async () => {
    const name = { namespace, name: 'web' };
    const { spec } = deploymentOfRevision();
    await client.create(deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: name, spec } as Deployment);
    expect(await refused(client.patch(deployments, name, image, { dryRun: true }))).toBeNull();
  });
});
