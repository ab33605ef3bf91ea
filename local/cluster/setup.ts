// Writes what the components of an instance read: certificates, kubeconfigs, configuration files, and `cluster.json` for the supervisor.
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Progress } from '../progress/progress.ts';
import { ensureBinaries } from '../toolchain/toolchain.ts';
import { locate } from '../toolchain/path-tools.ts';
import { ensureSystem } from '../system/system.ts';
import { CNI_FOLDERS } from '../system/requirements.ts';
import { addressPlan } from './addresses.ts';
import type { AddressPlan } from './addresses.ts';
import { ensureCertificates } from './certificates.ts';
import type { ClusterOptions } from './cluster.ts';
import { STANDARD_PORTS, auditPolicy, auditPolicyFile, componentKubeconfig, controlPlane } from './control-plane.ts';
import type { ControlPlaneBinaries, ControlPlanePorts } from './control-plane.ts';
import { kwok } from './fake-nodes.ts';
import { INSIDE, filesOf } from './instance.ts';
import type { Instance } from './instance.ts';
import { kubeconfig } from './kubeconfig.ts';
import { node, nodeConfiguration } from './node.ts';
import type { NodeBinaries } from './node.ts';
import { areFree, freePorts } from './ports.ts';
import type { Component, Specification } from './specification.ts';
import { readJson, writeAtomically } from './state-file.ts';
import { systemImageRefs } from './system-images.ts';
import { provisioner } from './volumes.ts';

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Everything that an instance executes. */
export interface Binaries {
  readonly controlPlane: ControlPlaneBinaries;
  readonly node?: NodeBinaries & { readonly cniPlugins: string };
  readonly kwok?: string;
}

/** Finds, installs or builds the binaries that the options need. @throws Error naming every system package that is missing. */
export async function findBinaries(options: ClusterOptions, progress: Progress): Promise<Binaries> {
  await ensureSystem(options.tier, progress);
  const system = options.tier === 'node' ? await systemBinaries() : undefined;
  const names = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;
  const more = options.tier === 'node' ? (['kubelet', 'kube-proxy'] as const) : [];
  const fake = (options.fakeNodes ?? 0) > 0 ? (['kwok'] as const) : [];
  const paths: Partial<Record<string, string>> = await ensureBinaries([...names, ...more, ...fake], progress);
  const path = (name: string): string => {
    const found = paths[name];
    if (found === undefined) throw new Error(`the toolchain gave no path for ${name}`);
    return found;
  };
  return {
    controlPlane: {
      etcd: path('etcd'),
      'kube-apiserver': path('kube-apiserver'),
      'kube-controller-manager': path('kube-controller-manager'),
      'kube-scheduler': path('kube-scheduler'),
    },
    ...(system === undefined
      ? {}
      : { node: { ...system, kubelet: path('kubelet'), 'kube-proxy': path('kube-proxy') } }),
    ...(fake.length === 0 ? {} : { kwok: path('kwok') }),
  };
}

/** Writes all for an instance on loopback. Ports are kept from the last time where they are still free. */
export async function writeControlPlane(
  instance: Instance,
  binaries: Binaries,
  options: ClusterOptions,
): Promise<void> {
  const files = filesOf(instance.stateDir);
  const portsFile = join(instance.stateDir, 'ports.json');
  const earlier = await readJson<ControlPlanePorts & { readonly kwok: number }>(portsFile);
  const ports = earlier !== undefined && (await areFree(Object.values(earlier))) ? earlier : await newPorts();
  await writeAtomically(portsFile, JSON.stringify(ports));
  const services = options.fakeServices ?? addressPlan(0).services; // no packet ever goes there: there is no node
  const components: Component[] = [
    ...controlPlane({
      tier: 'control-plane',
      files,
      binaries: binaries.controlPlane,
      address: '127.0.0.1',
      ports,
      services,
      audit: options.audit !== undefined,
    }),
    ...(binaries.kwok === undefined
      ? []
      : [kwok(binaries.kwok, files, ports.kwok, options.fakePods ?? addressPlan(0).pods)]),
  ];
  if (options.audit !== undefined) {
    await mkdir(files.configuration, { recursive: true, mode: 0o700 });
    await writeAtomically(auditPolicyFile(files), JSON.stringify(auditPolicy(options.audit)));
  }
  // A supervisor that is killed takes its components along: nothing is left that nobody looks after.
  const setpriv = await locate('setpriv', SYSTEM_PATH);
  await writeInstance(instance, '127.0.0.1', ports.apiServer, [], {
    id: instance.id,
    tier: 'control-plane',
    root: instance.stateDir,
    stateDir: instance.stateDir,
    tied: options.tied ?? false,
    components:
      setpriv === undefined
        ? components
        : components.map((each) => ({ ...each, command: [setpriv, '--pdeathsig', 'KILL', '--', ...each.command] })),
  });
}

/** Writes all for an instance with a node, as it will be seen inside its mount namespace. */
export async function writeNode(
  instance: Instance,
  binaries: Binaries,
  plan: AddressPlan,
  options: ClusterOptions,
): Promise<void> {
  if (binaries.node === undefined) throw new Error('setup: the binaries of the node are missing');
  const inside = filesOf(INSIDE);
  const outside = filesOf(instance.stateDir);
  const inputs = {
    files: inside,
    binaries: binaries.node,
    plan,
    nodeName: instance.id,
    cgroup: instance.cgroup,
    pauseImage: systemImageRefs().pause,
    cniPlugins: binaries.node.cniPlugins,
  };
  await writeInstance(instance, plan.node, STANDARD_PORTS.apiServer, [plan.kubernetesService], {
    id: instance.id,
    tier: 'node',
    root: INSIDE,
    stateDir: instance.stateDir,
    tied: options.tied ?? false,
    node: { plan, cgroup: instance.cgroup, egress: options.egress ?? false },
    components: [
      ...controlPlane({
        tier: 'node',
        files: inside,
        binaries: binaries.controlPlane,
        address: plan.node,
        ports: STANDARD_PORTS,
        services: plan.services,
      }),
      ...node(inputs),
      provisioner(process.execPath, inside),
    ],
  });
  for (const [name, content] of Object.entries(nodeConfiguration(inputs))) {
    const path = join(outside.configuration, name);
    await mkdir(dirname(path), { recursive: true });
    await writeAtomically(path, content);
  }
}

/** Name servers of the machine that are not the machine itself: a pod could not reach those. */
export async function outsideNameServers(): Promise<string[]> {
  for (const file of ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']) {
    if (!existsSync(file)) continue;
    const found = [...(await readFile(file, 'utf8')).matchAll(/^\s*nameserver\s+(\S+)/gm)]
      .map(([, address]) => address ?? '')
      .filter((address) => !address.startsWith('127.') && address !== '::1');
    if (found.length > 0) return found;
  }
  return [];
}

async function writeInstance(
  instance: Instance,
  address: string,
  port: number,
  moreAddresses: readonly string[],
  specification: Specification,
): Promise<void> {
  const files = filesOf(instance.stateDir);
  await mkdir(files.configuration, { recursive: true, mode: 0o700 });
  await mkdir(files.data, { recursive: true, mode: 0o700 });
  await mkdir(files.volumes, { recursive: true });
  await ensureCertificates(
    files.certificates,
    { nodeName: instance.id, apiServerAddresses: [address, ...moreAddresses], kubeletAddresses: [address] },
    new Date(),
  );
  const read = (name: string): Promise<string> => readFile(join(files.certificates, name), 'utf8');
  const authority = await read('ca.crt');
  const write = async (path: string, user: string): Promise<void> => {
    const certificate = await read(`${user}.crt`);
    const key = await read(`${user}.key`);
    const server = `https://${address}:${port}`;
    await writeAtomically(path, kubeconfig({ name: instance.id, server, authority, certificate, key }), 0o600);
  };
  for (const user of ['controller-manager', 'scheduler', 'kubelet', 'kube-proxy']) {
    await write(componentKubeconfig(files, user), user);
  }
  await write(componentKubeconfig(files, 'kwok'), 'admin');
  await write(componentKubeconfig(files, 'volume-provisioner'), 'admin');
  await write(files.kubeconfig, 'admin');
  await writeAtomically(files.specification, JSON.stringify(specification, undefined, 2), 0o600);
}

async function newPorts(): Promise<ControlPlanePorts & { readonly kwok: number }> {
  const [apiServer, etcdClient, etcdPeer, controllerManager, scheduler, fake] = (await freePorts(6)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { apiServer, etcdClient, etcdPeer, controllerManager, scheduler, kwok: fake };
}

/** Where the system's own programs of a node are. Their packages were installed just before. */
async function systemBinaries(): Promise<{ containerd: string; ctr: string; cniPlugins: string }> {
  const containerd = await locate('containerd', SYSTEM_PATH);
  const ctr = await locate('ctr', SYSTEM_PATH);
  const cniPlugins = CNI_FOLDERS.find((folder) => existsSync(join(folder, 'bridge')));
  if (containerd === undefined || ctr === undefined || cniPlugins === undefined) {
    throw new Error(
      `containerd, ctr or the CNI plugins are not in the folders of the system (${SYSTEM_PATH}, ${CNI_FOLDERS.join(':')})`,
    );
  }
  return { containerd, ctr, cniPlugins };
}
