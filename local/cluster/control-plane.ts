// The processes of the control plane and their flags. Pure: the same code for both tiers, with other addresses.
import { join } from 'node:path';
import type { InstanceFiles, Tier } from './instance.ts';
import type { Component } from './specification.ts';

/** Absolute paths of the binaries of the control plane. */
export interface ControlPlaneBinaries {
  readonly etcd: string;
  readonly 'kube-apiserver': string;
  readonly 'kube-controller-manager': string;
  readonly 'kube-scheduler': string;
}

/** Ports on loopback, except `apiServer`, which is on {@link ControlPlaneInputs.address}. */
export interface ControlPlanePorts {
  readonly apiServer: number;
  readonly etcdClient: number;
  readonly etcdPeer: number;
  readonly controllerManager: number;
  readonly scheduler: number;
}

/** The usual ports: for an instance with a network namespace of its own. */
export const STANDARD_PORTS: ControlPlanePorts = {
  apiServer: 6443,
  etcdClient: 2379,
  etcdPeer: 2380,
  controllerManager: 10257,
  scheduler: 10259,
};

/** What the flags depend on. */
export interface ControlPlaneInputs {
  readonly tier: Tier;
  readonly files: InstanceFiles;
  readonly binaries: ControlPlaneBinaries;
  /** Where the API server listens. */
  readonly address: string;
  readonly ports: ControlPlanePorts;
  /** CIDR of the Services. */
  readonly services: string;
  /** Write down every request of some users, see {@link auditPolicy}. */
  readonly audit?: boolean;
}

/** Stop groups: what starts pods, then what serves the API, then the store. */
export const STOP_FIRST = 0;
export const STOP_SECOND = 1;
export const STOP_LAST = 2;

/** etcd, kube-apiserver, kube-controller-manager and kube-scheduler, in the order in which they start. */
export function controlPlane(inputs: ControlPlaneInputs): Component[] {
  return [etcd(inputs), apiServer(inputs), controllerManager(inputs), scheduler(inputs)];
}

/** Path of the kubeconfig that the named component uses. */
export function componentKubeconfig(files: InstanceFiles, component: string): string {
  return join(files.configuration, `${component}.kubeconfig`);
}

function etcd({ files, binaries, ports }: ControlPlaneInputs): Component {
  const client = `https://127.0.0.1:${ports.etcdClient}`;
  const peer = `https://127.0.0.1:${ports.etcdPeer}`;
  const file = (name: string): string => join(files.certificates, name);
  return {
    name: 'etcd',
    command: [
      binaries.etcd,
      '--name=etcd',
      `--data-dir=${join(files.data, 'etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=etcd=${peer}`,
      ...['', 'peer-'].flatMap((kind) => [
        `--${kind}cert-file=${file('etcd.crt')}`,
        `--${kind}key-file=${file('etcd.key')}`,
        `--${kind}trusted-ca-file=${file('etcd-ca.crt')}`,
        `--${kind}client-cert-auth=true`,
      ]),
      // A development cluster: it survives the end of any process, not the end of the machine's power.
      '--unsafe-no-fsync',
      '--log-level=warn',
      '--auto-compaction-mode=periodic',
      '--auto-compaction-retention=1h',
    ],
    after: [],
    ready: {
      kind: 'mutual-tls',
      url: `${client}/health`,
      authorityFile: file('etcd-ca.crt'),
      certificateFile: file('apiserver-etcd-client.crt'),
      keyFile: file('apiserver-etcd-client.key'),
    },
    stopGroup: STOP_LAST,
  };
}

/** Where the policy of the audit log is. */
export const auditPolicyFile = (files: InstanceFiles): string => join(files.configuration, 'audit-policy.json');

/** Where the API server writes down the requests: one JSON object (audit.k8s.io/v1 Event) a line. */
export const auditLogFile = (files: InstanceFiles): string => join(files.logs, 'audit.log');

/** An audit policy (audit.k8s.io/v1) that writes down, without bodies, all requests of these users once they are answered, and nothing else. */
export function auditPolicy(users: readonly string[]): object {
  return {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived', 'ResponseStarted'],
    rules: [{ level: 'Metadata', users }, { level: 'None' }],
  };
}

function apiServer({ tier, files, binaries, address, ports, services, audit }: ControlPlaneInputs): Component {
  const file = (name: string): string => join(files.certificates, name);
  return {
    name: 'kube-apiserver',
    command: [
      binaries['kube-apiserver'],
      `--etcd-servers=https://127.0.0.1:${ports.etcdClient}`,
      `--etcd-cafile=${file('etcd-ca.crt')}`,
      `--etcd-certfile=${file('apiserver-etcd-client.crt')}`,
      `--etcd-keyfile=${file('apiserver-etcd-client.key')}`,
      `--bind-address=${address}`,
      `--advertise-address=${address}`,
      `--secure-port=${ports.apiServer}`,
      // Without a node nobody reaches the Service `kubernetes`, and a loopback address is no valid endpoint for it.
      ...(tier === 'control-plane' ? ['--endpoint-reconciler-type=none'] : []),
      `--service-cluster-ip-range=${services}`,
      `--tls-cert-file=${file('apiserver.crt')}`,
      `--tls-private-key-file=${file('apiserver.key')}`,
      `--client-ca-file=${file('ca.crt')}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--allow-privileged=true',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${file('service-account.pub')}`,
      `--service-account-signing-key-file=${file('service-account.key')}`,
      `--kubelet-client-certificate=${file('apiserver-kubelet-client.crt')}`,
      `--kubelet-client-key=${file('apiserver-kubelet-client.key')}`,
      `--kubelet-certificate-authority=${file('ca.crt')}`,
      '--kubelet-preferred-address-types=InternalIP',
      `--requestheader-client-ca-file=${file('front-proxy-ca.crt')}`,
      '--requestheader-allowed-names=front-proxy-client',
      '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      '--requestheader-group-headers=X-Remote-Group',
      '--requestheader-username-headers=X-Remote-User',
      `--proxy-client-cert-file=${file('front-proxy-client.crt')}`,
      `--proxy-client-key-file=${file('front-proxy-client.key')}`,
      ...(audit === true
        ? [
            `--audit-policy-file=${auditPolicyFile(files)}`,
            `--audit-log-path=${auditLogFile(files)}`,
            // Lines are counted: none may be lost or turned over.
            '--audit-log-mode=blocking',
            '--audit-log-maxsize=4000',
          ]
        : []),
    ],
    after: ['etcd'],
    ready: {
      kind: 'https',
      url: `https://${address}:${ports.apiServer}/readyz`,
      authorityFile: file('ca.crt'),
    },
    stopGroup: STOP_SECOND,
  };
}

function controllerManager({ files, binaries, ports, services }: ControlPlaneInputs): Component {
  const file = (name: string): string => join(files.certificates, name);
  return {
    name: 'kube-controller-manager',
    command: [
      binaries['kube-controller-manager'],
      ...secondary(files, 'controller-manager', ports.controllerManager),
      '--use-service-account-credentials',
      `--service-account-private-key-file=${file('service-account.key')}`,
      `--root-ca-file=${file('ca.crt')}`,
      `--cluster-signing-cert-file=${file('ca.crt')}`,
      `--cluster-signing-key-file=${file('ca.key')}`,
      // There is one node, and its CNI configuration names its pod network.
      '--allocate-node-cidrs=false',
      `--service-cluster-ip-range=${services}`,
    ],
    // It exits when it starts before the API server's RBAC bootstrap is done.
    after: ['kube-apiserver'],
    ready: health(files, ports.controllerManager),
    stopGroup: STOP_FIRST,
  };
}

function scheduler({ files, binaries, ports }: ControlPlaneInputs): Component {
  return {
    name: 'kube-scheduler',
    command: [binaries['kube-scheduler'], ...secondary(files, 'scheduler', ports.scheduler)],
    after: ['kube-apiserver'],
    ready: health(files, ports.scheduler),
    stopGroup: STOP_FIRST,
  };
}

function secondary(files: InstanceFiles, component: string, port: number): string[] {
  const config = componentKubeconfig(files, component);
  return [
    `--kubeconfig=${config}`,
    `--authentication-kubeconfig=${config}`,
    `--authorization-kubeconfig=${config}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${join(files.certificates, 'loopback.crt')}`,
    `--tls-private-key-file=${join(files.certificates, 'loopback.key')}`,
    '--leader-elect=false',
    // The default of 20 requests a second makes every larger change crawl.
    '--kube-api-qps=200',
    '--kube-api-burst=400',
  ];
}

function health(files: InstanceFiles, port: number): Component['ready'] {
  return {
    kind: 'https',
    url: `https://127.0.0.1:${port}/healthz`,
    authorityFile: join(files.certificates, 'ca.crt'),
  };
}
