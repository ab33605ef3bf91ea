// The embedded cluster: start, stop and look at an instance. A real Kubernetes of its own components, without Docker.
//
// An instance is named by the folder that holds its state. Tier `control-plane` is etcd, API server, controller-manager and
// scheduler on loopback, for anybody; tier `node` adds containerd, kubelet and kube-proxy in namespaces of its own, for root.
import { Resolver } from 'node:dns/promises';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Progress, silentProgress } from '../progress/progress.ts';
import { rootNeeded } from '../system/system.ts';
import { withFileLock } from '../toolchain/lock.ts';
import { clusterDns, gatewayApi, storageClass } from './add-ons.ts';
import type { AddressPlan } from './addresses.ts';
import { ApiClient } from './api-client.ts';
import type { KubernetesObject } from './api-client.ts';
import { addFakeNodes } from './fake-nodes.ts';
import { importImage } from './image-import.ts';
import { instanceOf, filesOf } from './instance.ts';
import type { Instance, Tier } from './instance.ts';
import { endProcesses, launchBeside, launchInNamespace, runningInit } from './launch.ts';
import { prepare, register, registrations, release, sweep, withMachine } from './machine.ts';
import type { ProcessIdentity } from './processes.ts';
import { isAlive } from './processes.ts';
import { findBinaries, outsideNameServers, writeControlPlane, writeNode } from './setup.ts';
import type { Specification } from './specification.ts';
import { readJson } from './state-file.ts';
import { readStatus } from './status.ts';
import type { SupervisorStatus } from './status.ts';
import { systemImageRefs, systemImages } from './system-images.ts';

export type { Tier } from './instance.ts';

/** What to start. */
export interface ClusterOptions {
  /** Folder of the state; names the instance. Made if it is not there. */
  readonly stateDir: string;
  readonly tier: Tier;
  /** Tier `node`: let pods reach the world outside this machine. Default false. */
  readonly egress?: boolean;
  /** Tier `control-plane`: so many nodes that exist in the API only, whose pods become ready by themselves (kwok). */
  readonly fakeNodes?: number;
  /** Network of the fake pods' addresses. Default 198.18.0.0/22. */
  readonly fakePods?: string;
  /** Tier `control-plane`: network of the Services' addresses, of which each takes one. Default 198.18.4.0/22: 1,000 Services. */
  readonly fakeServices?: string;
  /** Tier `control-plane`: write down all requests of these users in `logs/audit.log`. For benchmarks. Default: of nobody. */
  readonly audit?: readonly string[];
  /** Stop the instance when this process ends, however it ends. For tests. Default false. */
  readonly tied?: boolean;
  readonly progress?: Progress;
}

/** A running instance. */
export interface Cluster {
  /** Also the name of the kubeconfig's context and, in tier `node`, of the node. */
  readonly id: string;
  /** Absolute path of a kubeconfig with full rights, readable by its owner only. */
  readonly kubeconfig: string;
  /** Where NodePorts answer; 127.0.0.1 in tier `control-plane`, which has none. */
  readonly nodeAddress: string;
  readonly tier: Tier;
  /**
   * Makes an image known to the node; does nothing when exactly this one is there.
   *
   * @param archive OCI or Docker archive.
   * @param ref full reference, e.g. `localhost/assistant/chat:1.0.0`.
   */
  loadImage(archive: string, ref: string): Promise<void>;
  /** Stops the instance and keeps its data. */
  stop(): Promise<void>;
}

/** Longest wait for a cluster that starts on a busy machine. */
const START_TIMEOUT_MS = 180_000;
const POLL_MS = 50;

/**
 * Starts the instance, or gives it when it runs already. What a killed run left behind is ended and removed first.
 *
 * @throws Error naming the component that does not come up, with the last lines of its log.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const instance = instanceOf(options.stateDir);
  const progress = options.progress ?? silentProgress;
  if (options.tier === 'node' && process.getuid?.() !== 0) {
    throw new Error(rootNeeded('start'));
  }
  await mkdir(instance.stateDir, { recursive: true, mode: 0o700 });
  const waiting = (): void => progress.print(`Waiting for another start or stop of ${instance.id} to end.`);
  return await withFileLock(join(instance.stateDir, 'lock'), 'exclusive', { onWait: waiting }, async () => {
    const name = options.tier === 'node' ? 'Cluster' : 'Control plane';
    return await progress.task(name, { estimateSeconds: options.tier === 'node' ? 15 : 5 }, async (task) => {
      const running = await matching(instance, options);
      if (running === undefined) {
        task.status('ending what is left of an earlier run');
        await stopInstance(instance);
        task.status('starting');
        await launch(instance, options, progress);
      }
      const cluster = await connect(instance);
      await settle(instance, options, progress, (text) => task.status(text));
      task.status('');
      return cluster;
    });
  });
}

/** Stops the instance of the folder, running or killed, and undoes all it changed on the machine. Its data is kept. */
export async function stopCluster(stateDir: string): Promise<void> {
  const instance = instanceOf(stateDir);
  if (statSync(instance.stateDir, { throwIfNoEntry: false }) === undefined) return;
  await withFileLock(join(instance.stateDir, 'lock'), 'exclusive', {}, () => stopInstance(instance));
}

/** What is known of the instance of the folder. */
export interface ClusterStatus {
  readonly id: string;
  /** `absent`: never started, or stopped. `killed`: it ended without being stopped; a start or stop removes what is left. */
  readonly state: 'absent' | 'killed' | 'starting' | 'running' | 'stopping' | 'failed';
  /** What the supervisor last said. */
  readonly supervisor?: SupervisorStatus;
  /** Lines about crashes and restarts of components, newest last. */
  readonly events: readonly string[];
}

/** Looks at the instance of the folder without changing anything. */
export async function clusterStatus(stateDir: string): Promise<ClusterStatus> {
  const instance = instanceOf(stateDir);
  const files = filesOf(instance.stateDir);
  const supervisor = await readStatus(files.status);
  const alive = (await runningInit(instance)) !== undefined;
  const events =
    statSync(files.events, { throwIfNoEntry: false }) === undefined ? '' : await readFile(files.events, 'utf8');
  return {
    id: instance.id,
    state: stateOf(supervisor, alive),
    ...(supervisor === undefined ? {} : { supervisor }),
    events: events.split('\n').filter((line) => line !== ''),
  };
}

function stateOf(supervisor: SupervisorStatus | undefined, alive: boolean): ClusterStatus['state'] {
  const phase = supervisor?.phase;
  if (phase === undefined || phase === 'stopped') return alive ? 'starting' : 'absent';
  if (phase === 'failed') return 'failed';
  return alive ? phase : 'killed';
}

/** The specification of the running instance if it is what the options ask for. */
async function matching(instance: Instance, options: ClusterOptions): Promise<Specification | undefined> {
  const files = filesOf(instance.stateDir);
  const specification = await readJson<Specification>(files.specification);
  const status = await clusterStatus(instance.stateDir);
  if (specification === undefined || (status.state !== 'running' && status.state !== 'starting')) return undefined;
  const same =
    specification.tier === options.tier &&
    (specification.node?.egress ?? false) === (options.egress ?? false) &&
    specification.components.some(({ name }) => name === 'kwok') === (options.fakeNodes ?? 0) > 0;
  return same ? specification : undefined;
}

async function launch(instance: Instance, options: ClusterOptions, progress: Progress): Promise<void> {
  const files = filesOf(instance.stateDir);
  const binaries = await findBinaries(options, progress);
  await rm(files.status, { force: true });
  const tied = options.tied ?? false;
  if (options.tier === 'control-plane') {
    await writeControlPlane(instance, binaries, options);
    await launchBeside(instance, tied);
    return;
  }
  const earlier = await readJson<Specification>(files.specification);
  await withMachine(async () => {
    await sweep();
    try {
      const plan = await prepare(instance, earlier?.node?.plan.index);
      await writeNode(instance, binaries, plan, options);
      await launchInNamespace(instance, tied, (init) => register(instance, plan, init, options.egress ?? false));
    } catch (error) {
      await endProcesses(instance);
      await release(instance);
      throw error;
    }
  });
}

async function stopInstance(instance: Instance): Promise<void> {
  await endProcesses(instance);
  if ((await registrations()).some(({ id }) => id === instance.id)) await withMachine(() => release(instance));
}

async function connect(instance: Instance): Promise<Cluster> {
  const files = filesOf(instance.stateDir);
  const specification = await readJson<Specification>(files.specification);
  const init = await runningInit(instance);
  if (specification === undefined || init === undefined) throw await startFailure(instance);
  return {
    id: instance.id,
    kubeconfig: files.kubeconfig,
    nodeAddress: specification.node?.plan.node ?? '127.0.0.1',
    tier: specification.tier,
    loadImage: (archive, ref) => {
      if (specification.node === undefined) throw new Error('loadImage: tier control-plane runs no containers');
      return importImage(init, archive, ref);
    },
    stop: () => stopCluster(instance.stateDir),
  };
}

/** Waits until the cluster can be used, and gives it what every cluster has. Safe to repeat on a running one. */
async function settle(
  instance: Instance,
  options: ClusterOptions,
  progress: Progress,
  say: (text: string) => void,
): Promise<void> {
  const files = filesOf(instance.stateDir);
  const init = await runningInit(instance);
  const specification = await readJson<Specification>(files.specification);
  if (init === undefined || specification === undefined) throw await startFailure(instance);
  const patience: Patience = { instance, init, deadline: Date.now() + START_TIMEOUT_MS, say };
  const api = new ApiClient(readFileSync(files.kubeconfig, 'utf8'));
  try {
    const { node } = specification;
    // A pod must not be started before its image is there: the kubelet would wait before it looked again.
    if (node !== undefined) await loadSystemImages(patience, progress);
    await componentsReady(patience, ['kube-apiserver']);
    const upstream = options.egress === true ? await outsideNameServers() : [];
    const objects: KubernetesObject[] = [
      ...(await gatewayApi()),
      ...(node === undefined ? [] : [storageClass(), ...clusterDns(node.plan, systemImageRefs().coredns, upstream)]),
    ];
    await Promise.all(objects.map((object) => api.apply(object)));
    await componentsReady(
      patience,
      specification.components.map(({ name }) => name),
    );
    await until(patience, 'the default ServiceAccount (kube-controller-manager makes it)', async () => {
      return (await api.get('/api/v1/namespaces/default/serviceaccounts/default')) !== undefined;
    });
    if ((options.fakeNodes ?? 0) > 0) await addFakeNodes(api, options.fakeNodes ?? 0);
    if (node !== undefined) await nodeReady(patience, api, instance.id, node.plan);
  } finally {
    api.close();
  }
}

/** Waits for the node and for a name to be resolved. What the API says of the time before this start does not count. */
async function nodeReady(patience: Patience, api: ApiClient, name: string, plan: AddressPlan): Promise<void> {
  interface Node {
    readonly status?: {
      readonly conditions?: readonly {
        readonly type: string;
        readonly status: string;
        readonly lastHeartbeatTime: string;
      }[];
    };
  }
  const status = await readStatus(filesOf(patience.instance.stateDir).status);
  // Heartbeats are told to the second.
  const since = Math.floor(Date.parse(status?.startedAt ?? '') / 1000) * 1000;
  await until(patience, 'the node to be Ready', async () => {
    const node = await api.get<Node>(`/api/v1/nodes/${name}`);
    const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready');
    return ready?.status === 'True' && Date.parse(ready.lastHeartbeatTime) >= since;
  });
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([plan.dnsService]);
  await until(patience, 'cluster DNS', async () => {
    const addresses = await resolver.resolve4('kubernetes.default.svc.cluster.local').catch(() => undefined);
    return addresses?.includes(plan.kubernetesService) === true;
  });
}

/** Loads pause and CoreDNS as soon as containerd answers. */
async function loadSystemImages(patience: Patience, progress: Progress): Promise<void> {
  const images = await systemImages(progress);
  await componentsReady(patience, ['containerd']);
  for (const { archive, ref } of images) await importImage(patience.init, archive, ref);
}

interface Patience {
  readonly instance: Instance;
  readonly init: ProcessIdentity;
  readonly deadline: number;
  readonly say: (text: string) => void;
}

function componentsReady(patience: Patience, names: readonly string[]): Promise<void> {
  return until(patience, names.length === 1 ? (names[0] as string) : 'all components', async () => {
    const status = await readStatus(filesOf(patience.instance.stateDir).status);
    const waiting = names.filter((name) => status?.components[name]?.state !== 'ready');
    if (waiting.length > 0) patience.say(`waiting for ${waiting.join(', ')}`);
    return waiting.length === 0;
  });
}

/** Repeats the question until the answer is yes; fails when the supervisor has given up or is gone, or time is over. */
async function until(patience: Patience, what: string, question: () => Promise<boolean>): Promise<void> {
  const { instance, init, deadline, say } = patience;
  for (;;) {
    const status = await readStatus(filesOf(instance.stateDir).status);
    if (status?.phase === 'failed' || status?.phase === 'stopping' || !isAlive(init))
      throw await startFailure(instance);
    if (await question()) return;
    if (Date.now() > deadline) {
      throw new Error(`cluster ${instance.id}: gave up waiting for ${what}. ${await whatIsWrong(instance)}`);
    }
    if (what !== 'all components') say(`waiting for ${what}`);
    await delay(POLL_MS);
  }
}

async function startFailure(instance: Instance): Promise<Error> {
  return new Error(`cluster ${instance.id} did not start: ${await whatIsWrong(instance)}`);
}

/** The component that is to blame, and the last lines of its log. */
async function whatIsWrong(instance: Instance): Promise<string> {
  const files = filesOf(instance.stateDir);
  const { supervisor, events } = await clusterStatus(instance.stateDir);
  const culprit = Object.entries(supervisor?.components ?? {}).find(
    ([, { state }]) => state !== 'ready' && state !== 'waiting',
  );
  const log = join(files.logs, `${culprit?.[0] ?? 'supervisor'}.log`);
  const lines =
    statSync(log, { throwIfNoEntry: false }) === undefined ? [] : (await readFile(log, 'utf8')).trimEnd().split('\n');
  const said = supervisor?.failure ?? events.at(-1) ?? 'its supervisor ended';
  return `${said}\nLast lines of ${log}:\n${lines.slice(-10).join('\n')}`;
}
