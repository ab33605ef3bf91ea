// Kill points with the real operator process on a real API server: SIGKILL before or after one of its writes, by a proxy that stops there.
// kwok plays the kubelet, fixtures the gateway and the admin ports.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AssistantDeploymentSpec, type AssistantDeploymentStatus, LABELS, VERBS } from '@assistant-platform/api';
import {
  ApiClient,
  connectionFromEnvironment,
  deployments,
  type KubeObject,
  namespaces,
  podDisruptionBudgets,
  pods,
  type ResourceType,
  serviceAccounts,
  services,
} from '@assistant-platform/runtime';
import { assistantDeployments, controllerRevisions } from '../../../operator/controller/resources.ts';
import { httpRoutes } from '../../../operator/traffic/httpRoute.ts';
import { AdminPorts } from '../../cluster/admin-ports.ts';
import { GatewayStatus } from '../../cluster/gateway-status.ts';
import { OperatorProcess } from '../../cluster/operator-process.ts';
import { type StopPoint, WriteProxy } from '../../cluster/write-proxy.ts';
import type { Tree } from '../server/trees.ts';
import { timeless } from './scene.ts';
import { inParallel } from '../../in-parallel.ts';

type Status = AssistantDeploymentStatus;

const NAME = 'support';
const COMMON = { drain: { deadline: '20s' }, progressDeadline: '2m' };
const CANARY: AssistantDeploymentSpec['strategy'] = {
  type: 'Canary',
  canary: { steps: [{ setWeight: 20 }, { pause: { duration: '1s' } }] },
  ...COMMON,
};
const HELD: AssistantDeploymentSpec['strategy'] = {
  type: 'Canary',
  canary: { steps: [{ setWeight: 20 }, { pause: {} }] },
  ...COMMON,
};
/** Gives up soon. */
const IMPATIENT: AssistantDeploymentSpec['strategy'] = { ...CANARY, progressDeadline: '5s' };
const BLUE_GREEN: AssistantDeploymentSpec['strategy'] = {
  type: 'BlueGreen',
  blueGreen: { autoPromoteAfter: '1s', scaleDownDelay: '1s' },
  ...COMMON,
};

const spec = (
  version: string,
  strategy: AssistantDeploymentSpec['strategy'],
  replicas = 2,
): AssistantDeploymentSpec => ({
  release: version,
  components: {
    chat: { image: `localhost/assistant/chat:${version}`, replicas },
    realtime: { image: `localhost/assistant/realtime:${version}`, replicas },
  },
  gateway: { parentRef: { name: 'public', namespace: 'gateway-system' } },
  strategy,
});

/** The spec with pods that no node takes: they stay Pending. */
const homeless = (wanted: AssistantDeploymentSpec): AssistantDeploymentSpec => ({
  ...wanted,
  components: Object.fromEntries(
    Object.entries(wanted.components).map(([name, component]) => [
      name,
      { ...component, template: { spec: { nodeSelector: { 'kubernetes.io/hostname': 'nowhere' } } } },
    ]),
  ),
});

/** A namespace with an operator of its own. */
class Stage {
  readonly api: ApiClient;
  readonly namespace: string;
  readonly operator: OperatorProcess;
  readonly gateway: GatewayStatus;

  constructor(api: ApiClient, namespace: string, operator: OperatorProcess, gateway: GatewayStatus) {
    this.api = api;
    this.namespace = namespace;
    this.operator = operator;
    this.gateway = gateway;
  }

  get ref() {
    return { namespace: this.namespace, name: NAME };
  }

  async apply(wanted: AssistantDeploymentSpec): Promise<void> {
    await this.api.apply(
      assistantDeployments,
      { metadata: this.ref, spec: wanted },
      {
        fieldManager: 'person',
      },
    );
  }

  async status(): Promise<Status> {
    return (await this.api.find(assistantDeployments, this.ref))?.status ?? {};
  }

  /** @throws Error with the last status when it does not come to hold in time. */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + 120_000;
    while (!(await holds())) {
      if (performance.now() > end)
        throw new Error(
          `not within two minutes: ${what}; ${JSON.stringify(await this.status())}\n${this.operator.output.slice(-2000)}`,
        );
      await sleep(100);
    }
  }

  /** Promoted, drained, and only pods of the stable revision are left. */
  async finished(release: string): Promise<void> {
    await this.until(`${release} is stable and all else is gone`, async () => {
      const now = await this.status();
      const stable = now.stableRevision?.hash ?? '';
      const strays = (await this.list(services)).filter(
        ({ metadata }) => ![undefined, stable].includes(metadata.labels?.[LABELS.revision]),
      );
      const others = (await this.list(pods)).filter(({ metadata }) => metadata.labels?.[LABELS.revision] !== stable);
      const ready = now.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
      return (
        ready &&
        now.stableRevision?.release === release &&
        strays.length === 0 &&
        others.length === 0 &&
        now.draining === undefined
      );
    });
  }

  /** At the first pause of a canary. */
  async paused(): Promise<void> {
    await this.until('it pauses', async () => (await this.status()).blockedBy?.[0]?.reason === 'CanaryPauseStep');
  }

  /** Aborted and drained, and nothing of the update is left. */
  async calledBack(): Promise<void> {
    await this.until('it is aborted and drained', async () => {
      const now = await this.status();
      const update = now.updateRevision?.hash;
      const of = async <T extends KubeObject>(type: ResourceType<T>): Promise<T[]> =>
        (await this.list(type)).filter(({ metadata }) => metadata.labels?.[LABELS.revision] === update);
      const left = [...(await of(pods)), ...(await of(services)), ...(await of(podDisruptionBudgets))];
      const told = Object.values(now.components ?? {}).every(({ update: its }) => (its?.replicas ?? 0) === 0);
      return now.phase === 'Degraded' && left.length === 0 && told && now.draining === undefined;
    });
  }

  async list<T extends KubeObject>(type: ResourceType<T>): Promise<T[]> {
    return (await this.api.list(type, { namespace: this.namespace, labelSelector: LABELS.name })).items;
  }
}

interface RealPath {
  /** Begins with nothing there; otherwise 1.0.0 is installed and at rest. */
  readonly fromNothing?: true;
  readonly strategy: AssistantDeploymentSpec['strategy'];
  readonly story: (stage: Stage) => Promise<void>;
}

const release = async (stage: Stage, strategy: AssistantDeploymentSpec['strategy']): Promise<void> => {
  await stage.apply(spec('1.1.0', strategy));
  await stage.finished('1.1.0');
};

const REAL_PATHS: Readonly<Record<string, RealPath>> = {
  'first install': {
    fromNothing: true,
    strategy: CANARY,
    story: async (stage) => {
      await stage.apply(spec('1.0.0', CANARY));
      await stage.finished('1.0.0');
    },
  },
  canary: { strategy: CANARY, story: (stage) => release(stage, CANARY) },
  'blue-green': { strategy: BLUE_GREEN, story: (stage) => release(stage, BLUE_GREEN) },
  'abort by a person': {
    strategy: HELD,
    story: async (stage) => {
      await stage.apply(spec('1.1.0', HELD));
      await stage.paused();
      await stage.api.patch(assistantDeployments, stage.ref, {
        metadata: { annotations: { [VERBS.abort]: 'a test' } },
      });
      await stage.calledBack();
    },
  },
  'abort by the progress deadline': {
    strategy: CANARY,
    story: async (stage) => {
      await stage.apply(homeless(spec('9.9.9', IMPATIENT)));
      await stage.calledBack();
    },
  },
  undo: {
    strategy: CANARY,
    story: async (stage) => {
      await release(stage, CANARY);
      await stage.apply(spec('1.0.0', CANARY));
      await stage.finished('1.0.0');
    },
  },
  'new spec in mid-rollout': {
    strategy: HELD,
    story: async (stage) => {
      await stage.apply(spec('1.1.0', HELD));
      await stage.paused();
      await stage.apply(spec('1.2.0', CANARY));
      await stage.finished('1.2.0');
    },
  },
  'fewer pods': {
    strategy: CANARY,
    story: async (stage) => {
      await stage.apply(spec('1.0.0', CANARY, 1));
      await stage.until('one pod each, and the status says so', async () => {
        const now = await stage.status();
        const told = Object.values(now.components ?? {}).every(({ stable }) => stable?.replicas === 1);
        return told && (await stage.list(pods)).length === 2 && now.phase === 'Healthy' && now.draining === undefined;
      });
    },
  },
  delete: {
    strategy: CANARY,
    story: async (stage) => {
      await stage.api.delete(assistantDeployments, stage.ref);
      await stage.until(
        'it is gone',
        async () => (await stage.api.find(assistantDeployments, stage.ref)) === undefined,
      );
      await stage.until('its pods are gone', async () => (await stage.list(pods)).length === 0);
    },
  },
};

interface RealEnd {
  readonly state: unknown;
  /** Writes of the story. */
  readonly writes: number;
}

/**
 * Plays a path on the cluster of the kubeconfig.
 * @param onKill called when the operator is killed.
 */
async function playReal(
  kubeconfig: string,
  name: string,
  stop: StopPoint | null,
  onKill: () => void = () => undefined,
): Promise<RealEnd> {
  const path = REAL_PATHS[name];
  if (path === undefined) throw new Error(`there is no path "${name}"`);
  const api = new ApiClient({ connection: await connectionFromEnvironment({ kubeconfig }), fieldManager: 'test' });
  const namespace = `killed-${randomUUID().slice(0, 8)}`;
  const folder = await mkdtemp(join(tmpdir(), 'killpoints-'));
  await api.create(namespaces, { metadata: { name: namespace } });
  const gateway = new GatewayStatus(api, [namespace], { acceptMs: 40, moveMs: 120 });
  const ports = new AdminPorts();
  const config = join(folder, 'kubeconfig');
  await ports.start();
  const operator = new OperatorProcess([
    ...['--kubeconfig', config, '--namespaces', namespace, '--port', '0', '--settle', '300ms'],
    ...['--pod-address', ports.address],
  ]);
  const proxy = new WriteProxy(kubeconfig, stop, async () => {
    onKill();
    await operator.kill();
    operator.start();
  });
  await proxy.start(config);
  const stage = new Stage(api, namespace, operator, gateway);
  try {
    gateway.start();
    await stage.until(
      'the default ServiceAccount',
      async () => (await api.find(serviceAccounts, { namespace, name: 'default' })) !== undefined,
    );
    if (path.fromNothing === true) {
      proxy.count();
      operator.start();
    } else {
      operator.start();
      await stage.apply(spec('1.0.0', path.strategy));
      await stage.finished('1.0.0');
      proxy.count();
    }
    await path.story(stage);
    return { state: await stateOf(stage), writes: proxy.writes.length };
  } finally {
    await operator.stop();
    await proxy.stop();
    await gateway.stop();
    await ports.stop();
    await rm(folder, { recursive: true });
    if ((await api.find(assistantDeployments, stage.ref)) !== undefined)
      await api.patch(assistantDeployments, stage.ref, { metadata: { finalizers: null } });
    await api.delete(namespaces, { name: namespace });
    api.close();
  }
}

async function stateOf(stage: Stage): Promise<unknown> {
  const now = await stage.status();
  const specs = async <T extends KubeObject>(type: ResourceType<T>): Promise<unknown> =>
    (await stage.list(type)).map((object) => [object.metadata.name, (object as unknown as Tree)['spec']]);
  const names = async <T extends KubeObject>(type: ResourceType<T>): Promise<string[]> =>
    (await stage.list(type)).map(({ metadata }) => metadata.name);
  const { observedGeneration: _generation, ...status } = now;
  return {
    status: timeless(status),
    replicas: (await stage.list(deployments)).map(({ metadata, spec: wanted }) => [metadata.name, wanted?.replicas]),
    routes: await specs(httpRoutes),
    services: await names(services),
    budgets: await names(podDisruptionBudgets),
    revisions: await names(controllerRevisions),
    pods: (await stage.list(pods)).map(({ metadata }) => metadata.labels?.[LABELS.revision]).sort(),
  };
}

export interface RealResult {
  readonly path: string;
  readonly point: StopPoint;
  /** Whether the run came to the point, so that the operator was killed there. */
  readonly killed: boolean;
  /** What differs from the undisturbed run; null when nothing does. */
  readonly difference: string | null;
}

type Chosen = Pick<RealResult, 'path' | 'point'>;

/** A write more or less is a matter of timing, so the last points of a path may not be reached: earlier ones stand in for them, so many at most. */
const STAND_INS = 2;

/**
 * A sample of `points` kill points, spread evenly over all writes of all paths. One that a run does not come to is told and followed by another one.
 * @param parallel how many operators run at a time.
 * @param tell called for each result as it comes.
 * @returns what came of each point that was tried, and how many of them should have killed the operator.
 */
export async function killReal(
  kubeconfig: string,
  { points, parallel, tell }: { points: number; parallel: number; tell: (result: RealResult) => void },
): Promise<{ results: RealResult[]; sampled: number }> {
  const names = Object.keys(REAL_PATHS);
  const undisturbed = new Map<string, RealEnd>();
  await inParallel(names, parallel, async (name) => void undisturbed.set(name, await playReal(kubeconfig, name, null)));
  const all = names.flatMap((path) =>
    Array.from(
      { length: (undisturbed.get(path)?.writes ?? 0) * 2 },
      (_, index): Chosen => ({
        path,
        point: { write: index >> 1, when: index % 2 === 0 ? 'Before' : 'After' },
      }),
    ),
  );
  const sample = Array.from(
    { length: Math.min(points, all.length) },
    (_, index) => all[Math.floor((index * all.length) / points)],
  );
  const results: RealResult[] = [];
  await inParallel(sample, parallel, async (chosen) => {
    let next = chosen;
    for (let tries = 0; next !== undefined && tries <= STAND_INS; tries++) {
      const { result, writes } = await killedAt(kubeconfig, next, undisturbed.get(next.path));
      results.push(result);
      tell(result);
      const { path, point } = next;
      next =
        result.killed || result.difference !== null
          ? undefined
          : { path, point: { ...point, write: Math.max(0, writes - 2) } };
    }
  });
  return { results, sampled: sample.length };
}

/** One point, and how many writes its run had. */
async function killedAt(
  kubeconfig: string,
  { path, point }: Chosen,
  expected: RealEnd | undefined,
): Promise<{ result: RealResult; writes: number }> {
  let killed = false;
  const onKill = (): void => void (killed = true);
  try {
    const end = await playReal(kubeconfig, path, point, onKill);
    const [was, is] = [JSON.stringify(expected?.state), JSON.stringify(end.state)];
    const difference = was === is ? null : `undisturbed ${was}\n      this run    ${is}`;
    return { result: { path, point, killed, difference }, writes: end.writes };
  } catch (error) {
    const difference = error instanceof Error ? error.message : String(error);
    return { result: { path, point, killed, difference }, writes: point.write };
  }
}
