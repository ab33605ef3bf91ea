/** The local model: an OpenAI-compatible server around a small model on the CPU, the offline and fallback tier. */
import * as pulumi from '@pulumi/pulumi';
import { resources } from '../hardening.ts';
import type { Image } from '../images.ts';
import { allowIngress, podsIn } from '../network.ts';
import { Component } from './component.ts';
import { serverMetadata, serverService, statelessServer } from './server.ts';

/** A model server as the services see it, whoever runs it. */
export interface ModelServer {
  /** Base address of the OpenAI-compatible API, ending in `/v1`. */
  readonly url: pulumi.Output<string>;
}

/** Arguments of {@link LocalModel}. */
export interface LocalModelArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: Image;
  /** Namespace of the Prometheus that scrapes it. */
  readonly metricsFrom: pulumi.Input<string>;
}

const NAME = 'model';
const PORT = 8080;
const ADMIN_PORT = 9090;

/** The model as a Deployment of one. */
export class LocalModel extends Component implements ModelServer {
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: LocalModelArgs, options?: pulumi.ComponentResourceOptions) {
    super('LocalModel', name, options);
    const metadata = serverMetadata(NAME, args.namespace, 'model');

    const service = serverService(`${name}-service`, metadata, { name: 'http', port: PORT }, this.child());
    const server = statelessServer(
      `${name}-server`,
      metadata,
      {
        image: args.image,
        metrics: { port: ADMIN_PORT },
        pod: {
          containers: [
            {
              name: NAME,
              image: args.image.ref,
              ports: [
                { name: 'http', containerPort: PORT },
                { name: 'admin', containerPort: ADMIN_PORT },
              ],
              // Loading the weights takes a second or two on a free core, longer on a busy one.
              startupProbe: {
                httpGet: { path: '/readyz', port: 'http' },
                periodSeconds: 2,
                timeoutSeconds: 5,
                failureThreshold: 90,
              },
              readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 5, timeoutSeconds: 5 },
              livenessProbe: {
                httpGet: { path: '/healthz', port: 'http' },
                periodSeconds: 20,
                timeoutSeconds: 15,
                failureThreshold: 6,
              },
              resources: resources('200m', '512Mi', '1Gi'),
            },
          ],
        },
      },
      this.child(),
    );
    allowIngress(
      `${name}-policy`,
      {
        namespace: args.namespace,
        app: NAME,
        ingress: [
          { from: [podsIn(args.namespace)], ports: [PORT] },
          { from: [podsIn(args.metricsFrom)], ports: [ADMIN_PORT] },
        ],
      },
      this.child(),
    );

    this.url = pulumi.interpolate`http://${service.metadata.name}.${server.metadata.namespace}.svc.cluster.local:${PORT}/v1`;
    this.registerOutputs({ url: this.url });
  }
}
