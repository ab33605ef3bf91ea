// What every part of the benchmark runs in: a control plane of its own with an audit log, fake nodes, stand-ins for gateway and pods, and the
// operator as it runs in a pod: bundled, with the connection and the rights of its ServiceAccount, and nothing else.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startCluster, stopCluster } from '@assistant-platform/local/cluster';
import { bundleService } from '@assistant-platform/local/images';
import { ApiClient, connectionFromEnvironment, Informer, namespaces } from '@assistant-platform/runtime';
import { KubeConfig } from '@kubernetes/client-node';
import { ELECTION_RULES, NAMESPACE_RULES, type PolicyRule } from '../../../operator/controller/permissions.ts';
import { assistantDeployments, type StoredAssistantDeployment } from '../../../operator/controller/resources.ts';
import { type ProcessIdentity, processesOf, signalProcess } from '../../../local/cluster/processes.ts';
import { parseContainerfile, wordText } from '../../../local/images/containerfile.ts';
import { AdminPorts } from '../../cluster/admin-ports.ts';
import { installCustomResources } from '../../cluster/custom-resources.ts';
import { GatewayStatus } from '../../cluster/gateway-status.ts';
import { restrictedKubeconfig } from '../../cluster/service-account.ts';
import { inParallel } from '../../in-parallel.ts';
import { isFinished, NAMESPACES, namespaceOf, release, type Shape } from './assistants.ts';
import { type AuditedRequest, AuditLog, isWrite } from './audit.ts';
import { Etcd } from './copies.ts';
import { MeasuredProcess, type MeasuredProcessOptions } from './process.ts';
import { quietSince, type Rest } from './processor.ts';

const repository = join(import.meta.dirname, '../../..');
/** Of the accounts, and of the lease. */
export const ACCOUNTS_NAMESPACE = 'bench';

/** Requests of people at a time. */
export const AT_A_TIME = 16;

/** Kubernetes is idle when neither of these needs more than a fifth of a processor for a quarter of a minute. */
const IDLE_COMPONENTS = ['kube-apiserver', 'kube-controller-manager'];
const IDLE: Rest = { windowMs: 5_000, windows: 3, processorMs: 1_000 };
const IDLE_TIMEOUT_MS = 15 * 60_000;

/** The accounts whose requests are counted. */
const ACCOUNTS = ['operator', 'plain', 'person'] as const;
type Account = (typeof ACCOUNTS)[number];
const userOf = (account: Account): string => `system:serviceaccount:${ACCOUNTS_NAMESPACE}:${account}`;

/** Traefik, as it was measured: accepted after 27 ms, moved after 100 ms. */
const GATEWAY_LAGS = { acceptMs: 27, moveMs: 100 };

const EVERYTHING: PolicyRule = {
  apiGroups: ['assistant-platform.io'],
  resources: ['assistantdeployments'],
  verbs: ['get', 'create', 'patch'],
};

export class World {
  readonly admin: ApiClient;
  readonly person: ApiClient;
  readonly #stateDir: string;
  readonly #clusterId: string;
  readonly #audit: AuditLog;
  readonly #gateway: GatewayStatus;
  readonly #ports: AdminPorts;
  readonly #assistants: Informer<StoredAssistantDeployment>;
  readonly #running = new AbortController();
  readonly #processes = new Set<MeasuredProcess>();

  private constructor(stateDir: string, clusterId: string, admin: ApiClient, person: ApiClient, ports: AdminPorts) {
    this.#stateDir = stateDir;
    this.#clusterId = clusterId;
    this.admin = admin;
    this.person = person;
    this.#ports = ports;
    this.#audit = new AuditLog(join(stateDir, 'logs', 'audit.log'));
    this.#gateway = new GatewayStatus(admin, 'All', GATEWAY_LAGS);
    this.#assistants = new Informer({ api: admin, type: assistantDeployments });
  }

  /** Starts everything but the operator, from nothing. */
  static async start(stateDir: string): Promise<World> {
    try {
      return await World.#start(stateDir);
    } catch (error) {
      await stopCluster(stateDir);
      throw error;
    }
  }

  static async #start(stateDir: string): Promise<World> {
    await stopCluster(stateDir);
    rmSync(stateDir, { recursive: true, force: true });
    // First of all: sources that do not bundle are found out before anything runs.
    await Promise.all(
      [
        { entry: 'operator/main.ts', folder: 'operator-bundle' },
        { entry: 'test/bench/operator/plain-controller.ts', folder: 'plain-bundle' },
        { entry: 'test/bench/operator/probe.ts', folder: 'probe-bundle' },
      ].map(({ entry, folder }) => bundleService({ repository, entry, folder: join(stateDir, folder), parts: true })),
    );
    const cluster = await startCluster({
      stateDir,
      tier: 'control-plane',
      fakeNodes: 4,
      fakePods: '198.19.0.0/17',
      fakeServices: '198.19.128.0/17',
      audit: ACCOUNTS.map(userOf),
    });
    await installCustomResources(cluster.kubeconfig);
    const admin = new ApiClient({
      connection: await connectionFromEnvironment({ kubeconfig: cluster.kubeconfig }),
      fieldManager: 'bench',
    });
    await inParallel([ACCOUNTS_NAMESPACE, ...NAMESPACES], AT_A_TIME, (name) =>
      admin.create(namespaces, { metadata: { name } }),
    );
    const everywhere = { operator: NAMESPACE_RULES, plain: NAMESPACE_RULES, person: [EVERYTHING] };
    const files: Record<string, string> = {};
    for (const account of ACCOUNTS) {
      const file = join(stateDir, `${account}.kubeconfig`);
      files[account] = file;
      await restrictedKubeconfig(admin, cluster.kubeconfig, {
        namespace: ACCOUNTS_NAMESPACE,
        name: account,
        rules: account === 'operator' ? ELECTION_RULES : [],
        everywhere: everywhere[account],
        file,
      });
      writeServiceAccount(file, join(stateDir, account));
    }
    const person = new ApiClient({
      connection: await connectionFromEnvironment({ kubeconfig: files['person'] ?? '' }),
      fieldManager: 'person',
    });
    const ports = new AdminPorts();
    ports.initial = 0;
    await ports.start();
    const world = new World(stateDir, cluster.id, admin, person, ports);
    world.#gateway.start();
    void world.#assistants.run(world.#running.signal);
    await world.#assistants.whenSynced();
    return world;
  }

  /** The operator as in its pod. @param args more flags. @param memoryLimitMib of the container; default that of the chart. */
  operator(args: readonly string[] = [], memoryLimitMib = 256): MeasuredProcess {
    const flags = ['--port', '0', '--pod-address', this.#ports.address, ...args];
    return this.#process('operator', 'operator-bundle', flags, fromImage(memoryLimitMib));
  }

  /** The controller that everybody would write first, to compare with. */
  plain(): MeasuredProcess {
    return this.#process('plain', 'plain-bundle', [], { nodeArgs: [], env: {} });
  }

  #process(
    account: Account,
    bundle: string,
    args: readonly string[],
    how: Pick<MeasuredProcessOptions, 'nodeArgs' | 'env'>,
  ): MeasuredProcess {
    const mainOf = (folder: string): string => join(this.#stateDir, folder, 'main.mjs');
    const serviceAccount = join(this.#stateDir, account);
    const made = new MeasuredProcess({
      ...{ main: mainOf(bundle), args, probe: mainOf('probe-bundle'), serviceAccount },
      ...how,
    });
    this.#processes.add(made);
    return made;
  }

  /** Requests of an account since a moment. */
  requests(account: Account, from: number, to?: number): AuditedRequest[] {
    return this.#audit.of(userOf(account), from, to);
  }

  /** Releases a version of many assistants, some requests at a time, and resolves when all of them have finished it. */
  async releaseAll(names: readonly string[], version: string, shape: Shape, timeoutMs: number): Promise<void> {
    const finished = this.finished(names, version, timeoutMs);
    const work = (name: string) => release(this.person, name, version, shape);
    await Promise.all([finished, inParallel(names, AT_A_TIME, work)]);
  }

  /** Resolves when all of the named ones have finished a version. @throws Error naming some that have not in time. */
  async finished(names: readonly string[], version: string, timeoutMs: number): Promise<void> {
    const left = new Set(names);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const remove = this.#assistants.addHandler((change) => {
      if (change.type === 'Deleted' || !isFinished(change.object, version)) return;
      left.delete(change.object.metadata.name);
      if (left.size === 0) resolve(undefined);
    });
    const timer = setTimeout(() => {
      const [first = ''] = left;
      const status = JSON.stringify(this.#assistants.get({ namespace: namespaceOf(first), name: first })?.status);
      reject(
        new Error(
          `${left.size} of ${names.length} have not finished ${version} within ${timeoutMs} ms; ${first}: ${status}`,
        ),
      );
    }, timeoutMs);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      remove();
    }
  }

  /** Resolves when the account has written to the object, or to one of its parts, since a moment. */
  async written(account: Account, name: string, from: number, timeoutMs: number): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (!this.requests(account, from).some((request) => isWrite(request) && request.name.startsWith(name))) {
      if (Date.now() > end) throw new Error(`${account} has written nothing to ${name} within ${timeoutMs} ms`);
      await delay(20);
    }
  }

  /** So many copies of all assistants, while nobody works on them. Resolves when Kubernetes has taken them in. */
  async copy(times: number): Promise<void> {
    const etcd = new Etcd(this.#stateDir);
    try {
      // It would make pods for a ReplicaSet whose own are not there yet. Its successor finds all of them.
      const manager = this.#component('kube-controller-manager');
      signalProcess(manager, 'SIGSTOP');
      await etcd.copyNamespaces(times);
      signalProcess(manager, 'SIGKILL');
      while (this.#find('kube-controller-manager', manager.pid) === undefined) await delay(1_000);
      await quietSince(() => IDLE_COMPONENTS.map((name) => this.#component(name).pid), IDLE, IDLE_TIMEOUT_MS);
    } finally {
      etcd.close();
    }
  }

  #component(name: string): ProcessIdentity {
    const found = this.#find(name);
    if (found === undefined) throw new Error(`${name} does not run`);
    return found;
  }

  #find(name: string, besides?: number): ProcessIdentity | undefined {
    return processesOf(this.#clusterId).find(
      ({ pid, command }) => pid !== besides && command.split(' ')[0]?.endsWith(`/${name}`),
    );
  }

  /** Waits until the account has asked for nothing during `ms`. */
  async silent(account: Account, ms: number): Promise<void> {
    for (;;) {
      const last = this.requests(account, Date.now() - ms).at(-1);
      if (last === undefined) return;
      await delay(Math.max(50, last.receivedAt + ms - Date.now()));
    }
  }

  /** Ends all and removes what it left. */
  async stop(): Promise<void> {
    for (const each of this.#processes) await each.kill();
    this.#running.abort();
    await this.#gateway.stop();
    await this.#ports.stop();
    this.admin.close();
    this.person.close();
    await stopCluster(this.#stateDir);
    rmSync(this.#stateDir, { recursive: true, force: true });
  }
}

/**
 * How the image runs the operator: Node's flags and the environment. A share of the container's memory is given as what it comes to under the limit,
 * because nothing limits the memory of a process here.
 */
function fromImage(memoryLimitMib: number): Pick<MeasuredProcessOptions, 'nodeArgs' | 'env'> {
  const file = 'operator/Containerfile';
  const instructions = parseContainerfile(readFileSync(join(repository, file), 'utf8'), file);
  const entry = instructions.flatMap((each) => (each.kind === 'ENTRYPOINT' ? each.argv : []));
  const share = /^--max-old-space-size-percentage=(\d+)$/;
  return {
    nodeArgs: entry
      .filter((word) => word.startsWith('--'))
      .map((flag) =>
        flag.replace(
          share,
          (_, percent) => `--max-old-space-size=${Math.floor((memoryLimitMib * Number(percent)) / 100)}`,
        ),
      ),
    env: Object.fromEntries(
      instructions
        .flatMap((each) => (each.kind === 'ENV' ? each.pairs : []))
        .filter(([key]) => key.startsWith('MALLOC_'))
        .map(([key, value]) => [key, wordText(value)]),
    ),
  };
}

/** Server, authority and token of a kubeconfig as a pod finds them. */
function writeServiceAccount(kubeconfig: string, folder: string): void {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const [cluster, user] = [config.getCurrentCluster(), config.getCurrentUser()];
  if (cluster === null || user === null) throw new Error(`${kubeconfig} names no cluster or no user`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'ca.crt'), Buffer.from(cluster.caData ?? '', 'base64'));
  writeFileSync(join(folder, 'token'), user.token ?? '', { mode: 0o600 });
  writeFileSync(join(folder, 'server'), cluster.server);
}
