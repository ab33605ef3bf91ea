/**
 * Redis (Valkey): one server whose writes are on disk before they are acknowledged (dev tier).
 *
 * The realtime service acknowledges a message after XADD, so the append-only file is synced on every write.
 */
import { readFileSync } from 'node:fs';
import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { resources } from '../hardening.ts';
import type { Image } from '../images.ts';
import { allowIngress, podsIn } from '../network.ts';
import { Component } from './component.ts';
import { serverMetadata, serverService, statefulServer } from './server.ts';
import { volumeClaim } from './volume-claim.ts';

/** A Redis as its clients see it, whoever runs it. */
export interface Redis {
  /** `redis://host:port`, without the password. */
  readonly url: pulumi.Output<string>;
  readonly password: pulumi.Output<string>;
}

/** Arguments of {@link RedisCache}. */
export interface RedisCacheArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: Image;
  readonly password: pulumi.Input<string>;
  readonly storageClass: string;
  /** Size of the volume, for example `1Gi`. */
  readonly storage: string;
  /** Namespaces whose pods may connect. */
  readonly clients: readonly pulumi.Input<string>[];
}

const NAME = 'redis';
const PORT = 6379;
const CONFIG = readFileSync(new URL('./redis-cache.conf', import.meta.url), 'utf8');

/** Valkey as a StatefulSet of one. */
export class RedisCache extends Component implements Redis {
  readonly url: pulumi.Output<string>;
  readonly password: pulumi.Output<string>;

  constructor(name: string, args: RedisCacheArgs, options?: pulumi.ComponentResourceOptions) {
    super('RedisCache', name, options);
    this.password = pulumi.secret(args.password);
    const metadata = serverMetadata(NAME, args.namespace, 'cache');

    // Both are named by Pulumi and immutable: a change gives new objects, and the pod template that names them rolls.
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata: { namespace: args.namespace, labels: metadata.labels },
        immutable: true,
        data: { 'valkey.conf': CONFIG },
      },
      this.child(),
    );
    const auth = new k8s.core.v1.Secret(
      `${name}-auth`,
      {
        metadata: { namespace: args.namespace, labels: metadata.labels },
        immutable: true,
        stringData: { 'auth.conf': pulumi.interpolate`requirepass ${this.password}\n` },
      },
      this.child(),
    );
    const claim = volumeClaim(
      `${name}-data`,
      { name: `${NAME}-data`, namespace: args.namespace, storageClass: args.storageClass, storage: args.storage },
      this.child(),
    );
    const service = serverService(`${name}-service`, metadata, { name: 'redis', port: PORT }, this.child());
    // While it loads its data it accepts and answers LOADING, which clients wait out; the image has no client to ask it.
    const listening = { tcpSocket: { port: 'redis' } };
    const server = statefulServer(
      `${name}-server`,
      metadata,
      service,
      {
        image: args.image,
        pod: {
          terminationGracePeriodSeconds: 30,
          containers: [
            {
              name: NAME,
              image: args.image.ref,
              command: ['valkey-server'],
              args: ['/etc/valkey/valkey.conf'],
              ports: [{ name: 'redis', containerPort: PORT }],
              startupProbe: { ...listening, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 120 },
              readinessProbe: { ...listening, periodSeconds: 5, timeoutSeconds: 5 },
              livenessProbe: { ...listening, periodSeconds: 20, timeoutSeconds: 10, failureThreshold: 6 },
              resources: resources('50m', '32Mi', '384Mi'),
              volumeMounts: [
                { name: 'data', mountPath: '/data' },
                { name: 'config', mountPath: '/etc/valkey', readOnly: true },
                { name: 'auth', mountPath: '/run/secrets/valkey', readOnly: true },
              ],
            },
          ],
          volumes: [
            { name: 'data', persistentVolumeClaim: { claimName: claim.metadata.name } },
            { name: 'config', configMap: { name: config.metadata.name } },
            {
              name: 'auth',
              secret: {
                secretName: auth.metadata.name,
                defaultMode: 0o440,
                items: [{ key: 'auth.conf', path: 'auth.conf' }],
              },
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
        ingress: [{ from: args.clients.map((client) => podsIn(client)), ports: [PORT] }],
        noEgress: true,
      },
      this.child(),
    );

    this.url = pulumi.interpolate`redis://${service.metadata.name}.${server.metadata.namespace}.svc.cluster.local:${PORT}`;
    this.registerOutputs({ url: this.url });
  }
}
