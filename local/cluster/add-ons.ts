// What a fresh cluster gets before anybody uses it: the Gateway API's resources, cluster DNS, and the StorageClass `standard`.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AddressPlan } from './addresses.ts';
import type { KubernetesObject } from './api-client.ts';

/** Name of the provisioner of the StorageClass `standard`; see volume-provisioner.ts. */
export const PROVISIONER = 'assistant-platform.io/host-path';

/** A List that kubectl applies as it is; made by manifests/vendor-gateway-api.ts. */
export const GATEWAY_API_FILE = join(import.meta.dirname, 'manifests', 'gateway-api.json');

/** The CustomResourceDefinitions of the Gateway API's standard channel, v1.5.1. */
export async function gatewayApi(): Promise<KubernetesObject[]> {
  return (JSON.parse(await readFile(GATEWAY_API_FILE, 'utf8')) as { readonly items: KubernetesObject[] }).items;
}

/** The default StorageClass: folders below the state folder, removed with their claim. */
export function storageClass(): KubernetesObject {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name: 'standard',
      annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
    },
    provisioner: PROVISIONER,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
  };
}

/**
 * CoreDNS as cluster DNS, with two replicas: one of them may be restarted without anybody's lookup failing.
 *
 * @param image reference of the CoreDNS image that is on the node.
 * @param upstream name servers for names outside the cluster; with none, such names do not exist.
 */
export function clusterDns(plan: AddressPlan, image: string, upstream: readonly string[]): KubernetesObject[] {
  const labels = { 'k8s-app': 'kube-dns' };
  const named = (name: string) => ({ name, namespace: 'kube-system', labels });
  const outside =
    upstream.length > 0 ? `forward . ${upstream.join(' ')}` : 'template ANY ANY {\n        rcode NXDOMAIN\n    }';
  const corefile = `cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {
    errors
    health :8081
    ready :8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        ttl 5
    }
    prometheus :9153
    cache 5
}
.:53 {
    errors
    ${outside}
}
`;
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: named('coredns') },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'system:coredns' },
      rules: [
        { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'system:coredns' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' },
      subjects: [{ kind: 'ServiceAccount', name: 'coredns', namespace: 'kube-system' }],
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: named('coredns'), data: { Corefile: corefile } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: named('kube-dns'),
      spec: {
        clusterIP: plan.dnsService,
        selector: labels,
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        ],
      },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: named('coredns'),
      spec: { minAvailable: 1, selector: { matchLabels: labels } },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: named('coredns'),
      spec: {
        replicas: 2,
        strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: 'coredns',
            priorityClassName: 'system-cluster-critical',
            dnsPolicy: 'Default',
            // The image's user is not root: a pod of its own network namespace may open port 53 to everybody.
            securityContext: { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '53' }] },
            containers: [
              {
                name: 'coredns',
                image,
                imagePullPolicy: 'IfNotPresent',
                args: ['-conf', '/etc/coredns/Corefile'],
                resources: { requests: { cpu: '20m', memory: '40Mi' }, limits: { memory: '170Mi' } },
                readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1, failureThreshold: 3 },
                livenessProbe: { httpGet: { path: '/health', port: 8081 }, initialDelaySeconds: 30, timeoutSeconds: 5 },
                securityContext: {
                  allowPrivilegeEscalation: false,
                  capabilities: { drop: ['ALL'] },
                  readOnlyRootFilesystem: true,
                },
                volumeMounts: [{ name: 'configuration', mountPath: '/etc/coredns', readOnly: true }],
              },
            ],
            volumes: [{ name: 'configuration', configMap: { name: 'coredns' } }],
          },
        },
      },
    },
  ];
}
