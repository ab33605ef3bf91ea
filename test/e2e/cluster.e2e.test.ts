// The embedded cluster with a node, as a person gets it: pods, names, Services, volumes, exec and logs; crashes, kills, two instances
// at once; and nothing left on the machine afterwards. Needs root.
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../../local/cluster/api-client.ts';
import type { KubernetesObject } from '../../local/cluster/api-client.ts';
import { clusterStatus, startCluster, stopCluster } from '../../local/cluster/cluster.ts';
import type { Cluster } from '../../local/cluster/cluster.ts';
import { instanceOf } from '../../local/cluster/instance.ts';
import { runningInit } from '../../local/cluster/launch.ts';
import { processesOf, signalProcess } from '../../local/cluster/processes.ts';
import { isClean, residueOf } from '../../local/cluster/residue.ts';
import { buildImages } from '../../local/images/images.ts';
import type { BuiltImage } from '../../local/images/images.ts';
import { runCommand } from '../../local/toolchain/command.ts';
import { ensureBinary } from '../../local/toolchain/toolchain.ts';
import { eventually } from '../servers/child-process.ts';

const SHARED_SETTINGS = ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops', 'net/ipv4/ip_forward'];

let base: string;
let kubectlProgram: string;
let image: BuiltImage;
let settingsBefore: string[];

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'node-tier-'));
  kubectlProgram = await ensureBinary('kubectl');
  // Any image with Node.js: the pods of this test are a few lines of JavaScript.
  [image] = (await buildImages(['chat'])) as [BuiltImage];
  settingsBefore = await settings();
});

afterAll(async () => {
  for (const name of readdirSync(base)) await stopCluster(join(base, name));
  await rm(base, { recursive: true, force: true });
});

const settings = () => Promise.all(SHARED_SETTINGS.map((name) => readFile(join('/proc/sys', name), 'utf8')));

function start(name: string, options: { egress?: boolean } = {}): Promise<Cluster> {
  return startCluster({ stateDir: join(base, name), tier: 'node', tied: true, ...options });
}

/** Runs a command in the network namespace of the node, which is not that of its pods. */
async function inside(name: string, ...command: string[]): Promise<string> {
  const init = await runningInit(instanceOf(join(base, name)));
  return runCommand('nsenter', ['-t', String(init?.pid), '-n', ...command]);
}

async function client(cluster: Cluster): Promise<ApiClient> {
  return new ApiClient(await readFile(cluster.kubeconfig, 'utf8'));
}

function kubectl(cluster: Cluster, ...args: string[]): Promise<string> {
  return runCommand(kubectlProgram, ['--kubeconfig', cluster.kubeconfig, ...args]);
}

const until = (what: string, question: () => Promise<boolean>): Promise<unknown> => eventually(what, question, 60_000);

/** A Deployment whose pods answer every request with their volume's content, and a Service for it with a NodePort. */
function web(volume: boolean): KubernetesObject[] {
  const script = `
    const { readFileSync, writeFileSync, existsSync } = require('node:fs');
    if (${volume} && !existsSync('/data/greeting')) writeFileSync('/data/greeting', 'hello ' + process.env.HOSTNAME);
    const greeting = () => (${volume} ? readFileSync('/data/greeting', 'utf8') : 'hello');
    require('node:http').createServer((_, response) => response.end(greeting())).listen(8080);
    process.on('SIGTERM', () => process.exit(0));
    console.log('listening');`;
  const labels = { app: 'web' };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        replicas: 1,
        strategy: { type: 'Recreate' },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            containers: [
              {
                name: 'web',
                image: image.ref,
                command: ['node', '-e', script],
                securityContext: { runAsNonRoot: true, runAsUser: 1000, readOnlyRootFilesystem: true },
                readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
                ...(volume ? { volumeMounts: [{ name: 'data', mountPath: '/data' }] } : {}),
              },
            ],
            ...(volume ? { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] } : {}),
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { type: 'NodePort', selector: labels, ports: [{ port: 80, targetPort: 8080, nodePort: 30123 }] },
    },
  ];
}

const claim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data', namespace: 'default' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Mi' } } },
};

async function answer(url: string): Promise<string | undefined> {
  try {
    return await (await fetch(url, { signal: AbortSignal.timeout(2000) })).text();
  } catch {
    return undefined; // not yet
  }
}

async function deploy(cluster: Cluster, volume: boolean): Promise<string> {
  await cluster.loadImage(image.archive, image.ref);
  const api = await client(cluster);
  for (const object of [...(volume ? [claim] : []), ...web(volume)]) await api.apply(object);
  api.close();
  const url = `http://${cluster.nodeAddress}:30123`;
  await until('the Service to answer', async () => (await answer(url)) !== undefined);
  return url;
}

describe('a cluster with a node', () => {
  it('runs pods that are found by name and port, with logs, exec and volumes, and cannot reach the world', async () => {
    const cluster = await start('one');
    const url = await deploy(cluster, true);
    expect(await answer(url)).toMatch(/^hello web-/);
    // The ClusterIP, from the machine and by name from a pod.
    const api = await client(cluster);
    const service = await api.get<{ spec: { clusterIP: string } }>('/api/v1/namespaces/default/services/web');
    expect(await answer(`http://${service?.spec.clusterIP}`)).toMatch(/^hello web-/);
    const ask = "fetch('http://web.default.svc.cluster.local').then(r => r.text()).then(console.log)";
    expect(await kubectl(cluster, 'exec', 'deployment/web', '--', 'node', '-e', ask)).toMatch(/^hello web-/);
    expect(await kubectl(cluster, 'logs', 'deployment/web')).toContain('listening');
    // 198.19.255.1 is inside the range that no packet leaves, and nobody has it.
    const out = "fetch('http://198.19.255.1').then(() => console.log('reached'), e => console.log(e.cause.code))";
    expect(await kubectl(cluster, 'exec', 'deployment/web', '--', 'node', '-e', out)).toMatch(
      /ENETUNREACH|EHOSTUNREACH/,
    );
    expect(await inside('one', 'ip', 'route', 'show', 'default')).toBe('');

    // The volume outlives the pod and a stop of the cluster, and is removed with its claim.
    const greeting = await answer(url);
    await kubectl(cluster, 'rollout', 'restart', 'deployment/web');
    await kubectl(cluster, 'rollout', 'status', 'deployment/web', '--timeout=60s');
    await until('the same answer from another pod', async () => (await answer(url)) === greeting);
    await cluster.stop();
    expect(await residueOf(join(base, 'one'))).toSatisfy(isClean);
    expect(await settings()).toEqual(settingsBefore);
    const again = await start('one');
    expect(again.nodeAddress).toBe(cluster.nodeAddress);
    await until('the same answer after a stop and a start', async () => (await answer(url)) === greeting);
    await kubectl(again, 'delete', 'deployment/web', 'pvc/data');
    await until('the volume to be removed', () =>
      Promise.resolve(readdirSync(join(base, 'one', 'volumes')).length === 0),
    );
    api.close();
    await again.stop();
  });

  it('does not meet a second one on the same machine', async () => {
    const [one, two] = await Promise.all([start('one'), start('two')]);
    expect(one.nodeAddress).not.toBe(two.nodeAddress);
    const urls = await Promise.all([deploy(one, false), deploy(two, false)]);
    for (const url of urls) expect(await answer(url)).toBe('hello');
    await one.stop();
    // What both share stays for the other.
    expect(await answer(urls[1])).toBe('hello');
    expect((await clusterStatus(join(base, 'two'))).state).toBe('running');
    expect(await residueOf(join(base, 'one'))).toSatisfy(isClean);
    await two.stop();
    expect(await residueOf(join(base, 'two'))).toSatisfy(isClean);
    expect(await settings()).toEqual(settingsBefore);
  });

  it('has a way out only with egress, never into the test range, and takes it back at the stop', async () => {
    const cluster = await start('egress', { egress: true });
    const { hostLink, nftTable } = instanceOf(join(base, 'egress'));
    expect(await inside('egress', 'ip', 'route', 'show', 'default')).toMatch(/^default via 198\.1[89]\./);
    const rules = await runCommand('nft', ['list', 'table', 'ip', nftTable]);
    expect(rules).toMatch(new RegExp(`oifname != "${hostLink}" ip daddr != 198\\.18\\.0\\.0/15 masquerade`));
    expect(await runCommand('ip', ['route', 'show', 'type', 'blackhole'])).toContain('198.18.0.0/15');
    expect((await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')).trim()).toBe('1');
    await cluster.stop();
    expect(await residueOf(join(base, 'egress'))).toSatisfy(isClean);
    expect(await settings()).toEqual(settingsBefore);
  });

  it('goes on when a component of the node is killed, names it, and leaves running pods alone', async () => {
    const stateDir = join(base, 'crash');
    const cluster = await start('crash');
    const url = await deploy(cluster, false);
    const started = await kubectl(
      cluster,
      'get',
      'pods',
      '-l',
      'app=web',
      '-o',
      'jsonpath={.items[*].status.containerStatuses[*].state}',
    );
    for (const component of ['containerd', 'kubelet', 'kube-proxy']) {
      const victim = processesOf(cluster.id).find(({ command }) => command.split(' ')[0]?.endsWith(`/${component}`));
      if (victim === undefined) throw new Error(`${component} does not run`);
      signalProcess(victim, 'SIGKILL');
      await until(`${component} to be ready again`, async () => {
        const status = (await clusterStatus(stateDir)).supervisor?.components[component];
        return status?.restarts === 1 && status.state === 'ready';
      });
      expect((await clusterStatus(stateDir)).events.at(-1)).toContain(`${component} was ended by SIGKILL`);
      expect(await answer(url)).toBe('hello');
    }
    await kubectl(cluster, 'scale', 'deployment/web', '--replicas=2');
    await kubectl(cluster, 'rollout', 'status', 'deployment/web', '--timeout=60s');
    const after = await kubectl(
      cluster,
      'get',
      'pods',
      '-l',
      'app=web',
      '-o',
      'jsonpath={.items[*].status.containerStatuses[*].state}',
    );
    expect(after).toContain(started);
    await cluster.stop();
    expect(await residueOf(stateDir)).toSatisfy(isClean);
  });

  it.each([
    ['its supervisor', (command: string) => command.includes('supervisor.ts') && !command.includes('init.sh')],
    ['the first process of its namespaces', (command: string) => command.startsWith('bash ')],
    ['the process outside that holds its namespaces', (command: string) => command.startsWith('unshare ')],
  ])('starts over the remains when %s is killed', async (_what, isVictim) => {
    const stateDir = join(base, 'killed');
    const cluster = await start('killed');
    await deploy(cluster, false);
    const victim = processesOf(cluster.id).find(({ command }) => isVictim(command));
    if (victim === undefined) throw new Error('nothing to kill');
    signalProcess(victim, 'SIGKILL');
    await until('all to end with it', async () => (await clusterStatus(stateDir)).state === 'killed');
    await until('all processes to end', () => Promise.resolve(processesOf(instanceOf(stateDir).id).length === 0));
    const again = await start('killed');
    await until('the Service to answer', async () => (await answer(`http://${again.nodeAddress}:30123`)) === 'hello');
    await again.stop();
    expect(await residueOf(stateDir)).toSatisfy(isClean);
    expect(await settings()).toEqual(settingsBefore);
  });
});
