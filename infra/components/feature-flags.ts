/**
 * Feature flags: Unleash with a database of its own, its tokens, and the flags that the platform knows (dev tier).
 *
 * Pulumi makes a flag once and never changes it again: switching features is people's work, in Unleash's own pages.
 */
import { readFileSync } from 'node:fs';
import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { hardenedPod, labelsOf, resources } from '../hardening.ts';
import type { Image } from '../images.ts';
import { allowIngress, ANYBODY } from '../network.ts';
import { Component } from './component.ts';
import type { Database } from './postgres-database.ts';
import { serverMetadata, serverService, statelessServer } from './server.ts';

/** A flag server as its clients see it, whoever runs it. */
export interface FlagServer {
  /** Base address of the API for SDKs, ending in `/api`. */
  readonly url: pulumi.Output<string>;
  /** Environment that the backend token reads. */
  readonly environment: string;
  /** Login of a person. */
  readonly adminUser: string;
  readonly adminPassword: pulumi.Output<string>;
}

/** A flag that exists from the start, switched off. */
export interface FlagDefinition {
  readonly name: string;
  readonly description: string;
  readonly environment: string;
  /** Percent of contexts that get it once a person switches it on. */
  readonly rollout: number;
  /** Context field that keeps a person on one side. */
  readonly stickiness: string;
}

/** Arguments of {@link FeatureFlags}. */
export interface FeatureFlagsArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: Image;
  readonly database: Database;
  /** API token of the form `*:*.<secret>`: may change everything. */
  readonly adminApiToken: pulumi.Input<string>;
  /** API token of the form `<project>:<environment>.<secret>`: reads the flags of one environment. */
  readonly backendToken: pulumi.Input<string>;
  readonly environment: string;
  readonly adminPassword: pulumi.Input<string>;
  readonly flags: readonly FlagDefinition[];
  readonly nodePort: number;
}

const NAME = 'unleash';
const PORT = 4242;
const SCRIPT = readFileSync(new URL('../jobs/ensure-flags.mjs', import.meta.url), 'utf8');

/** Unleash as a Deployment, and a Job that makes the flags. */
export class FeatureFlags extends Component implements FlagServer {
  readonly url: pulumi.Output<string>;
  readonly environment: string;
  readonly adminUser = 'admin';
  readonly adminPassword: pulumi.Output<string>;

  constructor(name: string, args: FeatureFlagsArgs, options?: pulumi.ComponentResourceOptions) {
    super('FeatureFlags', name, options);
    this.environment = args.environment;
    this.adminPassword = pulumi.secret(args.adminPassword);
    const metadata = serverMetadata(NAME, args.namespace, 'flags');

    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      {
        metadata: { namespace: args.namespace, labels: metadata.labels },
        immutable: true,
        stringData: {
          databasePassword: args.database.password,
          adminPassword: this.adminPassword,
          adminApiToken: args.adminApiToken,
          backendToken: args.backendToken,
        },
      },
      this.child(),
    );
    const fromSecret = (variable: string, key: string) => ({
      name: variable,
      valueFrom: { secretKeyRef: { name: secret.metadata.name, key } },
    });
    const service = serverService(
      `${name}-service`,
      metadata,
      { name: 'http', port: PORT, nodePort: args.nodePort },
      this.child(),
    );
    const health = { httpGet: { path: '/health', port: 'http' } };
    const server = statelessServer(
      `${name}-server`,
      metadata,
      {
        image: args.image,
        metrics: { port: PORT, path: '/internal-backstage/prometheus' },
        pod: {
          containers: [
            {
              name: NAME,
              image: args.image.ref,
              env: [
                { name: 'DATABASE_HOST', value: args.database.host },
                { name: 'DATABASE_PORT', value: String(args.database.port) },
                { name: 'DATABASE_NAME', value: args.database.database },
                { name: 'DATABASE_USERNAME', value: args.database.user },
                fromSecret('DATABASE_PASSWORD', 'databasePassword'),
                { name: 'DATABASE_SSL', value: 'false' },
                { name: 'UNLEASH_DEFAULT_ADMIN_USERNAME', value: this.adminUser },
                fromSecret('UNLEASH_DEFAULT_ADMIN_PASSWORD', 'adminPassword'),
                fromSecret('INIT_ADMIN_API_TOKENS', 'adminApiToken'),
                fromSecret('INIT_BACKEND_API_TOKENS', 'backendToken'),
                // The operator's webhook lies within the cluster (issue of the flag coupling).
                { name: 'UNLEASH_ALLOW_PRIVATE_URL_IN_INTEGRATION', value: 'true' },
                { name: 'SECURE_HEADERS', value: 'false' }, // plain HTTP on the NodePort: no HSTS
                { name: 'CHECK_VERSION', value: 'false' },
                { name: 'SEND_TELEMETRY', value: 'false' },
                { name: 'LOG_LEVEL', value: 'warn' },
                { name: 'HTTP_PORT', value: String(PORT) },
                { name: 'HOME', value: '/tmp' },
              ],
              ports: [{ name: 'http', containerPort: PORT }],
              startupProbe: { ...health, periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 90 },
              readinessProbe: { ...health, periodSeconds: 5, timeoutSeconds: 5 },
              livenessProbe: { ...health, periodSeconds: 20, timeoutSeconds: 10, failureThreshold: 6 },
              resources: resources('50m', '192Mi', '512Mi'),
            },
          ],
        },
      },
      this.child(),
    );
    allowIngress(
      `${name}-policy`,
      { namespace: args.namespace, app: NAME, ingress: [{ from: ANYBODY, ports: [PORT] }] },
      this.child(),
    );

    const host = pulumi.interpolate`http://${service.metadata.name}.${server.metadata.namespace}.svc.cluster.local:${PORT}`;
    const job = this.ensureFlags(name, args, host, fromSecret('UNLEASH_ADMIN_TOKEN', 'adminApiToken'));
    this.url = pulumi.all([host, job.metadata.name]).apply(([base]) => `${base}/api`);
    this.registerOutputs({ url: this.url });
  }

  /** A Job that runs again whenever the script or the flags change. */
  private ensureFlags(
    name: string,
    args: FeatureFlagsArgs,
    host: pulumi.Output<string>,
    token: k8s.types.input.core.v1.EnvVar,
  ): k8s.batch.v1.Job {
    const labels = labelsOf('ensure-flags', 'flags');
    const script = new k8s.core.v1.ConfigMap(
      `${name}-script`,
      { metadata: { namespace: args.namespace, labels }, immutable: true, data: { 'ensure-flags.mjs': SCRIPT } },
      this.child(),
    );
    return new k8s.batch.v1.Job(
      `${name}-job`,
      {
        metadata: { namespace: args.namespace, labels },
        spec: {
          backoffLimit: 10,
          template: {
            metadata: { labels },
            spec: hardenedPod({
              restartPolicy: 'OnFailure',
              containers: [
                {
                  name: 'ensure-flags',
                  image: args.image.ref,
                  command: ['node', '/etc/ensure-flags/ensure-flags.mjs'],
                  env: [
                    { name: 'UNLEASH_ADDRESS', value: host },
                    token,
                    { name: 'FLAGS', value: JSON.stringify(args.flags) },
                  ],
                  resources: resources('10m', '64Mi', '128Mi'),
                  volumeMounts: [{ name: 'script', mountPath: '/etc/ensure-flags', readOnly: true }],
                },
              ],
              volumes: [{ name: 'script', configMap: { name: script.metadata.name } }],
            }),
          },
        },
      },
      this.child(),
    );
  }
}
