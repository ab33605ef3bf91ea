// Objects of somebody else that have the names that the operator would give: nothing of them is used, changed or deleted, the status names them, and the
// release goes on when they are out of the way.
import { LABELS } from '@assistant-platform/api';
import {
  configMaps,
  deployments,
  type KubeObject,
  podDisruptionBudgets,
  pods,
  type ResourceType,
  secrets,
  services,
} from '@assistant-platform/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import type { Status } from '../../operator/rollout/state.ts';
import { httpRoutes } from '../../operator/traffic/httpRoute.ts';
import { ownedBy } from './invariants/truth.ts';
import { alone } from './schedule/alone.ts';
import { SETTINGS, SUBJECT } from './schedule/specs.ts';
import { calm } from './server/network.ts';

const { namespace } = SUBJECT;
const by = { by: 'somebody else' };
const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

function begin() {
  const { cluster, people, end } = alone(calm);
  ended.push(end);
  return { cluster, people, status: (): Status => people.subject?.status ?? {} };
}

/** Without what the gateway writes to the status of every route. */
function asMade(object: KubeObject | undefined): object {
  const { status: _status, metadata, ...rest } = (object ?? {}) as Partial<KubeObject> & { status?: unknown };
  return { ...rest, metadata: { ...metadata, resourceVersion: '' } };
}

const secret = { type: 'Opaque', stringData: { password: 'hunter2' } };
const service = { spec: { selector: { app: 'shop' }, ports: [{ name: 'http', port: 80 }] } };
const route = { spec: { parentRefs: [{ name: 'shop' }], rules: [] } };
const other = { [LABELS.name]: 'another' };

describe.each<[string, ResourceType, string, object, Record<string, string> | undefined]>([
  ['a Secret without labels', secrets, 'support-admin', secret, undefined],
  ['a Service without labels', services, 'support-chat', service, { app: 'shop' }],
  ['a Service of another AssistantDeployment', services, 'support-chat', service, other],
  ['an HTTPRoute without labels', httpRoutes, 'support-chat', route, undefined],
])('%s', (_what, type, name, body, labels) => {
  const ref = { namespace, name };
  const metadata = { ...ref, ...(labels === undefined ? {} : { labels }) };

  it('that has the name of one of ours is left alone and named in the status, and the release goes on when it is gone', async () => {
    const { cluster, status } = begin();
    const foreign = cluster.server.create(type, { metadata, ...body }, by);
    await cluster.clock.advance(60_000);
    expect(asMade(cluster.server.find<KubeObject>(type, ref))).toEqual(asMade(foreign));
    expect(status()).toMatchObject({ phase: 'Progressing' });
    expect(status().blockedBy?.[0]?.reason).toBe('WriteRefused');
    expect(status().message).toMatch(
      new RegExp(`^${type.kind} ${namespace}/${name} is not of this AssistantDeployment .*Rename it, or the Assistant`),
    );

    cluster.server.delete(type, ref, by);
    await cluster.clock.advance(180_000);
    expect(status()).toMatchObject({ phase: 'Healthy' });
    expect(status().blockedBy ?? []).toEqual([]);
  });

  it('outlives the AssistantDeployment, of which nothing else is left', async () => {
    const { cluster, people } = begin();
    const foreign = cluster.server.create(type, { metadata, ...body }, by);
    await cluster.clock.advance(20_000);
    people.delete();
    await cluster.clock.advance(120_000);
    expect(people.subject).toBeUndefined();
    expect(asMade(cluster.server.find<KubeObject>(type, ref))).toEqual(asMade(foreign));
    const left = [secrets, services, deployments, httpRoutes].flatMap((each) =>
      ownedBy<KubeObject>(cluster, each, SUBJECT),
    );
    expect(left).toEqual([]);
  });
});

it('no pod mounts a foreign Secret, and the release begins at once when it has gone', async () => {
  const { cluster, status } = begin();
  const ref = { namespace, name: 'support-admin' };
  cluster.server.create(secrets, { metadata: ref, ...secret }, by);
  await cluster.clock.advance(120_000);
  expect(cluster.server.list(deployments)).toEqual([]);
  expect(cluster.server.list(pods)).toEqual([]);

  // The next try by itself would be minutes away.
  cluster.server.delete(secrets, ref, by);
  await cluster.clock.advance(20_000);
  expect(status().phase).toBe('Healthy');
});

it('a Service of ours that has lost its label is still ours: it is put right', async () => {
  const { cluster, status } = begin();
  await cluster.clock.advance(60_000);
  const ref = { namespace, name: 'support-chat' };
  cluster.server.patch(services, ref, { metadata: { labels: { [LABELS.name]: null } } }, by);
  await cluster.clock.advance(20_000);
  expect(cluster.server.get(services, ref).metadata.labels).toMatchObject({ [LABELS.name]: 'support' });
  expect(status().phase).toBe('Healthy');
});

const template = {
  metadata: { labels: { app: 'tools' } },
  spec: { containers: [{ name: 'tools', image: 'tools:1' }] },
};
const selector = { matchLabels: { app: 'tools' } };

it.each<[string, ResourceType, object]>([
  ['Secret', secrets, secret],
  ['ConfigMap', configMaps, { data: { motd: 'hello' } }],
  ['Deployment', deployments, { spec: { replicas: 1, selector, template } }],
  ['Pod', pods, { spec: { ...template.spec, nodeName: 'node-1' } }],
  ['Service', services, service],
  ['HTTPRoute', httpRoutes, route],
  ['PodDisruptionBudget', podDisruptionBudgets, { spec: { maxUnavailable: 1, selector } }],
])(
  'a %s that a person has labelled as belonging to the assistant is no part of it, and outlives it',
  async (_, type, body) => {
    const { cluster, people, status } = begin();
    const name = 'support-tools';
    cluster.server.create(type, { metadata: { namespace, name, labels: { [LABELS.name]: 'support' } }, ...body }, by);
    const content = (): object => {
      const found = cluster.server.find<KubeObject & { spec?: object; data?: object }>(type, { namespace, name });
      const { uid, labels, ownerReferences } = found?.metadata ?? {};
      return { uid, labels, ownerReferences, spec: found?.spec, data: found?.data };
    };
    const before = content();
    await cluster.clock.advance(60_000);
    expect(status().phase).toBe('Healthy');
    people.release('1.1.0');
    await cluster.clock.advance(600_000);
    expect(status()).toMatchObject({ phase: 'Healthy', stableRevision: { release: '1.1.0' } });
    people.delete();
    await cluster.clock.advance(120_000);
    expect(people.subject).toBeUndefined();
    expect(content()).toEqual(before);
  },
);

it('a ConfigMap that belongs to another assistant, by its label, is followed where it is referred to', async () => {
  const { cluster, people, status } = begin();
  await cluster.clock.advance(60_000);
  cluster.server.patch(configMaps, SETTINGS, { metadata: { labels: other } }, by);
  await cluster.clock.advance(120_000);
  const before = status().updateRevision?.hash;
  people.configure(7);
  await cluster.clock.advance(2_000);
  expect(status().updateRevision?.hash).not.toBe(before);
});
