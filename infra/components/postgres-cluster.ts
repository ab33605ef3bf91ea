/**
 * Postgres: one server in the cluster with its data on a volume (dev tier).
 *
 * The superuser's password lives in one Secret and nowhere else; programs get a database and a role of their own
 * through PostgresDatabase.
 */
import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { resources } from '../hardening.ts';
import type { Image } from '../images.ts';
import { allowIngress, podsIn } from '../network.ts';
import { Component } from './component.ts';
import { serverMetadata, serverService, statefulServer } from './server.ts';
import { volumeClaim } from './volume-claim.ts';

/** A Postgres server as its clients see it, whoever runs it. */
export interface PostgresServer {
  /** DNS name within the cluster. */
  readonly host: pulumi.Output<string>;
  readonly port: number;
  readonly namespace: pulumi.Output<string>;
  /** Role that may create roles and databases. */
  readonly adminUser: string;
  /** Secret in {@link namespace} with the admin's password under the key `password`. */
  readonly adminSecret: pulumi.Output<string>;
}

/** Arguments of {@link PostgresCluster}. */
export interface PostgresClusterArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: Image;
  /** The superuser's password. */
  readonly adminPassword: pulumi.Input<string>;
  readonly storageClass: string;
  /** Size of the volume, for example `1Gi`. */
  readonly storage: string;
  /** Namespaces whose pods may connect, besides this one's. */
  readonly clients: readonly pulumi.Input<string>[];
}

const NAME = 'postgres';
const PORT = 5432;
const DATA = '/var/lib/postgresql/data';

/** Postgres as a StatefulSet of one. */
export class PostgresCluster extends Component implements PostgresServer {
  readonly host: pulumi.Output<string>;
  readonly port = PORT;
  readonly namespace: pulumi.Output<string>;
  readonly adminUser = 'postgres';
  readonly adminSecret: pulumi.Output<string>;

  constructor(name: string, args: PostgresClusterArgs, options?: pulumi.ComponentResourceOptions) {
    super('PostgresCluster', name, options);
    const metadata = serverMetadata(NAME, args.namespace, 'database');

    const admin = new k8s.core.v1.Secret(
      `${name}-admin`,
      {
        metadata: { ...metadata, name: `${NAME}-admin` },
        stringData: { username: this.adminUser, password: args.adminPassword },
      },
      this.child(),
    );
    const claim = volumeClaim(
      `${name}-data`,
      { name: `${NAME}-data`, namespace: args.namespace, storageClass: args.storageClass, storage: args.storage },
      this.child(),
    );
    const service = serverService(`${name}-service`, metadata, { name: 'postgres', port: PORT }, this.child());
    const ready = { command: ['pg_isready', '--host=127.0.0.1', `--port=${PORT}`, `--username=${this.adminUser}`] };
    const server = statefulServer(
      `${name}-server`,
      metadata,
      service,
      {
        image: args.image,
        pod: {
          terminationGracePeriodSeconds: 60,
          containers: [
            {
              name: NAME,
              image: args.image.ref,
              env: [
                { name: 'POSTGRES_USER', value: this.adminUser },
                { name: 'POSTGRES_PASSWORD_FILE', value: '/run/secrets/postgres/password' },
                { name: 'PGDATA', value: DATA },
              ],
              ports: [{ name: 'postgres', containerPort: PORT }],
              startupProbe: { exec: ready, periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 90 },
              readinessProbe: { exec: ready, periodSeconds: 5, timeoutSeconds: 5 },
              livenessProbe: { exec: ready, periodSeconds: 20, timeoutSeconds: 10, failureThreshold: 6 },
              resources: resources('50m', '128Mi', '512Mi'),
              volumeMounts: [
                { name: 'data', mountPath: DATA },
                { name: 'admin', mountPath: '/run/secrets/postgres', readOnly: true },
              ],
            },
          ],
          volumes: [
            { name: 'data', persistentVolumeClaim: { claimName: claim.metadata.name } },
            {
              name: 'admin',
              secret: {
                secretName: admin.metadata.name,
                defaultMode: 0o440,
                items: [{ key: 'password', path: 'password' }],
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
        ingress: [{ from: [podsIn(args.namespace), ...args.clients.map((client) => podsIn(client))], ports: [PORT] }],
        noEgress: true,
      },
      this.child(),
    );

    // Through the server's output, so that what uses the address waits until the server is ready.
    this.namespace = server.metadata.namespace;
    this.host = pulumi.interpolate`${service.metadata.name}.${this.namespace}.svc.cluster.local`;
    this.adminSecret = admin.metadata.name;
    this.registerOutputs({ host: this.host, port: this.port });
  }
}
