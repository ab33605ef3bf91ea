/**
 * The root stack: everything the assistant needs, on one cluster, in the order in which it stands on each other.
 *
 * Settings: config.ts. Secrets: secrets.ts. How to run it by hand: README.md.
 */
import { Assistant, ASSISTANT_ACCOUNT } from './components/assistant.ts';
import { AssistantOperator } from './components/assistant-operator.ts';
import { ClusterPlatform, NAMESPACES } from './components/cluster-platform.ts';
import { FeatureFlags } from './components/feature-flags.ts';
import { LocalModel } from './components/local-model.ts';
import { Observability, prometheusAddress } from './components/observability.ts';
import { PostgresCluster } from './components/postgres-cluster.ts';
import { PostgresDatabase } from './components/postgres-database.ts';
import { RedisCache } from './components/redis-cache.ts';
import { SecretsBackend } from './components/secrets-backend.ts';
import { FLAGS, FLAG_ENVIRONMENT } from './flags.ts';
import { imageOf } from './images.ts';
import type { ImageName } from './config.ts';
import { applyToAll, clusterOf, readStackConfig } from './stack.ts';
import * as pulumi from '@pulumi/pulumi';

const { settings, secrets } = readStackConfig();
const { nodePorts, storageClass } = settings;
const image = (name: ImageName) => imageOf(settings, name);
applyToAll(settings);
const on = { provider: clusterOf(settings) };

// The ground: namespaces, custom resources, the gateway.
const platform = new ClusterPlatform(
  'platform',
  { gatewayImage: image('gateway'), gatewayNodePort: nodePorts.gateway },
  on,
);
const { namespaces } = platform;

// Data.
const postgres = new PostgresCluster(
  'postgres',
  {
    namespace: namespaces.data,
    image: image('postgres'),
    adminPassword: secrets.secret('postgres/admin'),
    storageClass,
    storage: '1Gi',
    clients: [namespaces.platform, namespaces.assistants],
  },
  on,
);
const redis = new RedisCache(
  'redis',
  {
    namespace: namespaces.data,
    image: image('redis'),
    password: secrets.secret('redis/password'),
    storageClass,
    storage: '1Gi',
    clients: [namespaces.assistants],
  },
  on,
);

// Platform services: flags, secrets, metrics.
const backendToken = pulumi.interpolate`default:${FLAG_ENVIRONMENT}.${secrets.secret('unleash/backend-token', 'hex')}`;
const flags = new FeatureFlags(
  'flags',
  {
    namespace: namespaces.platform,
    image: image('unleash'),
    database: new PostgresDatabase(
      'flags-database',
      { server: postgres, image: image('postgres'), database: 'unleash', password: secrets.secret('unleash/database') },
      on,
    ),
    adminApiToken: pulumi.interpolate`*:*.${secrets.secret('unleash/admin-token', 'hex')}`,
    backendToken,
    environment: FLAG_ENVIRONMENT,
    adminPassword: secrets.secret('unleash/admin-password'),
    flags: FLAGS,
    nodePort: nodePorts.unleash,
  },
  on,
);
const secretStore = new SecretsBackend(
  'secrets',
  {
    namespace: namespaces.platform,
    image: image('openbao'),
    sealKey: secrets.secret('openbao/seal', 'base64'),
    adminToken: secrets.secret('openbao/admin-token'),
    contents: {
      redisPassword: redis.password,
      tokenSigningKey: secrets.secret('assistant/token-signing-key', 'base64'),
      unleashToken: backendToken,
    },
    reader: { serviceAccount: ASSISTANT_ACCOUNT, namespace: NAMESPACES.assistants },
    storageClass,
    storage: '1Gi',
    nodePort: nodePorts.openbao,
  },
  on,
);
new Observability(
  'metrics',
  {
    namespace: namespaces.platform,
    image: image('prometheus'),
    nodeImage: image('operator'),
    storageClass,
    storage: '1Gi',
    retention: '7d',
    nodePort: nodePorts.prometheus,
  },
  on,
);

// The operator, and what it operates.
const operator = new AssistantOperator(
  'operator',
  {
    namespace: namespaces.operator,
    image: image('operator'),
    replicas: settings.operatorReplicas,
    watchNamespaces: [namespaces.assistants],
    prometheusUrl: prometheusAddress(namespaces.platform),
    skipAwait: settings.skipAwait,
  },
  { ...on, dependsOn: [...platform.crds] },
);
const model = new LocalModel(
  'model',
  { namespace: namespaces.assistants, image: image('model'), metricsFrom: namespaces.platform },
  on,
);
const assistant = new Assistant(
  'assistant',
  {
    namespace: namespaces.assistants,
    release: settings.release,
    chat: { image: image('chat'), replicas: settings.chatReplicas },
    realtime: { image: image('realtime'), replicas: settings.realtimeReplicas },
    gateway: platform.gateway,
    redis,
    secrets: secretStore,
    flags,
    model,
    callers: { gateway: namespaces.gateway, operator: namespaces.operator, metrics: namespaces.platform },
  },
  { ...on, dependsOn: [operator, ...platform.crds] },
);

const at = (port: number) => `http://${settings.nodeAddress}:${port}`;

/** The assistant, for its users: known once the AssistantDeployment is Ready. */
export const gatewayUrl = assistant.deployment.apply(() => at(nodePorts.gateway));
export const assistantDeployment = pulumi.interpolate`${NAMESPACES.assistants}/${assistant.deployment}`;
/** Flags: the web page, its login, and the API token that may change everything. */
export const unleashUrl = at(nodePorts.unleash);
export const unleashUser = flags.adminUser;
export const unleashPassword = flags.adminPassword;
export const unleashAdminToken = pulumi.interpolate`*:*.${secrets.secret('unleash/admin-token', 'hex')}`;
/** Secrets: the web page and a token for it. */
export const openbaoUrl = at(nodePorts.openbao);
export const openbaoToken = secretStore.adminToken;
/** Metrics. */
export const prometheusUrl = at(nodePorts.prometheus);
