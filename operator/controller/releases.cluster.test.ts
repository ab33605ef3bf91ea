// The operator as a process, on a real API server with real workload controllers; kwok plays the kubelet, a fixture the gateway.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  API_VERSION,
  type AssistantDeploymentSpec,
  type AssistantDeploymentStatus,
  LABELS,
  VERBS,
} from '@assistant-platform/api';
import {
  ApiClient,
  configMaps,
  connectionFromEnvironment,
  deployments,
  namespaces,
  pods,
  podDisruptionBudgets,
  resourceType,
  secrets,
  services,
  type Deployment,
} from '@assistant-platform/runtime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { AdminPorts } from '../../test/cluster/admin-ports.ts';
import { GatewayStatus } from '../../test/cluster/gateway-status.ts';
import { restrictedKubeconfig } from '../../test/cluster/service-account.ts';
import { OperatorProcess } from '../../test/cluster/operator-process.ts';
import { httpRoutes } from '../traffic/httpRoute.ts';
import { ELECTION_RULES, NAMESPACE_RULES } from './permissions.ts';
import { assistantDeployments, controllerRevisions, type StoredAssistantDeployment } from './resources.ts';

const resourceQuotas = resourceType('v1', 'ResourceQuota', 'resourcequotas');

let client: ApiClient;
let namespace = '';
let gateway: GatewayStatus;
let ports: AdminPorts;
let operator: OperatorProcess;
let count = 0;

const name = 'support';
const ref = () => ({ namespace, name });

const CANARY: AssistantDeploymentSpec['strategy'] = {
  type: 'Canary',
  canary: {
    steps: [{ setWeight: 10 }, { pause: { duration: '1s' } }, { setWeight: 50 }, { pause: { duration: '1s' } }],
  },
  drain: { deadline: '20s' },
  progressDeadline: '2m',
};
const BLUE_GREEN: AssistantDeploymentSpec['strategy'] = {
  type: 'BlueGreen',
  blueGreen: { autoPromoteAfter: '1s', scaleDownDelay: '1s' },
  drain: { deadline: '20s' },
};

function spec(
  version: string,
  strategy = CANARY,
  change: Partial<AssistantDeploymentSpec> = {},
): AssistantDeploymentSpec {
  return {
    release: version,
    components: {
      chat: { image: `localhost/assistant/chat:${version}`, replicas: 2 },
      realtime: { image: `localhost/assistant/realtime:${version}`, replicas: 2 },
    },
    gateway: { parentRef: { name: 'public', namespace: 'gateway-system' } },
    strategy,
    ...change,
  };
}

const apply = (wanted: AssistantDeploymentSpec): Promise<StoredAssistantDeployment> =>
  client.apply(assistantDeployments, { apiVersion: API_VERSION, metadata: ref(), spec: wanted } as never, {
    fieldManager: 'person',
  });

const status = async (): Promise<AssistantDeploymentStatus> =>
  (await client.get(assistantDeployments, ref())).status ?? {};

/** Follows the status until it is as wanted. Every version of it is seen by `each`. */
async function until(
  what: string,
  wanted: (status: AssistantDeploymentStatus) => boolean,
  each: (status: AssistantDeploymentStatus) => Promise<void> | void = () => undefined,
  timeoutMs = 60_000,
): Promise<AssistantDeploymentStatus> {
  const signal = AbortSignal.timeout(timeoutMs);
  let last: AssistantDeploymentStatus = {};
  const now = await client.get(assistantDeployments, ref());
  last = now.status ?? {};
  if (wanted(last)) return last;
  try {
    const watch = client.watch(assistantDeployments, {
      namespace,
      fieldSelector: `metadata.name=${name}`,
      resourceVersion: now.metadata.resourceVersion ?? '',
      timeoutSeconds: Math.ceil(timeoutMs / 1000),
      signal,
    });
    for await (const event of watch) {
      if (event.type === 'BOOKMARK') continue;
      last = event.object.status ?? {};
      await each(last);
      if (wanted(last)) return last;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  throw new Error(
    `${what}: not within ${timeoutMs} ms; last: ${JSON.stringify(last, null, 1)}\n${operator.output.split('\n').slice(-25).join('\n')}`,
  );
}

/** Tells of each pod when it is deleted or marked for it; counts them until `signal` ends it. */
async function forEachDeletedPod(signal: AbortSignal, tell: (pod: string) => void): Promise<number> {
  const { resourceVersion } = await client.list(pods, { namespace });
  const seen = new Set<string>();
  try {
    for await (const event of client.watch(pods, { namespace, resourceVersion, timeoutSeconds: 120, signal })) {
      if (event.type === 'BOOKMARK') continue;
      const { name: pod, deletionTimestamp } = event.object.metadata;
      if ((event.type !== 'DELETED' && deletionTimestamp === undefined) || seen.has(pod)) continue;
      seen.add(pod);
      tell(pod);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return seen.size;
}

const isReady = (release: string) => (now: AssistantDeploymentStatus) =>
  now.stableRevision?.release === release && now.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';

/** Ready, and nothing of the old revisions has pods any more. */
const isFinished = (release: string) => (now: AssistantDeploymentStatus) =>
  isReady(release)(now) && (now.draining ?? []).length === 0;

async function workloads(): Promise<Record<string, number>> {
  const { items } = await client.list(deployments, { namespace });
  return Object.fromEntries(
    items.map(({ metadata, spec: wanted }: Deployment) => [metadata.name, wanted?.replicas ?? 1]),
  );
}

const hash = (now: AssistantDeploymentStatus): string => now.stableRevision?.hash ?? '';

beforeAll(async () => {
  client = new ApiClient({
    connection: await connectionFromEnvironment({ kubeconfig: inject('kubeconfig') }),
    fieldManager: 'test',
  });
});
afterAll(() => client.close());

let folder = '';
beforeEach(async () => {
  count += 1;
  folder = mkdtempSync(join(tmpdir(), 'releases-'));
  namespace = `releases-${process.pid}-${count}`;
  await client.create(namespaces, { metadata: { name: namespace } });
  gateway = new GatewayStatus(client, [namespace], { acceptMs: 60, moveMs: 150 });
  gateway.start();
  ports = new AdminPorts();
  await ports.start();
  // With the rights that the chart gives, and no others.
  const kubeconfig = join(folder, 'kubeconfig');
  await restrictedKubeconfig(client, inject('kubeconfig'), {
    namespace,
    name: 'operator',
    rules: [...NAMESPACE_RULES, ...ELECTION_RULES],
    file: kubeconfig,
  });
  operator = new OperatorProcess([
    ...['--kubeconfig', kubeconfig, '--namespaces', namespace, '--port', '0'],
    ...['--settle', '300ms', '--pod-address', ports.address],
  ]);
  operator.start();
});

afterEach(async () => {
  await operator.stop();
  await gateway.stop();
  await ports.stop();
  rmSync(folder, { recursive: true });
  expect(gateway.errors).toEqual([]);
  const stuck = await client.find(assistantDeployments, ref());
  if (stuck !== undefined) await client.patch(assistantDeployments, ref(), { metadata: { finalizers: null } });
  await client.delete(namespaces, { name: namespace });
});

/** For a rollout whose operator is killed and started again some twenty times, on a busy machine. */
const LONG_MS = 400_000;

/** What a run leaves, without what differs from run to run. */
async function endState(): Promise<unknown> {
  const now = await status();
  const { items } = await client.list(assistantDeployments, { namespace });
  const names = async (type: Parameters<ApiClient['list']>[0]): Promise<string[]> =>
    (await client.list(type, { namespace })).items.map(({ metadata }) => metadata.name).sort();
  const live = (await client.list(pods, { namespace })).items.filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined,
  );
  return {
    phase: now.phase,
    stable: now.stableRevision,
    update: now.updateRevision?.hash,
    step: [now.step?.index, now.step?.count],
    weight: now.weight,
    blockedBy: now.blockedBy ?? [],
    outcomes: now.history?.map(({ hash: entry, outcome }) => [entry, outcome]),
    annotations: Object.keys(items[0]?.metadata.annotations ?? {}),
    workloads: await workloads(),
    services: await names(services),
    budgets: await names(podDisruptionBudgets),
    revisions: await names(controllerRevisions),
    pods: live.map(({ metadata }) => metadata.labels?.['assistant-platform.io/revision']).sort(),
    traffic: Object.fromEntries([...gateway.traffic].sort()),
  };
}

/** Installs 1.0.0 and releases 1.1.0; the operator is killed at each of the given changes of status. */
async function release(strategy: AssistantDeploymentSpec['strategy'], kill: boolean): Promise<unknown> {
  const seen = new Set<string>();
  const each = async (now: AssistantDeploymentStatus): Promise<void> => {
    const { release: label } = now.updateRevision ?? {};
    const reasons = now.blockedBy?.map(({ reason }) => reason);
    const place = JSON.stringify([label, now.phase, now.step?.index, now.weight, reasons, now.draining?.length]);
    if (!kill || seen.has(place)) return;
    seen.add(place);
    await operator.kill();
    operator.start();
  };
  await apply(spec('1.0.0', strategy));
  await until('installed', isReady('1.0.0'), each, LONG_MS);
  await apply(spec('1.1.0', strategy));
  await until('released', isFinished('1.1.0'), each, LONG_MS);
  await drained();
  return endState();
}

/** Only pods of the stable revision are left, and what belonged to the others is gone. */
async function drained(): Promise<void> {
  await expect
    .poll(
      async () => {
        const now = await status();
        const { items } = await client.list(pods, { namespace });
        const { items: left } = await client.list(services, { namespace });
        return [
          items.filter(({ metadata }) => metadata.labels?.['assistant-platform.io/revision'] !== hash(now)).length,
          left.filter(
            ({ metadata }) =>
              metadata.labels?.['assistant-platform.io/revision'] !== undefined &&
              metadata.labels['assistant-platform.io/revision'] !== hash(now),
          ).length,
          now.phase,
        ];
      },
      { timeout: 60_000, interval: 200 },
    )
    .toEqual([0, 0, 'Healthy']);
}

describe('releases on a real API server', () => {
  it('canary: 10, 50, 100 for both components, the old pods go when their sessions are gone [R-291] [R-297] [R-307]', async () => {
    await apply(spec('1.0.0'));
    const first = await until('installed', isReady('1.0.0'));
    const old = hash(first);
    gateway.changes.length = 0;
    await apply(spec('1.1.0'));
    const routed = new Set<number>();
    const second = await until('released', isFinished('1.1.0'), (now) => {
      if (now.weight !== undefined && now.phase !== 'Healthy') routed.add(now.weight.routed);
    });
    expect(second.history?.map(({ outcome }) => outcome)).toEqual(['Promoted', 'Promoted']);
    expect([...routed]).toEqual(expect.arrayContaining([0, 10, 50]));
    const shares = (route: string) =>
      gateway.changes
        .filter((change) => change.route === route)
        .map(({ split }) => split[`${route}-${hash(second)}`] ?? 0);
    expect(shares('support-chat')).toEqual([10, 50, 100]);
    expect(shares('support-realtime')).toEqual([10, 50, 100]);
    await drained();
    expect(await workloads()).toEqual({
      [`support-chat-${old}`]: 0,
      [`support-realtime-${old}`]: 0,
      [`support-chat-${hash(second)}`]: 2,
      [`support-realtime-${hash(second)}`]: 2,
    });
    const { data } = await client.get(secrets, { namespace, name: 'support-admin' });
    const token = Buffer.from(data?.['token'] ?? '', 'base64').toString();
    const told = [...ports.pods.values()].filter(({ drainingSince }) => drainingSince !== null);
    expect(told).toHaveLength(4);
    for (const { tokens } of told) expect(tokens).toEqual([`Bearer ${token}`]);
    expect(operator.errors()).toEqual([]);
    // Nothing under way: nothing is written any more.
    const { metadata } = await client.get(assistantDeployments, ref());
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect((await client.get(assistantDeployments, ref())).metadata.resourceVersion).toBe(metadata.resourceVersion);
  });

  it('pods that a quota refuses: the status says so in its words, and the release goes on when there is room', async () => {
    const quota = { namespace, name: 'pods' };
    const allow = (count: number) =>
      client.apply(resourceQuotas, { metadata: quota, spec: { hard: { pods: `${count}` } } } as never);
    await allow(4);
    await apply(spec('1.0.0'));
    await until('installed', isReady('1.0.0'));
    await apply(spec('1.1.0'));
    const isRefused = (now: AssistantDeploymentStatus) =>
      now.blockedBy?.some(({ message }) => message.includes('exceeded quota')) ?? false;
    const refused = await until('refused', isRefused);
    expect(refused.blockedBy?.[0]).toMatchObject({
      reason: 'PodsNotReady',
      message: expect.stringMatching(
        /^chat of release 1.1.0: 0 of 1 pods ready; FailedCreate: .*exceeded quota: pods, requested: pods=1/,
      ) as string,
    });
    await allow(20);
    await until('released', isFinished('1.1.0'), undefined, 120_000);
  }, 180_000);

  it('blue-green: one switch of all traffic, a preview before it [R-301]', async () => {
    await apply(spec('1.0.0', BLUE_GREEN));
    await until('installed', isReady('1.0.0'));
    gateway.changes.length = 0;
    await apply(spec('1.1.0', BLUE_GREEN));
    await until('preview', (now) => now.blockedBy?.[0]?.reason === 'BlueGreenPause');
    expect((await client.find(services, { namespace, name: 'support-chat-preview' }))?.spec?.selector).toMatchObject({
      'assistant-platform.io/revision': (await status()).updateRevision?.hash,
    });
    const done = await until('released', isFinished('1.1.0'));
    for (const route of ['support-chat', 'support-realtime']) {
      expect(gateway.changes.filter((change) => change.route === route).map(({ split }) => split)).toEqual([
        { [`${route}-${hash(done)}`]: 100 },
      ]);
    }
    await drained();
  });

  it('abort: all traffic back in one change, the spec left alone; retry goes on [R-298] [R-303]', async () => {
    const held = { ...CANARY, canary: { steps: [{ setWeight: 20 }, { pause: {} }] } };
    await apply(spec('1.0.0', held));
    const first = await until('installed', isReady('1.0.0'));
    await apply(spec('1.1.0', held));
    await until('paused', (now) => now.blockedBy?.[0]?.reason === 'CanaryPauseStep');
    gateway.changes.length = 0;
    await client.patch(assistantDeployments, ref(), {
      // More than a condition may hold: the API server would refuse the status as it is.
      metadata: { annotations: { [VERBS.abort]: `answers are wrong\n${'a line of the log\n'.repeat(3000)}` } },
    });
    const aborted = await until(
      'aborted',
      (now) => now.phase === 'Degraded' && (now.draining ?? []).length === 0 && now.weight?.routed === 0,
    );
    expect(aborted.abort).toMatchObject({
      by: 'User',
      reason: expect.stringMatching(/^answers are wrong\na line of the log\n.*…$/s) as string,
    });
    expect(aborted.conditions?.find(({ type }) => type === 'Progressing')).toMatchObject({
      status: 'False',
      reason: 'RolloutAborted',
    });
    for (const route of ['support-chat', 'support-realtime']) {
      expect(gateway.changes.filter((change) => change.route === route).map(({ split }) => split)).toEqual([
        { [`${route}-${hash(first)}`]: 100 },
      ]);
    }
    expect((await client.get(assistantDeployments, ref())).spec.release).toBe('1.1.0');
    await client.patch(assistantDeployments, ref(), { metadata: { annotations: { [VERBS.retry]: '' } } });
    await until('paused again', (now) => now.blockedBy?.[0]?.reason === 'CanaryPauseStep' && now.weight?.routed === 20);
    await client.patch(assistantDeployments, ref(), { metadata: { annotations: { [VERBS.promote]: 'step' } } });
    const done = await until('released', isFinished('1.1.0'));
    expect(done.history?.map(({ outcome }) => outcome)).toEqual(['Promoted', 'Aborted', 'Promoted']);
    expect((await client.get(assistantDeployments, ref())).metadata.annotations?.[VERBS.promote]).toBeUndefined();
  });

  it('an image that cannot be had: it holds and says why, stable keeps serving', async () => {
    await apply(spec('1.0.0'));
    const first = await until('installed', isReady('1.0.0'));
    const broken = spec('9.9.9');
    // Bound to a node that nobody plays: what the kubelet would say is said by this test.
    for (const component of Object.values(broken.components)) component.template = { spec: { nodeName: 'nobody' } };
    await apply(broken);
    const waiting = await until(
      'pods are there',
      (now) => now.blockedBy?.some(({ reason }) => reason === 'PodsNotReady') ?? false,
    );
    const label = `assistant-platform.io/revision=${waiting.updateRevision?.hash ?? ''}`;
    await expect
      .poll(async () => (await client.list(pods, { namespace, labelSelector: label })).items.length, {
        timeout: 20_000,
      })
      .toBe(2);
    for (const { metadata, spec: podSpec } of (await client.list(pods, { namespace, labelSelector: label })).items) {
      const state = {
        waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "localhost/assistant/chat:9.9.9"' },
      };
      const [container] = podSpec?.containers ?? [];
      const containerStatuses = [
        { name: container?.name, image: '', imageID: '', ready: false, restartCount: 0, state },
      ];
      await client.patch(
        pods,
        { namespace, name: metadata.name },
        { status: { phase: 'Pending', containerStatuses } },
        { subresource: 'status' },
      );
    }
    const held = await until(
      'holds',
      (now) => now.blockedBy?.filter(({ reason }) => reason === 'ImagePullBackOff').length === 2,
    );
    expect(held.blockedBy?.[0]?.message).toContain('Back-off pulling image');
    expect(held.stableRevision).toEqual({ hash: hash(first), release: '1.0.0' });
    expect(Object.fromEntries(gateway.traffic)).toEqual({
      'support-chat': { [`support-chat-${hash(first)}`]: 100 },
      'support-realtime': { [`support-realtime-${hash(first)}`]: 100 },
    });
    await apply(spec('1.0.0'));
    const back = await until('back', isFinished('1.0.0'));
    expect(back.history?.[0]?.outcome).toBe('RolledBack');
  });

  it('the scale subresource: more pods at once, fewer only when their sessions are gone', async () => {
    await apply(spec('1.0.0'));
    const first = await until('installed', isReady('1.0.0'));
    expect([first.replicas, first.selector]).toEqual([
      2,
      expect.stringContaining(`assistant-platform.io/revision=${hash(first)}`),
    ]);
    const scale = (replicas: number) =>
      client.patch(assistantDeployments, ref(), { spec: { components: { realtime: { replicas } } } });
    await scale(4);
    await until('four', (now) => now.components?.['realtime']?.stable?.ready === 4 && isReady('1.0.0')(now));
    ports.leaveEveryMs = 800;
    await scale(1);
    const draining = await until('draining', (now) => (now.draining?.[0]?.sockets ?? 0) > 0);
    expect(draining.draining).toMatchObject([{ hash: hash(first), component: 'realtime', forced: false }]);
    expect((await workloads())[`support-realtime-${hash(first)}`]).toBe(4);
    await until('one', (now) => now.components?.['realtime']?.stable?.replicas === 1 && isFinished('1.0.0')(now));
    for (const [pod, { drainingSince }] of ports.pods) if (drainingSince !== null) expect(ports.open(pod)).toBe(0);
  });

  it('contents of ConfigMaps and Secrets are copied for each revision, and an undo finds the old ones, whatever the originals hold by now', async () => {
    const write = async (level: string): Promise<void> => {
      const metadata = { name: 'settings', namespace };
      await client.apply(configMaps, { metadata, data: { LOG_LEVEL: level } }, { fieldManager: 'person' });
    };
    await write('info');
    await client.create(secrets, { metadata: { name: 'keys', namespace }, stringData: { key: 'k1' } });
    const reading = spec('1.0.0');
    for (const component of Object.values(reading.components))
      component.envFrom = [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'keys' } }];
    await apply(reading);
    const first = hash(await until('installed', isReady('1.0.0')));
    const copy = await client.get(configMaps, { namespace, name: `support-${first}-settings` });
    expect(copy).toMatchObject({ immutable: true, data: { LOG_LEVEL: 'info' } });
    const key = await client.get(secrets, { namespace, name: `support-${first}-keys` });
    expect([key.immutable, Buffer.from(key.data?.['key'] ?? '', 'base64').toString()]).toEqual([true, 'k1']);
    await write('debug');
    const second = hash(await until('the changed one', (now) => hash(now) !== first && isFinished('1.0.0')(now)));
    expect((await client.get(configMaps, { namespace, name: `support-${second}-settings` })).data).toEqual({
      LOG_LEVEL: 'debug',
    });
    const deployment = await client.get(deployments, { namespace, name: `support-chat-${second}` });
    expect(JSON.stringify(deployment.spec?.template)).toContain(`support-${second}-settings`);
    // The original goes on saying debug: what the pods read is the copy of then.
    await client.patch(assistantDeployments, ref(), { metadata: { annotations: { [VERBS.undo]: first } } });
    await until('the first again', (now) => hash(now) === first && isFinished('1.0.0')(now));
    const again = await client.get(deployments, { namespace, name: `support-chat-${first}` });
    expect(again.spec?.replicas).toBe(2);
    expect(JSON.stringify(again.spec?.template)).toContain(`support-${first}-settings`);
    expect((await client.get(configMaps, { namespace, name: copy.metadata.name })).data).toEqual({ LOG_LEVEL: 'info' });
    expect(operator.output).not.toContain('k1');
    expect(operator.output).not.toContain(Buffer.from('k1').toString('base64'));
  });

  it('a Service and a disruption budget that somebody edits are put right; what is added beside stays', async () => {
    await apply(spec('1.0.0'));
    const revision = hash(await until('installed', isReady('1.0.0')));
    const own = { namespace, name: `support-chat-${revision}` };
    const selector = (await client.get(services, own)).spec?.selector;
    await client.patch(services, own, {
      metadata: { labels: { team: 'search' } },
      spec: { selector: { app: 'mine' } },
    });
    await client.patch(podDisruptionBudgets, own, { spec: { maxUnavailable: 2 } });
    await expect
      .poll(async () => (await client.get(services, own)).spec?.selector, { timeout: 20_000, interval: 100 })
      .toEqual(selector);
    await expect
      .poll(async () => (await client.get(podDisruptionBudgets, own)).spec, { timeout: 20_000, interval: 100 })
      .toMatchObject({ maxUnavailable: 1 });
    expect((await client.get(services, own)).metadata.labels).toMatchObject({ team: 'search' });
  });

  it('what is left when somebody takes the finalizer away is removed by the operator', async () => {
    await apply(spec('1.0.0'));
    await until('installed', isReady('1.0.0'));
    await operator.stop();
    await client.patch(assistantDeployments, ref(), { metadata: { finalizers: null } });
    await client.delete(assistantDeployments, ref());
    expect(Object.keys(await workloads())).toHaveLength(2);
    operator.start();
    await expect.poll(workloads, { timeout: 30_000, interval: 100 }).toEqual({});
    const ours = { namespace, labelSelector: LABELS.name };
    await expect
      .poll(async () => (await client.list(controllerRevisions, ours)).items, { timeout: 30_000, interval: 100 })
      .toEqual([]);
  });

  // With Foreground the garbage collector removes dependents first: it must not get at pods that hold sessions.
  it.each(['Background', 'Foreground'] as const)(
    'a %s deletion drains first and leaves nothing',
    async (propagationPolicy) => {
      await apply(spec('1.0.0'));
      await until('installed', isReady('1.0.0'));
      const cut: string[] = [];
      const watching = new AbortController();
      const watch = forEachDeletedPod(watching.signal, (pod) => {
        if (ports.open(pod) > 0) cut.push(`${pod} goes with ${ports.open(pod)} sessions`);
      });
      await client.delete(assistantDeployments, ref(), { propagationPolicy });
      await expect
        .poll(() => client.find(assistantDeployments, ref()), { timeout: 60_000, interval: 100 })
        .toBeUndefined();
      watching.abort();
      expect(await watch).toBe(4);
      expect(cut).toEqual([]);
      for (const [pod, { drainingSince }] of ports.pods)
        expect([pod, drainingSince !== null, ports.open(pod)]).toEqual([pod, true, 0]);
      for (const type of [
        deployments,
        services,
        podDisruptionBudgets,
        controllerRevisions,
        httpRoutes,
        secrets,
      ] as const) {
        const ours = { namespace, labelSelector: LABELS.name };
        expect((await client.list<never>(type as never, ours)).items).toEqual([]);
      }
    },
  );
});

describe('killed at every change of status (SIGKILL)', () => {
  it.each([
    ['canary', CANARY],
    ['blue-green', BLUE_GREEN],
  ])(
    '%s: the same end as undisturbed [R-300]',
    async (_title, strategy) => {
      const undisturbed = await release(strategy, false);
      await client.delete(assistantDeployments, ref());
      await expect
        .poll(() => client.find(assistantDeployments, ref()), { timeout: 60_000, interval: 100 })
        .toBeUndefined();
      gateway.traffic.clear();
      const killed = await release(strategy, true);
      console.log(`killed ${operator.kills} times`);
      // Every status that is written is a decision, a wait, or counts of a second.
      expect(operator.kills).toBeGreaterThan(5);
      expect(killed).toEqual(undisturbed);
    },
    400_000,
  );
});
