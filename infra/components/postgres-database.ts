/** A database and a role of its own for one program, made by a Job that may be repeated without harm. */
import { readFileSync } from 'node:fs';
import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { hardenedPod, labelsOf, resources } from '../hardening.ts';
import type { Image } from '../images.ts';
import { Component } from './component.ts';
import type { PostgresServer } from './postgres-cluster.ts';

/** A database as the program that owns it sees it. */
export interface Database {
  readonly host: pulumi.Output<string>;
  readonly port: number;
  /** Name of the database; exists once this output is known. */
  readonly database: pulumi.Output<string>;
  readonly user: string;
  readonly password: pulumi.Output<string>;
}

/** Arguments of {@link PostgresDatabase}. */
export interface PostgresDatabaseArgs {
  readonly server: PostgresServer;
  /** Image with `psql` and a shell. */
  readonly image: Image;
  /** Name of the database and of the role that owns it. */
  readonly database: string;
  /** The role's password; changed in the server when it changes here. */
  readonly password: pulumi.Input<string>;
}

const SCRIPT = readFileSync(new URL('../jobs/ensure-database.sql', import.meta.url), 'utf8');

/** Creates the role and the database, or brings them to what is asked for. */
export class PostgresDatabase extends Component implements Database {
  readonly host: pulumi.Output<string>;
  readonly port: number;
  readonly database: pulumi.Output<string>;
  readonly user: string;
  readonly password: pulumi.Output<string>;

  constructor(name: string, args: PostgresDatabaseArgs, options?: pulumi.ComponentResourceOptions) {
    super('PostgresDatabase', name, options);
    const { server } = args;
    const app = `database-${args.database}`;
    const labels = labelsOf(app, 'database');

    // Named by Pulumi: a changed script or password gives a new object and thereby a new Job, which runs again.
    const script = new k8s.core.v1.ConfigMap(
      `${name}-script`,
      { metadata: { namespace: server.namespace, labels }, immutable: true, data: { 'ensure-database.sql': SCRIPT } },
      this.child(),
    );
    const owner = new k8s.core.v1.Secret(
      `${name}-owner`,
      { metadata: { namespace: server.namespace, labels }, immutable: true, stringData: { password: args.password } },
      this.child(),
    );
    const job = new k8s.batch.v1.Job(
      `${name}-job`,
      {
        metadata: { namespace: server.namespace, labels },
        spec: {
          backoffLimit: 10,
          template: {
            metadata: { labels },
            spec: hardenedPod({
              restartPolicy: 'OnFailure',
              containers: [
                {
                  name: 'ensure-database',
                  image: args.image.ref,
                  command: ['psql'],
                  args: [
                    '--no-psqlrc',
                    '--set=ON_ERROR_STOP=1',
                    `--set=database=${args.database}`,
                    '--file=/etc/ensure-database/ensure-database.sql',
                  ],
                  env: [
                    { name: 'PGHOST', value: server.host },
                    { name: 'PGPORT', value: String(server.port) },
                    { name: 'PGUSER', value: server.adminUser },
                    { name: 'PGDATABASE', value: 'postgres' },
                    { name: 'PGCONNECT_TIMEOUT', value: '10' },
                    { name: 'PGPASSWORD', valueFrom: { secretKeyRef: { name: server.adminSecret, key: 'password' } } },
                    {
                      name: 'OWNER_PASSWORD',
                      valueFrom: { secretKeyRef: { name: owner.metadata.name, key: 'password' } },
                    },
                  ],
                  resources: resources('10m', '32Mi', '64Mi'),
                  volumeMounts: [{ name: 'script', mountPath: '/etc/ensure-database', readOnly: true }],
                },
              ],
              volumes: [{ name: 'script', configMap: { name: script.metadata.name } }],
            }),
          },
        },
      },
      this.child(),
    );

    this.host = server.host;
    this.port = server.port;
    this.user = args.database;
    this.password = pulumi.secret(args.password);
    this.database = job.metadata.name.apply(() => args.database);
    this.registerOutputs({ database: this.database });
  }
}
