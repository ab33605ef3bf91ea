// The processes of the node: containerd, kubelet, kube-proxy; their flags and configuration files. Pure.
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { AddressPlan } from './addresses.ts';
import { STOP_FIRST, STOP_SECOND, componentKubeconfig } from './control-plane.ts';
import type { InstanceFiles } from './instance.ts';
import type { Component } from './specification.ts';

/** Absolute paths of the binaries of the node. */
export interface NodeBinaries {
  readonly containerd: string;
  readonly ctr: string;
  readonly kubelet: string;
  readonly 'kube-proxy': string;
}

/** What flags and configuration depend on. */
export interface NodeInputs {
  /** Files as seen inside the instance's mount namespace. */
  readonly files: InstanceFiles;
  readonly binaries: NodeBinaries;
  readonly plan: AddressPlan;
  readonly nodeName: string;
  readonly cgroup: string;
  /** Reference of the pause image. */
  readonly pauseImage: string;
  /** Folder of the CNI plugins, e.g. `/usr/lib/cni`. */
  readonly cniPlugins: string;
}

// Volatile: on the namespace's own tmpfs, so that nothing of it outlives the processes it describes.
const CONTAINERD_STATE = '/run/containerd-state';
const CNI_ADDRESSES = '/run/cni-addresses';

/** containerd's socket inside the instance's mount namespace. */
export const CONTAINERD_SOCKET = `${CONTAINERD_STATE}/containerd.sock`;

/** containerd, kubelet and kube-proxy, in the order in which they start. */
export function node({ files, binaries, nodeName, plan }: NodeInputs): Component[] {
  const configuration = (name: string): string => join(files.configuration, name);
  return [
    {
      name: 'containerd',
      command: [binaries.containerd, '--config', configuration('containerd.toml')],
      after: [],
      ready: { kind: 'command', command: [binaries.ctr, '--address', CONTAINERD_SOCKET, 'version'] },
      stopGroup: STOP_SECOND,
    },
    {
      name: 'kubelet',
      command: [
        binaries.kubelet,
        `--config=${configuration('kubelet.yaml')}`,
        `--kubeconfig=${componentKubeconfig(files, 'kubelet')}`,
        `--hostname-override=${nodeName}`,
        `--node-ip=${plan.node}`,
        `--root-dir=${join(files.data, 'kubelet')}`,
        `--cert-dir=${join(files.data, 'kubelet-pki')}`,
      ],
      after: ['kube-apiserver', 'containerd'],
      ready: { kind: 'http', url: 'http://127.0.0.1:10248/healthz' },
      stopGroup: STOP_FIRST,
    },
    {
      name: 'kube-proxy',
      command: [
        binaries['kube-proxy'],
        `--config=${configuration('kube-proxy.yaml')}`,
        `--hostname-override=${nodeName}`,
      ],
      // It looks its node up when it starts, and would otherwise wait out a back-off.
      after: ['kubelet'],
      ready: { kind: 'http', url: 'http://127.0.0.1:10256/livez' },
      stopGroup: STOP_FIRST,
    },
  ];
}

/** The configuration files of the node: name and content. */
export function nodeConfiguration(inputs: NodeInputs): Readonly<Record<string, string>> {
  return {
    'containerd.toml': containerdToml(inputs),
    'kubelet.yaml': stringify(kubeletConfiguration(inputs)),
    'kube-proxy.yaml': stringify(kubeProxyConfiguration(inputs)),
    'cni/10-assistant-platform.conflist': JSON.stringify(cniConfiguration(inputs), undefined, 2),
    // Names are answered by CoreDNS; what runs on the node itself knows addresses only.
    'resolv.conf': '',
  };
}

function containerdToml({ files, pauseImage, cniPlugins }: NodeInputs): string {
  const text = (value: string): string => JSON.stringify(value); // a JSON string is a TOML basic string
  return `version = 2
root = ${text(join(files.data, 'containerd'))}
state = ${text(CONTAINERD_STATE)}
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.tracing",
  "io.containerd.tracing.processor.v1.otlp",
]

[grpc]
  address = ${text(CONTAINERD_SOCKET)}

[plugins."io.containerd.internal.v1.opt"]
  path = ${text(join(files.data, 'containerd-opt'))}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(pauseImage)}
  # Machines without CAP_SYS_RESOURCE cannot lower oom_score_adj: without this every sandbox dies there.
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  max_container_log_line_size = 65536

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${text(cniPlugins)}
    conf_dir = ${text(join(files.configuration, 'cni'))}

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
}

function kubeletConfiguration({ files, plan, cgroup }: NodeInputs): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    // Two instances on one machine must not see each other's pods as leftovers of their own.
    cgroupRoot: cgroup,
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    address: plan.node,
    healthzBindAddress: '127.0.0.1',
    tlsCertFile: join(files.certificates, 'kubelet-serving.crt'),
    tlsPrivateKeyFile: join(files.certificates, 'kubelet-serving.key'),
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(files.certificates, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    clusterDNS: [plan.dnsService],
    clusterDomain: 'cluster.local',
    resolvConf: join(files.configuration, 'resolv.conf'),
    podLogsDir: join(files.data, 'pod-logs'),
    volumePluginDir: join(files.data, 'volume-plugins'),
    makeIPTablesUtilChains: false,
    failSwapOn: false,
    maxPods: 200,
    // No registry could give an image back that was collected as garbage.
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '2%', 'imagefs.available': '2%' },
    serializeImagePulls: false,
    syncFrequency: '10s',
    oomScoreAdj: 0,
    kubeAPIQPS: 100,
    kubeAPIBurst: 200,
  };
}

function kubeProxyConfiguration({ files, plan }: NodeInputs): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    nftables: { syncPeriod: '30s', minSyncPeriod: '100ms' },
    bindAddress: plan.node,
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    clientConnection: { kubeconfig: componentKubeconfig(files, 'kube-proxy') },
    clusterCIDR: plan.pods,
    nodePortAddresses: [`${plan.node}/32`],
    // These would change the machine's settings, not the namespace's.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
}

function cniConfiguration({ plan }: NodeInputs): object {
  return {
    cniVersion: '1.0.0',
    name: 'assistant-platform',
    plugins: [
      {
        type: 'bridge',
        bridge: 'pods0',
        isDefaultGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: { type: 'host-local', dataDir: CNI_ADDRESSES, ranges: [[{ subnet: plan.pods }]] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}
