/**
 * The way in: one Gateway API Gateway, served by Traefik (dev tier).
 *
 * The AssistantDeployments' HTTPRoutes attach to it from any namespace.
 */
import * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';
import { resources } from '../hardening.ts';
import type { Image } from '../images.ts';
import { allowIngress, ANYBODY } from '../network.ts';
import { Component } from './component.ts';
import { serverMetadata, serverService, statelessServer } from './server.ts';

/** A gateway as HTTPRoutes see it, whoever runs it. */
export interface Gateway {
  /** Name and namespace for an HTTPRoute's parentRef; known once the gateway serves. */
  readonly name: pulumi.Output<string>;
  readonly namespace: pulumi.Output<string>;
}

/** Arguments of {@link PublicGateway}. */
export interface PublicGatewayArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: Image;
  readonly nodePort: number;
}

const NAME = 'gateway';
const PORT = 8000;
const ADMIN_PORT = 8090;
const GROUP = 'gateway.networking.k8s.io';

/** What Traefik's Gateway API provider reads, and the statuses it writes. */
const RULES: k8s.types.input.rbac.v1.PolicyRule[] = [
  { apiGroups: [''], resources: ['namespaces', 'nodes'], verbs: ['list', 'watch'] },
  { apiGroups: [''], resources: ['services', 'secrets', 'configmaps'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  {
    apiGroups: [GROUP],
    resources: [
      'backendtlspolicies',
      'gatewayclasses',
      'gateways',
      'grpcroutes',
      'httproutes',
      'listenersets',
      'referencegrants',
      'tcproutes',
      'tlsroutes',
      'udproutes',
    ],
    verbs: ['get', 'list', 'watch'],
  },
  {
    apiGroups: [GROUP],
    resources: [
      'backendtlspolicies/status',
      'gatewayclasses/status',
      'gateways/status',
      'grpcroutes/status',
      'httproutes/status',
      'listenersets/status',
      'tcproutes/status',
      'tlsroutes/status',
      'udproutes/status',
    ],
    verbs: ['update'],
  },
];

/** Traefik as a Deployment, its GatewayClass and the Gateway `public`. */
export class PublicGateway extends Component implements Gateway {
  readonly name: pulumi.Output<string>;
  readonly namespace: pulumi.Output<string>;

  constructor(name: string, args: PublicGatewayArgs, options?: pulumi.ComponentResourceOptions) {
    super('PublicGateway', name, options);
    const metadata = serverMetadata(NAME, args.namespace, 'gateway');

    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      this.child(),
    );
    const role = new k8s.rbac.v1.ClusterRole(
      `${name}-role`,
      { metadata: { name: `assistant-platform:${NAME}`, labels: metadata.labels }, rules: RULES },
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
    serverService(`${name}-service`, metadata, { name: 'web', port: PORT, nodePort: args.nodePort }, this.child());
    const ping = { httpGet: { path: '/ping', port: 'admin' } };
    const server = statelessServer(
      `${name}-server`,
      metadata,
      {
        image: args.image,
        metrics: { port: ADMIN_PORT },
        // The new one serves before the old one goes, so that no request meets a closed port.
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        pod: {
          serviceAccountName: account.metadata.name,
          automountServiceAccountToken: true, // to watch routes and endpoints
          terminationGracePeriodSeconds: 60,
          containers: [
            {
              name: NAME,
              image: args.image.ref,
              command: ['traefik'],
              args: [
                `--entrypoints.web.address=:${PORT}`,
                // On SIGTERM: go on accepting while endpoints are withdrawn, then let answers in mid-stream end.
                '--entrypoints.web.transport.lifecycle.requestacceptgracetimeout=5s',
                '--entrypoints.web.transport.lifecycle.gracetimeout=30s',
                `--entrypoints.admin.address=:${ADMIN_PORT}`,
                '--ping=true',
                '--ping.entrypoint=admin',
                '--metrics.prometheus=true',
                '--metrics.prometheus.entrypoint=admin',
                '--metrics.prometheus.addserviceslabels=true',
                '--providers.kubernetesgateway=true',
                // A change of weights takes effect within a quarter of a second instead of two seconds.
                '--providers.providersthrottleduration=100ms',
                '--global.checknewversion=false',
                '--global.sendanonymoususage=false',
                '--log.level=INFO',
                '--log.format=json',
              ],
              ports: [
                { name: 'web', containerPort: PORT },
                { name: 'admin', containerPort: ADMIN_PORT },
              ],
              startupProbe: { ...ping, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 120 },
              readinessProbe: { ...ping, periodSeconds: 3, timeoutSeconds: 5 },
              livenessProbe: { ...ping, periodSeconds: 20, timeoutSeconds: 10, failureThreshold: 6 },
              resources: resources('100m', '96Mi', '512Mi'),
            },
          ],
        },
      },
      this.child({ dependsOn: [binding] }),
    );
    allowIngress(
      `${name}-policy`,
      {
        namespace: args.namespace,
        app: NAME,
        ingress: [{ from: ANYBODY, ports: [PORT, ADMIN_PORT] }],
      },
      this.child(),
    );
    const gatewayClass = new k8s.apiextensions.CustomResource(
      `${name}-class`,
      {
        apiVersion: `${GROUP}/v1`,
        kind: 'GatewayClass',
        metadata: { name: 'traefik', labels: metadata.labels },
        spec: { controllerName: 'traefik.io/gateway-controller' },
      },
      this.child({ dependsOn: [server] }),
    );
    const gateway = new k8s.apiextensions.CustomResource(
      `${name}-gateway`,
      {
        apiVersion: `${GROUP}/v1`,
        kind: 'Gateway',
        metadata: {
          name: 'public',
          namespace: args.namespace,
          labels: metadata.labels,
          annotations: { 'pulumi.com/waitFor': 'condition=Programmed' },
        },
        spec: {
          gatewayClassName: gatewayClass.metadata.name,
          // Traefik wants the listener's port to be its entry point's.
          listeners: [{ name: 'web', protocol: 'HTTP', port: PORT, allowedRoutes: { namespaces: { from: 'All' } } }],
        },
      },
      this.child(),
    );

    this.name = gateway.metadata.name;
    this.namespace = gateway.metadata.namespace;
    this.registerOutputs({ name: this.name });
  }
}
