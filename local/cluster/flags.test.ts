// Flags and configuration files of the components: what must hold for two instances to live side by side, and for people to be safe.
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { addressPlan } from './addresses.ts';
import { STANDARD_PORTS, auditPolicy, controlPlane } from './control-plane.ts';
import { kwok } from './fake-nodes.ts';
import { INSIDE, filesOf } from './instance.ts';
import { node, nodeConfiguration } from './node.ts';

const binaries = {
  etcd: '/bin/etcd',
  'kube-apiserver': '/bin/kube-apiserver',
  'kube-controller-manager': '/bin/kube-controller-manager',
  'kube-scheduler': '/bin/kube-scheduler',
};
const plan = addressPlan(3);
const nodeInputs = {
  files: filesOf(INSIDE),
  binaries: {
    containerd: '/bin/containerd',
    ctr: '/bin/ctr',
    kubelet: '/bin/kubelet',
    'kube-proxy': '/bin/kube-proxy',
  },
  plan,
  nodeName: 'start-1a2b3c4d',
  cgroup: '/assistant-platform/1a2b3c4d',
  pauseImage: 'localhost/assistant/pause:1',
  cniPlugins: '/usr/lib/cni',
};
const beside = {
  tier: 'control-plane' as const,
  files: filesOf('/state/test'),
  binaries,
  address: '127.0.0.1',
  ports: { apiServer: 1, etcdClient: 2, etcdPeer: 3, controllerManager: 4, scheduler: 5 },
  services: addressPlan(0).services,
};
const withNode = {
  ...beside,
  tier: 'node' as const,
  address: plan.node,
  ports: STANDARD_PORTS,
  services: plan.services,
};

describe('the control plane', () => {
  it('listens on loopback only, unless it has a network namespace of its own', () => {
    for (const { name, command } of controlPlane(beside)) {
      const line = command.join(' ');
      expect(line, name).not.toMatch(/0\.0\.0\.0|\[::\]/);
      expect(line, name).toContain('127.0.0.1');
    }
    expect(controlPlane(withNode)[1]?.command).toContain(`--bind-address=${plan.node}`);
  });

  it('lets nobody into etcd without a certificate of its own authority', () => {
    const [etcd] = controlPlane(beside);
    for (const flag of ['--client-cert-auth=true', '--peer-client-cert-auth=true'])
      expect(etcd?.command).toContain(flag);
    expect(etcd?.command).toContain('--trusted-ca-file=/state/test/certificates/etcd-ca.crt');
    expect(etcd?.command.join(' ')).not.toContain('http://');
  });

  it('writes requests down only when it is asked to, without bodies, of the named users, and loses none', () => {
    const flags = (audit: boolean) =>
      controlPlane({ ...beside, audit })[1]?.command.filter((flag) => flag.includes('audit'));
    expect(flags(false)).toEqual([]);
    expect(flags(true)).toContain('--audit-log-path=/state/test/logs/audit.log');
    expect(flags(true)).toContain('--audit-log-mode=blocking');
    expect(auditPolicy(['somebody'])).toMatchObject({
      rules: [{ level: 'Metadata', users: ['somebody'] }, { level: 'None' }],
    });
  });

  it('starts in an order in which nothing finds its server missing, and stops what starts pods first', () => {
    const components = [...controlPlane(withNode), ...node(nodeInputs)];
    const started = new Set<string>();
    for (const { name, after } of components) {
      for (const earlier of after) expect(started.has(earlier), `${name} after ${earlier}`).toBe(true);
      started.add(name);
    }
    const group = (name: string): number => components.find((each) => each.name === name)?.stopGroup ?? -1;
    expect(group('kubelet')).toBeLessThan(group('containerd'));
    expect(group('kube-controller-manager')).toBeLessThan(group('kube-apiserver'));
    expect(group('kube-apiserver')).toBeLessThan(group('etcd'));
  });
});

describe('the node', () => {
  const configuration = nodeConfiguration(nodeInputs);

  it('keeps its pods below a cgroup of its own and all its files inside the instance', () => {
    const kubelet = parse(configuration['kubelet.yaml'] ?? '') as Record<string, unknown>;
    expect(kubelet).toMatchObject({
      cgroupRoot: nodeInputs.cgroup,
      cgroupDriver: 'cgroupfs',
      clusterDNS: [plan.dnsService],
    });
    const text = Object.values(configuration).join('\n');
    for (const [path] of text.matchAll(/(?<=["' ])\/(?:var|etc|opt|home|root|tmp)\/[^"'\s]*/g))
      throw new Error(`outside: ${path}`);
  });

  it('gives pods and Services the networks of its index', () => {
    const proxy = parse(configuration['kube-proxy.yaml'] ?? '') as Record<string, unknown>;
    expect(proxy).toMatchObject({ mode: 'nftables', clusterCIDR: plan.pods, nodePortAddresses: [`${plan.node}/32`] });
    expect(configuration['cni/10-assistant-platform.conflist']).toContain(`"subnet": "${plan.pods}"`);
  });

  it('changes no setting of the machine through kube-proxy', () => {
    const proxy = parse(configuration['kube-proxy.yaml'] ?? '') as { conntrack: Record<string, unknown> };
    expect(proxy.conntrack).toEqual({ maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' });
  });
});

it('kwok plays only the nodes that are marked as fake', () => {
  const { command } = kwok('/bin/kwok', filesOf('/state/test'), 7, '198.18.0.0/22');
  expect(command).toContain('--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake');
  expect(command).toContain('--server-address=127.0.0.1:7');
});
