// What docs/failure-modes.md tells people to type where no operator is there, as it is written, against a real API server.
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { smallestObject } from '../../operator/api/specimens/base.ts';
import { childLabels } from '../../operator/rollout/names.ts';
import { toHttpRoute, type HttpRoute } from '../../operator/traffic/httpRoute.ts';
import { blocksOf } from './pages.ts';

const run = promisify(execFile);
const [TRAFFIC = '', DELETION = ''] = blocksOf('docs/failure-modes.md', 'sh');
const [STABLE = '', UPDATE = ''] = /STABLE=(\w+) UPDATE=(\w+)/.exec(TRAFFIC)?.slice(1) ?? [];
const namespace = `by-hand-${Date.now()}`;

let folder: string;
/** Runs lines as a person's shell does, in the namespace of the test. */
const shell = async (script: string): Promise<string> => {
  const env = {
    KUBECONFIG: join(folder, 'kubeconfig'),
    HOME: folder,
    PATH: [folder, process.env['PATH']].join(delimiter),
  };
  return (await run('bash', ['--norc', '-euo', 'pipefail', '-c', script], { env })).stdout;
};

async function create(object: object): Promise<void> {
  const file = join(folder, 'object.json');
  await writeFile(file, JSON.stringify(object));
  await shell(`kubectl create -f ${file}`);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'by-hand-'));
  await symlink(await ensureBinary('kubectl'), join(folder, 'kubectl'));
  await copyFile(inject('kubeconfig'), join(folder, 'kubeconfig'));
  await shell(`kubectl config set-context --current --namespace=${namespace}`);
  await shell(`kubectl create namespace ${namespace}`);
});
afterAll(async () => {
  await shell(`kubectl delete namespace ${namespace} --wait=false`);
  await rm(folder, { recursive: true });
});

const small = smallestObject();
const assistant = { ...small, metadata: { name: 'support', finalizers: ['assistant-platform.io/drain'] } };

describe('docs/failure-modes.md, by hand', () => {
  it('traffic: every rule of the routes leads to stable', async () => {
    await create(assistant);
    const revisions = {
      stableRevision: { hash: STABLE, release: '1' },
      updateRevision: { hash: UPDATE, release: '2' },
    };
    await shell(
      `kubectl patch ad support --subresource status --type merge -p '${JSON.stringify({ status: revisions })}'`,
    );
    const reference = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: 'owner',
      uid: 'u',
      controller: true,
      blockOwnerDeletion: false,
    };
    for (const component of ['chat', 'realtime']) {
      const intent = {
        component,
        path: '/',
        parentRef: { name: 'public' },
        hostnames: [],
        backends: [
          { revision: STABLE, port: 8080, weight: 50 },
          { revision: UPDATE, port: 8080, weight: 50 },
        ],
        byHeader: [STABLE, UPDATE].map((revision) => ({ revision, port: 8080 })),
        stickiness: { by: 'Bucket', stable: STABLE, update: UPDATE },
      } as const;
      const { metadata, ...route } = toHttpRoute({ name: 'support', namespace, reference }, intent, null);
      await create({ ...route, metadata: { ...metadata, ownerReferences: [] } });
    }

    expect(await shell(TRAFFIC)).toContain(`${STABLE} ${UPDATE}`);

    const { items } = JSON.parse(await shell('kubectl get httproute -o json')) as {
      readonly items: readonly HttpRoute[];
    };
    expect(items).toHaveLength(2);
    for (const { metadata, spec } of items) {
      const backends = (spec?.rules ?? []).flatMap(({ backendRefs = [] }) => backendRefs.map(({ name }) => name));
      expect(backends).toHaveLength(8);
      expect(new Set(backends)).toEqual(new Set([`${metadata.name}-${STABLE}`]));
    }
  });

  it('deletion: the object goes, and what the garbage collector leaves; what others have labelled stays', async () => {
    const labels = childLabels('support', 'chat', STABLE);
    const template = { metadata: { labels }, spec: { containers: [{ name: 'chat', image: 'none' }] } };
    const spec = { replicas: 0, selector: { matchLabels: labels }, template };
    await create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: `support-chat-${STABLE}`, labels },
      spec,
    });
    await create({
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: { name: `support-${STABLE}`, labels },
      revision: 1,
      data: {},
    });
    for (const name of ['support-admin', 'theirs'])
      await create({ apiVersion: 'v1', kind: 'Secret', metadata: { name, labels: childLabels('support') } });

    await shell(`kubectl delete ad support --wait=false\n${DELETION}`);

    expect(await shell('kubectl get ad,deployment,controllerrevision,secret -o name')).toBe('secret/theirs\n');
  });
});
