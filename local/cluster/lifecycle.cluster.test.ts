// The life of an instance without a node, on the real components: start, crash, kill, start over, stop.
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../test/servers/child-process.ts';
import { ApiClient } from './api-client.ts';
import { clusterStatus, startCluster, stopCluster } from './cluster.ts';
import { instanceOf } from './instance.ts';
import { processesOf, signalProcess } from './processes.ts';
import type { FoundProcess } from './processes.ts';

let base: string;
let stateDir: string;
let counter = 0;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'lifecycle-'));
});
afterEach(() => stopCluster(stateDir));
afterAll(() => rm(base, { recursive: true, force: true }));

const start = (options: { fakeNodes?: number; tied?: boolean } = {}) =>
  startCluster({ stateDir, tier: 'control-plane', tied: true, ...options });

function fresh(): void {
  stateDir = join(base, `run-${counter++}`);
}

const processes = (): FoundProcess[] => processesOf(instanceOf(stateDir).id);

/** The process of a component. Its supervisor has the component's name nowhere in its command. */
function processOf(component: string): FoundProcess {
  const found = processes().find(({ command }) => command.split(' ')[0]?.endsWith(`/${component}`));
  if (found === undefined) throw new Error(`${component} does not run`);
  return found;
}

const until = (what: string, question: () => Promise<boolean>): Promise<unknown> => eventually(what, question, 30_000);

async function client(): Promise<ApiClient> {
  return new ApiClient(await readFile(join(stateDir, 'kubeconfig'), 'utf8'));
}

const configMap = (name: string, data: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});

describe('an instance without a node', () => {
  it('starts, serves the API and the Gateway API with a kubeconfig of its own, and ends without a process left', async () => {
    fresh();
    const cluster = await start();
    expect((await stat(cluster.kubeconfig)).mode & 0o777).toBe(0o600);
    expect(await readFile(cluster.kubeconfig, 'utf8')).toContain(`current-context: ${cluster.id}`);
    const api = await client();
    await api.apply(configMap('kept', { a: '1' }));
    const groups = await api.get<{ groups: { name: string }[] }>('/apis');
    expect(groups?.groups.map(({ name }) => name)).toContain('gateway.networking.k8s.io');
    api.close();
    expect(processes().length).toBeGreaterThanOrEqual(5);
    await cluster.stop();
    expect(processes()).toEqual([]);
    expect((await clusterStatus(stateDir)).state).toBe('absent');
  });

  it('is given as it is when it runs already, and keeps data and ports over a stop', async () => {
    fresh();
    await start();
    const first = processOf('etcd');
    const api = await client();
    await api.apply(configMap('kept', { a: '1' }));
    api.close();
    const ports = await readFile(join(stateDir, 'ports.json'), 'utf8');
    await start();
    expect(processOf('etcd')).toEqual(first);
    await stopCluster(stateDir);
    await start();
    expect(await readFile(join(stateDir, 'ports.json'), 'utf8')).toBe(ports);
    const again = await client();
    expect(await again.get('/api/v1/namespaces/default/configmaps/kept')).toMatchObject({ data: { a: '1' } });
    again.close();
  });

  it('starts a killed component again and names it', async () => {
    fresh();
    await start();
    for (const component of ['kube-scheduler', 'etcd', 'kube-apiserver']) {
      const before = processOf(component);
      signalProcess(before, 'SIGKILL');
      await until(`${component} to be ready again`, async () => {
        const status = (await clusterStatus(stateDir)).supervisor?.components[component];
        return status?.restarts === 1 && status.state === 'ready';
      });
      expect(processOf(component).pid).not.toBe(before.pid);
      const { supervisor, events } = await clusterStatus(stateDir);
      expect(supervisor?.components[component]?.lastExit).toMatchObject({ code: null, signal: 'SIGKILL' });
      expect(events.at(-1)).toMatch(new RegExp(`${component} was ended by SIGKILL after .* s; starting it again`));
    }
    const api = await client();
    await until('the API server to store', () =>
      api.apply(configMap('after', {})).then(
        () => true,
        () => false,
      ),
    );
    api.close();
  });

  it('leaves no process when its supervisor is killed, and starts over the remains with its data', async () => {
    fresh();
    await start();
    const api = await client();
    await api.apply(configMap('kept', { a: '1' }));
    api.close();
    const supervisor = processes().find(({ command }) => command.includes('supervisor.ts'));
    if (supervisor === undefined) throw new Error('no supervisor runs');
    signalProcess(supervisor, 'SIGKILL');
    await until('the components to end with it', () => Promise.resolve(processes().length === 0));
    expect((await clusterStatus(stateDir)).state).toBe('killed');
    await start();
    const again = await client();
    expect(await again.get('/api/v1/namespaces/default/configmaps/kept')).toMatchObject({ data: { a: '1' } });
    again.close();
  });

  it('fails with the name of the component and the end of its log when that does not come up', async () => {
    fresh();
    await start();
    await stopCluster(stateDir);
    await rm(join(stateDir, 'data', 'etcd'), { recursive: true });
    await writeFile(join(stateDir, 'data', 'etcd'), 'not a folder');
    const failure = await start().then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    expect(failure?.message).toMatch(/etcd (exited with code|was ended by).*5 times in a row/);
    expect(failure?.message).toContain(join(stateDir, 'logs', 'etcd.log'));
    expect(processes()).toEqual([]);
  });

  it('plays nodes whose pods become ready', async () => {
    fresh();
    await start({ fakeNodes: 2 });
    const api = await client();
    await api.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'none' }] } },
      },
    });
    await until('three ready pods', async () => {
      const web = await api.get<{ status?: { readyReplicas?: number } }>(
        '/apis/apps/v1/namespaces/default/deployments/web',
      );
      return web?.status?.readyReplicas === 3;
    });
    api.close();
  });
});
