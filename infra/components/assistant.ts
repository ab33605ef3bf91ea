/**
 * The assistant itself: what its pods need (identity, addresses), and the AssistantDeployment `demo`.
 *
 * The release belongs to people: Pulumi creates the AssistantDeployment and from then on ignores its spec, so that
 * `kubectl apply` of a new release and a later `pulumi up` never fight.
 */
import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { API_VERSION, ASSISTANT_DEPLOYMENT } from '@assistant-platform/api';
import type { AssistantDeploymentSpec } from '@assistant-platform/api';
import { labelsOf } from '../hardening.ts';
import type { Image } from '../images.ts';
import { podsIn } from '../network.ts';
import { Component } from './component.ts';
import type { FlagServer } from './feature-flags.ts';
import type { ModelServer } from './local-model.ts';
import type { Gateway } from './public-gateway.ts';
import type { Redis } from './redis-cache.ts';
import type { SecretStore } from './secrets-backend.ts';

/** ServiceAccount of the assistant's pods: who they are to the secrets backend. */
export const ASSISTANT_ACCOUNT = 'assistant';

/** ConfigMap with the addresses that the pods read as environment. */
export const ASSISTANT_CONFIG = 'assistant-platform';

/** Arguments of {@link Assistant}. */
export interface AssistantArgs {
  readonly namespace: pulumi.Input<string>;
  /** Release label of the first release. */
  readonly release: string;
  readonly chat: { readonly image: Image; readonly replicas: number };
  readonly realtime: { readonly image: Image; readonly replicas: number };
  readonly gateway: Gateway;
  readonly redis: Redis;
  readonly secrets: SecretStore;
  readonly flags: FlagServer;
  readonly model: ModelServer;
  /** Namespaces of those who reach the pods: the gateway the traffic port, operator and Prometheus the admin port. */
  readonly callers: Readonly<Record<'gateway' | 'operator' | 'metrics', pulumi.Input<string>>>;
}

const NAME = 'demo';

/** What the first release is made from. */
export interface FirstRelease extends Pick<AssistantArgs, 'release' | 'chat' | 'realtime'> {
  readonly gateway: { readonly name: string; readonly namespace: string };
  readonly configMap: string;
  readonly serviceAccount: string;
}

/** The spec with which the AssistantDeployment is created: a canary in two steps, each half a minute. */
export function firstSpec(first: FirstRelease): AssistantDeploymentSpec {
  const component = ({ image, replicas }: FirstRelease['chat'], path: string) => ({
    image: image.ref,
    replicas,
    path,
    envFrom: [{ configMapRef: { name: first.configMap } }],
    resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '384Mi' } },
    template: { spec: { serviceAccountName: first.serviceAccount } },
  });
  return {
    release: first.release,
    components: { chat: component(first.chat, '/'), realtime: component(first.realtime, '/ws') },
    gateway: { parentRef: first.gateway },
    strategy: {
      type: 'Canary',
      canary: {
        steps: [
          { setWeight: 10 },
          { pause: { duration: '30s' } },
          { setWeight: 50 },
          { pause: { duration: '30s' } },
          { setWeight: 100 },
        ],
      },
      drain: { deadline: '2m', closePerSecond: 50 },
    },
  };
}

/** Identity, settings, network rules and the AssistantDeployment. */
export class Assistant extends Component {
  /** Name of the AssistantDeployment; known once it is Ready. */
  readonly deployment: pulumi.Output<string>;

  constructor(name: string, args: AssistantArgs, options?: pulumi.ComponentResourceOptions) {
    super('Assistant', name, options);
    const labels = labelsOf('assistant', 'assistant');

    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata: { name: ASSISTANT_ACCOUNT, namespace: args.namespace, labels } },
      this.child(),
    );
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata: { name: ASSISTANT_CONFIG, namespace: args.namespace, labels },
        data: {
          REDIS_URL: args.redis.url,
          VAULT_ADDR: args.secrets.address,
          VAULT_ROLE: args.secrets.role,
          VAULT_AUTH_PATH: args.secrets.authPath,
          VAULT_SECRET_PATH: args.secrets.secretPath,
          UNLEASH_URL: args.flags.url,
          UNLEASH_ENVIRONMENT: args.flags.environment,
          MODEL_URL: args.model.url,
          LOG_LEVEL: 'info',
        },
      },
      this.child(),
    );
    const policy = this.allowCallers(name, args, labels);
    const assistant = new k8s.apiextensions.CustomResource(
      `${name}-${NAME}`,
      {
        apiVersion: API_VERSION,
        kind: ASSISTANT_DEPLOYMENT.kind,
        metadata: {
          name: NAME,
          namespace: args.namespace,
          labels,
          annotations: { 'pulumi.com/waitFor': 'condition=Ready' },
        },
        spec: pulumi
          .all([args.gateway.name, args.gateway.namespace, config.metadata.name, account.metadata.name])
          .apply(([gateway, namespace, configMap, serviceAccount]) =>
            firstSpec({ ...args, gateway: { name: gateway, namespace }, configMap, serviceAccount }),
          ),
      },
      // After its creation it belongs to people. Deleting it drains first: the operator's finalizer waits for open
      // sockets, at the longest for the deadline above.
      this.child({
        ignoreChanges: ['spec', 'metadata.labels', 'metadata.annotations'],
        dependsOn: [policy],
        customTimeouts: { create: '10m', delete: '5m' },
      }),
    );

    this.deployment = assistant.metadata.name;
    this.registerOutputs({ deployment: this.deployment });
  }

  /** The pods are made by the operator, so the rule selects them by its label. */
  private allowCallers(
    name: string,
    args: AssistantArgs,
    labels: Record<string, string>,
  ): k8s.networking.v1.NetworkPolicy {
    const { gateway, operator, metrics } = args.callers;
    return new k8s.networking.v1.NetworkPolicy(
      `${name}-policy`,
      {
        metadata: { name: 'assistant', namespace: args.namespace, labels },
        spec: {
          podSelector: { matchExpressions: [{ key: 'assistant-platform.io/component', operator: 'Exists' }] },
          policyTypes: ['Ingress'],
          ingress: [
            { from: [podsIn(gateway)], ports: [{ protocol: 'TCP', port: 8080 }] },
            { from: [podsIn(operator), podsIn(metrics)], ports: [{ protocol: 'TCP', port: 9090 }] },
          ],
        },
      },
      this.child(),
    );
  }
}
