/**
 * The secrets backend: OpenBao with its data on a volume, which initialises, configures and unseals itself (dev tier).
 *
 * What it holds at first is written by its own `initialize` blocks (secrets-backend.hcl) from one Kubernetes Secret;
 * after that the contents belong to whoever holds the admin token.
 */
import { readFileSync } from 'node:fs';
import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { resources } from '../hardening.ts';
import type { Image } from '../images.ts';
import { allowIngress, ANYBODY } from '../network.ts';
import { Component } from './component.ts';
import { serverMetadata, serverService, statefulServer } from './server.ts';
import { volumeClaim } from './volume-claim.ts';

/** A Vault-compatible store as its clients see it, whoever runs it. */
export interface SecretStore {
  /** Base address for VAULT_ADDR. */
  readonly address: pulumi.Output<string>;
  /** Mount of the Kubernetes auth method, and the role that the assistant's pods log in with. */
  readonly authPath: string;
  readonly role: string;
  /** API path (KV version 2) of the assistant's secret. */
  readonly secretPath: string;
  /** A token that may do everything, for people. */
  readonly adminToken: pulumi.Output<string>;
}

/** What the assistant's secret holds; the names are the services' contract. */
export interface AssistantSecret {
  readonly redisPassword: pulumi.Input<string>;
  /** HS256 key: 32 bytes, base64. */
  readonly tokenSigningKey: pulumi.Input<string>;
  /** Backend token of the flag server. */
  readonly unleashToken: pulumi.Input<string>;
}

/** Arguments of {@link SecretsBackend}. */
export interface SecretsBackendArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: Image;
  /** 32 bytes, base64: unseals the store at each start. */
  readonly sealKey: pulumi.Input<string>;
  readonly adminToken: pulumi.Input<string>;
  readonly contents: AssistantSecret;
  /** Who may read the assistant's secret. */
  readonly reader: { readonly serviceAccount: string; readonly namespace: string };
  readonly storageClass: string;
  readonly storage: string;
  readonly nodePort: number;
}

const NAME = 'openbao';
const PORT = 8200;
const KEYS = '/run/secrets/openbao';
const DATA = '/openbao/data';
const CONFIG = readFileSync(new URL('./secrets-backend.hcl', import.meta.url), 'utf8');
const SCRIPT = readFileSync(new URL('./secrets-backend.sh', import.meta.url), 'utf8');

/** The server's configuration with the reader's names filled in. */
export function openbaoConfig(reader: SecretsBackendArgs['reader']): string {
  return CONFIG.replace('{{serviceAccount}}', reader.serviceAccount).replace(
    '{{serviceAccountNamespace}}',
    reader.namespace,
  );
}

/** OpenBao as a StatefulSet of one with integrated storage. */
export class SecretsBackend extends Component implements SecretStore {
  readonly address: pulumi.Output<string>;
  readonly authPath = 'kubernetes';
  readonly role = 'assistant';
  readonly secretPath = 'secret/data/assistant';
  readonly adminToken: pulumi.Output<string>;

  constructor(name: string, args: SecretsBackendArgs, options?: pulumi.ComponentResourceOptions) {
    super('SecretsBackend', name, options);
    this.adminToken = pulumi.secret(args.adminToken);
    const metadata = serverMetadata(NAME, args.namespace, 'secrets');

    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      this.child(),
    );
    const reviewer = new k8s.rbac.v1.ClusterRoleBinding(
      `${name}-reviewer`,
      {
        metadata: { name: `assistant-platform:${NAME}:token-review`, labels: metadata.labels },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
        subjects: [{ kind: 'ServiceAccount', name: account.metadata.name, namespace: args.namespace }],
      },
      this.child(),
    );
    const keys = new k8s.core.v1.Secret(
      `${name}-keys`,
      {
        metadata: { ...metadata, name: `${NAME}-keys` },
        stringData: { sealKey: args.sealKey, adminToken: this.adminToken, ...args.contents },
      },
      this.child(),
    );
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata: { namespace: args.namespace, labels: metadata.labels },
        immutable: true,
        data: { 'openbao.hcl': openbaoConfig(args.reader), 'openbao.sh': SCRIPT },
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
        metrics: { port: PORT, path: '/v1/sys/metrics', format: 'prometheus' },
        pod: {
          serviceAccountName: account.metadata.name,
          automountServiceAccountToken: true, // to ask the API server who a caller is
          containers: [
            {
              name: NAME,
              image: args.image.ref,
              command: ['sh', '/etc/openbao/openbao.sh', 'serve'],
              env: [
                { name: 'BAO_ADDR', value: `http://127.0.0.1:${PORT}` },
                { name: 'HOME', value: '/tmp' },
              ],
              ports: [{ name: 'http', containerPort: PORT }],
              startupProbe: {
                exec: { command: ['sh', '/etc/openbao/openbao.sh', 'started'] },
                periodSeconds: 2,
                timeoutSeconds: 5,
                failureThreshold: 60,
              },
              readinessProbe: {
                httpGet: { path: '/v1/sys/health', port: 'http' },
                periodSeconds: 5,
                timeoutSeconds: 3,
              },
              livenessProbe: {
                httpGet: { path: '/v1/sys/health?sealedcode=200&uninitcode=200&standbyok=true', port: 'http' },
                periodSeconds: 20,
                timeoutSeconds: 10,
                failureThreshold: 6,
              },
              resources: resources('50m', '128Mi', '384Mi'),
              volumeMounts: [
                { name: 'data', mountPath: DATA },
                { name: 'keys', mountPath: KEYS, readOnly: true },
                { name: 'config', mountPath: '/etc/openbao', readOnly: true },
              ],
            },
          ],
          volumes: [
            { name: 'data', persistentVolumeClaim: { claimName: claim.metadata.name } },
            { name: 'keys', secret: { secretName: keys.metadata.name, defaultMode: 0o440 } },
            { name: 'config', configMap: { name: config.metadata.name } },
          ],
        },
      },
      this.child({ dependsOn: [reviewer] }),
    );
    allowIngress(
      `${name}-policy`,
      { namespace: args.namespace, app: NAME, ingress: [{ from: ANYBODY, ports: [PORT] }] },
      this.child(),
    );

    this.address = pulumi.interpolate`http://${service.metadata.name}.${server.metadata.namespace}.svc.cluster.local:${PORT}`;
    this.registerOutputs({ address: this.address });
  }
}
