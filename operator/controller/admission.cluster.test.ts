// The chart's ValidatingAdmissionPolicy on a real API server: verbs that mean nothing are refused with the remedy, the operator's notes are its own.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { API_VERSION } from '@assistant-platform/api';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import {
  ApiClient,
  ApiError,
  connectionFromEnvironment,
  type KubeObject,
  namespaces,
  resourceType,
} from '@assistant-platform/runtime';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { eventually } from '../../test/servers/child-process.ts';
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

let client: ApiClient;
let policies: KubeObject[] = [];

const typeOf = ({ kind }: KubeObject) => KINDS[kind as keyof typeof KINDS];

/** What the API server says to annotations on an existing object; null when it takes them. */
async function refusal(annotations: Readonly<Record<string, string>>): Promise<string | null> {
  const named = Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [`assistant-platform.io/${key}`, value]),
  );
  try {
    await client.patch(assistantDeployments, ref, { metadata: { annotations: named } }, { dryRun: true });
    return null;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}

beforeAll(async () => {
  client = new ApiClient({
    connection: await connectionFromEnvironment({ kubeconfig: inject('kubeconfig') }),
    fieldManager: 'person',
  });
  const helm = await ensureBinary('helm');
  const args = [
    'template',
    'admission-test',
    CHART,
    '--namespace',
    'nowhere',
    '--set',
    `watchNamespaces={${namespace}}`,
  ];
  const { stdout } = await promisify(execFile)(helm, [...args, '--show-only', 'templates/admission.yaml']);
  policies = parseAllDocuments(stdout).map((document) => document.toJS() as KubeObject);
  await client.create(namespaces, { metadata: { name: namespace } });
  for (const policy of policies) await client.apply(typeOf(policy), policy);
  await client.create(assistantDeployments, {
    apiVersion: API_VERSION,
    metadata: ref,
    spec: {
      components: { chat: { image: 'a:1' } },
      gateway: { parentRef: { name: 'public' } },
      strategy: { type: 'BlueGreen', blueGreen: {} },
    },
  } as never);
  // The API server takes a moment until it goes by a new policy.
  await eventually('the policy to be in force', async () => (await refusal({ promote: 'now' })) !== null, 30_000);
});
afterAll(async () => {
  for (const policy of policies) await client.delete(typeOf(policy), { name: policy.metadata.name });
  await client.delete(namespaces, { name: namespace });
  client.close();
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
});
