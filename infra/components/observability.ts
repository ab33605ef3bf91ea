/** Observability: Prometheus, which finds what to scrape by the annotations of pods (dev tier). */
import { readFileSync } from 'node:fs';
import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { resources } from '../hardening.ts';
import type { Image } from '../images.ts';
import { allowIngress, ANYBODY } from '../network.ts';
import { Component } from './component.ts';
import { serverMetadata, serverService, statefulServer } from './server.ts';
import { volumeClaim } from './volume-claim.ts';

/** A Prometheus as its clients see it, whoever runs it. */
export interface MetricStore {
  /** Base address of the HTTP API. */
  readonly url: pulumi.Output<string>;
}

/** Arguments of {@link Observability}. */
export interface ObservabilityArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: Image;
  /** Any image with Node, for the sidecar that finds the pods. */
  readonly nodeImage: Image;
  readonly storageClass: string;
  readonly storage: string;
  /** How long samples are kept, for example `7d`. */
  readonly retention: string;
  readonly nodePort: number;
}

const NAME = 'prometheus';
const PORT = 9090;
const DISCOVERY_PORT = 9099;
const CONFIG = readFileSync(new URL('./observability.yaml', import.meta.url), 'utf8');
const DISCOVERY = readFileSync(new URL('../jobs/pod-discovery.mjs', import.meta.url), 'utf8');

/** Where the Prometheus of a namespace answers. Known before it runs: who asks it need not wait for it. */
export const prometheusAddress = (namespace: pulumi.Input<string>): pulumi.Output<string> =>
  pulumi.interpolate`http://${NAME}.${namespace}.svc.cluster.local:${PORT}`;

/** Prometheus as a StatefulSet of one. */
export class Observability extends Component implements MetricStore {
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: ObservabilityArgs, options?: pulumi.ComponentResourceOptions) {
    super('Observability', name, options);
    const metadata = serverMetadata(NAME, args.namespace, 'metrics');

    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      this.child(),
    );
    const role = new k8s.rbac.v1.ClusterRole(
      `${name}-role`,
      {
        metadata: { name: `assistant-platform:${NAME}`, labels: metadata.labels },
        rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }],
      },
      this.child(),
    );
    const binding = new k8s.rbac.v1.ClusterRoleBinding(
      `${name}-binding`,
      {
        metadata: { name: `assistant-platform:${NAME}`, labels: metadata.labels },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role.metadata.name },
        subjects: [{ kind: 'ServiceAccount', name: account.metadata.name, namespace: args.namespace }],
      },
      this.child(),
    );
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata: { namespace: args.namespace, labels: metadata.labels },
        immutable: true,
        data: { 'prometheus.yml': CONFIG, 'pod-discovery.mjs': DISCOVERY },
      },
      this.child(),
    );
    const claim = volumeClaim(
      `${name}-data`,
      { name: `${NAME}-data`, namespace: args.namespace, storageClass: args.storageClass, storage: args.storage },
      this.child(),
    );
    const service = serverService(
      `${name}-service`,
      metadata,
      { name: 'http', port: PORT, nodePort: args.nodePort },
      this.child(),
    );
    const server = statefulServer(
      `${name}-server`,
      metadata,
      service,
      {
        image: args.image,
        metrics: { port: PORT },
        pod: {
          serviceAccountName: account.metadata.name,
          automountServiceAccountToken: true, // to list the pods
          terminationGracePeriodSeconds: 60,
          containers: [
            {
              name: NAME,
              image: args.image.ref,
              command: ['prometheus'],
              args: [
                '--config.file=/etc/prometheus/prometheus.yml',
                '--storage.tsdb.path=/prometheus/data',
                `--storage.tsdb.retention.time=${args.retention}`,
                `--web.listen-address=:${PORT}`,
                '--log.format=json',
              ],
              ports: [{ name: 'http', containerPort: PORT }],
              startupProbe: {
                httpGet: { path: '/-/ready', port: 'http' },
                periodSeconds: 2,
                timeoutSeconds: 5,
                failureThreshold: 90,
              },
              readinessProbe: { httpGet: { path: '/-/ready', port: 'http' }, periodSeconds: 5, timeoutSeconds: 5 },
              livenessProbe: {
                httpGet: { path: '/-/healthy', port: 'http' },
                periodSeconds: 20,
                timeoutSeconds: 10,
                failureThreshold: 6,
              },
              resources: resources('50m', '128Mi', '512Mi'),
              volumeMounts: [
                { name: 'data', mountPath: '/prometheus' },
                { name: 'config', mountPath: '/etc/prometheus', readOnly: true },
              ],
            },
            {
              name: 'pod-discovery',
              image: args.nodeImage.ref,
              command: ['node', '/etc/prometheus/pod-discovery.mjs'],
              env: [{ name: 'PORT', value: String(DISCOVERY_PORT) }],
              resources: resources('10m', '48Mi', '128Mi'),
              volumeMounts: [{ name: 'config', mountPath: '/etc/prometheus', readOnly: true }],
            },
          ],
          volumes: [
            { name: 'data', persistentVolumeClaim: { claimName: claim.metadata.name } },
            { name: 'config', configMap: { name: config.metadata.name } },
          ],
        },
      },
      this.child({ dependsOn: [binding] }),
    );
    allowIngress(
      `${name}-policy`,
      { namespace: args.namespace, app: NAME, ingress: [{ from: ANYBODY, ports: [PORT] }] },
      this.child(),
    );

    this.url = prometheusAddress(server.metadata.namespace);
    this.registerOutputs({ url: this.url });
  }
}
