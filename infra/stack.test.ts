// The whole root program without an engine: what it registers, and what every object of it must keep to.
import { withDefaults } from '@assistant-platform/api';
import type { AssistantDeploymentSpec } from '@assistant-platform/api';
import * as pulumi from '@pulumi/pulumi';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { derive } from './secrets.ts';
import { annotate } from './stack.ts';
import { mockStack, valueOf } from './testing/mocked-stack.ts';
import type { MockedStack, Registered } from './testing/mocked-stack.ts';

// Pulumi's test mode knows no transforms; `annotate` is tested below and the transform with the real engine.
vi.mock('./stack.ts', async (original) => ({
  ...(await original<object>()),
  applyToAll: vi.fn(),
}));

const SEED = '0123456789abcdef0123456789abcdef';

interface Pod {
  readonly automountServiceAccountToken?: boolean;
  readonly serviceAccountName?: string;
  readonly securityContext: Record<string, unknown>;
  readonly containers: readonly Container[];
}
interface Container {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly env?: readonly { name: string; value?: string }[];
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly ports?: readonly { containerPort: number }[];
  readonly resources: { requests: Record<string, string>; limits: Record<string, string> };
  readonly securityContext: Record<string, unknown>;
  readonly readinessProbe?: object;
  readonly livenessProbe?: object;
}

let stack: MockedStack;
let outputs: Record<string, unknown>;

beforeAll(async () => {
  stack = await mockStack({
    seed: SEED,
    nodeAddress: '198.18.8.2',
    imageDigests: `{"redis":"sha256:${'a'.repeat(64)}"}`,
  });
  outputs = await import('./index.ts');
  // The demo is the last to be registered: it depends on all else.
  await valueOf(outputs['gatewayUrl'] as pulumi.Output<string>);
}, 30_000);

const workloads = (): { owner: Registered; pod: Pod; annotations: Record<string, string> }[] =>
  ['Deployment', 'StatefulSet', 'Job'].flatMap((kind) =>
    stack.ofKind(kind).map((owner) => {
      const template = (
        owner.inputs['spec'] as { template: { spec: Pod; metadata: { annotations?: Record<string, string> } } }
      ).template;
      return { owner, pod: template.spec, annotations: template.metadata.annotations ?? {} };
    }),
  );

const metadataOf = (resource: Registered) =>
  resource.inputs['metadata'] as { name?: string; namespace?: string; labels?: Record<string, string> };

describe('the stack', () => {
  it('has every component, each once', () => {
    const components = stack.resources.filter(({ type }) => type.startsWith('assistant-platform:infra:'));
    expect(components.map(({ type }) => type.split(':')[2]).sort()).toEqual([
      'Assistant',
      'AssistantOperator',
      'ClusterPlatform',
      'FeatureFlags',
      'LocalModel',
      'Observability',
      'PostgresCluster',
      'PostgresDatabase',
      'PublicGateway',
      'RedisCache',
      'SecretsBackend',
    ]);
  });

  it('gives the addresses at the node', async () => {
    expect(await valueOf(outputs['gatewayUrl'] as pulumi.Output<string>)).toBe('http://198.18.8.2:30080');
    expect(outputs['unleashUrl']).toBe('http://198.18.8.2:30042');
    expect(outputs['openbaoUrl']).toBe('http://198.18.8.2:30082');
    expect(outputs['prometheusUrl']).toBe('http://198.18.8.2:30090');
  });

  it.each(['unleashPassword', 'unleashAdminToken', 'openbaoToken'])('keeps the output %s secret', async (name) => {
    expect(await pulumi.isSecret(outputs[name] as pulumi.Output<string>)).toBe(true);
  });

  it('names the Services that the services are told of', () => {
    const services = stack
      .ofKind('Service')
      .map((service) => `${metadataOf(service).name}.${metadataOf(service).namespace}`);
    expect(services.sort()).toEqual([
      'gateway.gateway-system',
      'model.assistants',
      'openbao.platform',
      'postgres.data',
      'prometheus.platform',
      'redis.data',
      'unleash.platform',
    ]);
    expect(stack.named('assistant-config').inputs['data']).toEqual({
      REDIS_URL: 'redis://redis.data.svc.cluster.local:6379',
      VAULT_ADDR: 'http://openbao.platform.svc.cluster.local:8200',
      VAULT_ROLE: 'assistant',
      VAULT_AUTH_PATH: 'kubernetes',
      VAULT_SECRET_PATH: 'secret/data/assistant',
      UNLEASH_URL: 'http://unleash.platform.svc.cluster.local:4242/api',
      UNLEASH_ENVIRONMENT: 'development',
      MODEL_URL: 'http://model.assistants.svc.cluster.local:8080/v1',
      LOG_LEVEL: 'info',
    });
  });
});

describe('secrets', () => {
  it('are secret in every Secret object, and there are some', () => {
    const secrets = stack.ofKind('Secret');
    expect(secrets.length).toBeGreaterThanOrEqual(5);
    for (const { name, inputs, secrets: marked } of secrets) {
      const keys = Object.keys(inputs['stringData'] as object).filter((key) => key !== 'username');
      for (const key of keys) {
        const covered = marked.some((path) => path === 'stringData' || path === `stringData.${key}`);
        expect(covered, `${name}: ${key} would lie in the state in clear`).toBe(true);
      }
    }
  });

  it('lie nowhere but in Secret objects', () => {
    const values = [
      'redis/password',
      'postgres/admin',
      'unleash/database',
      'unleash/admin-password',
      'openbao/admin-token',
    ];
    for (const resource of stack.resources.filter(({ type }) => !type.endsWith(':Secret'))) {
      const text = JSON.stringify(resource.inputs);
      for (const purpose of values)
        expect(text.includes(derive(SEED, purpose)), `${purpose} in ${resource.name}`).toBe(false);
      expect(text.includes(SEED), `the seed in ${resource.name}`).toBe(false);
    }
  });

  it('reach the secrets backend under the names of the services', () => {
    const data = stack.named('secrets-keys').inputs['stringData'] as Record<string, string>;
    expect(Object.keys(data).sort()).toEqual([
      'adminToken',
      'redisPassword',
      'sealKey',
      'tokenSigningKey',
      'unleashToken',
    ]);
    expect(Buffer.from(data['sealKey'] ?? '', 'base64')).toHaveLength(32);
    expect(Buffer.from(data['tokenSigningKey'] ?? '', 'base64')).toHaveLength(32);
    const auth = stack.named('redis-auth').inputs['stringData'] as Record<string, string>;
    expect(auth['auth.conf']).toBe(`requirepass ${data['redisPassword']}\n`);
    const flags = stack.named('flags-secret').inputs['stringData'] as Record<string, string>;
    expect(data['unleashToken']).toBe(flags['backendToken']);
    expect(flags['backendToken']).toMatch(/^default:development\.[0-9a-f]{64}$/);
    expect(flags['adminApiToken']).toMatch(/^\*:\*\.[0-9a-f]{64}$/);
  });
});

describe('pods', () => {
  it('are there', () => {
    expect(
      workloads()
        .map(({ owner }) => owner.name)
        .sort(),
    ).toEqual([
      'flags-database-job',
      'flags-job',
      'flags-server',
      'gateway-server',
      'metrics-server',
      'model-server',
      'postgres-server',
      'redis-server',
      'secrets-server',
    ]);
  });

  it('keep to the restricted Pod Security Standard with a read-only root file system', () => {
    for (const { owner, pod } of workloads()) {
      expect(pod.securityContext, owner.name).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of pod.containers) {
        expect(container.securityContext, `${owner.name}/${container.name}`).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    }
  });

  it('say what they need and are probed if they serve', () => {
    for (const { owner, pod } of workloads()) {
      for (const container of pod.containers) {
        expect(container.resources.requests['memory'], owner.name).toBeDefined();
        expect(container.resources.limits['memory'], owner.name).toBeDefined();
        expect(container.imagePullPolicy, owner.name).toBe('IfNotPresent');
        expect(container.image, owner.name).toMatch(/^localhost\/assistant\/[a-z]+:\d/);
        if (owner.type.endsWith(':Job') || container.ports === undefined) continue;
        expect(container.readinessProbe, owner.name).toBeDefined();
        expect(container.livenessProbe, owner.name).toBeDefined();
      }
    }
  });

  it('get a service account token only where they ask the API server', () => {
    const withToken = workloads().filter(({ pod }) => pod.automountServiceAccountToken !== false);
    expect(withToken.map(({ owner }) => owner.name).sort()).toEqual([
      'gateway-server',
      'metrics-server',
      'secrets-server',
    ]);
    for (const { owner, pod } of withToken) expect(pod.serviceAccountName, owner.name).not.toBe('default');
  });

  it('roll when an image is rebuilt under its tag', () => {
    const redis = workloads().find(({ owner }) => owner.name === 'redis-server');
    expect(redis?.annotations['assistant-platform.io/image-digest']).toBe(`sha256:${'a'.repeat(64)}`);
  });

  it('that are scraped say where, and their port is one of theirs or their Service’s', () => {
    const scraped = workloads().filter(({ annotations }) => annotations['prometheus.io/scrape'] === 'true');
    expect(scraped.map(({ owner }) => owner.name).sort()).toEqual([
      'flags-server',
      'gateway-server',
      'metrics-server',
      'model-server',
      'secrets-server',
    ]);
    for (const { owner, pod, annotations } of scraped) {
      const ports = pod.containers
        .flatMap(({ ports }) => ports ?? [])
        .map(({ containerPort }) => String(containerPort));
      expect(ports, owner.name).toContain(annotations['prometheus.io/port']);
    }
  });
});

describe('namespaces', () => {
  const names = ['assistant-system', 'assistants', 'data', 'gateway-system', 'platform'];

  it('admit only restricted pods', () => {
    expect(
      stack
        .ofKind('Namespace')
        .map((each) => metadataOf(each).name)
        .sort(),
    ).toEqual(names);
    for (const each of stack.ofKind('Namespace')) {
      expect(metadataOf(each).labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    }
  });

  it('refuse ingress that no policy allows, and every server has a policy for each of its ports', () => {
    const policies = stack.ofKind('NetworkPolicy').map((each) => ({
      ...metadataOf(each),
      spec: each.inputs['spec'] as {
        ingress: { ports?: { port: number }[] }[];
        podSelector: { matchLabels?: Record<string, string> };
      },
    }));
    expect(
      policies
        .filter(({ name }) => name === 'deny-ingress')
        .map(({ namespace }) => namespace)
        .sort(),
    ).toEqual(names);
    for (const { owner, pod } of workloads()) {
      const ports = pod.containers.flatMap(({ ports }) => ports ?? []).map(({ containerPort }) => containerPort);
      const { name, namespace } = metadataOf(owner);
      const policy = policies.find(
        (each) =>
          each.namespace === namespace && each.spec.podSelector.matchLabels?.['app.kubernetes.io/name'] === name,
      );
      const open = policy?.spec.ingress.flatMap((rule) => rule.ports ?? []).map(({ port }) => port) ?? [];
      expect([...open].sort(), `${owner.name} opens what it listens on`).toEqual([...ports].sort());
    }
  });
});

describe('the demo', () => {
  it('is an AssistantDeployment in lockstep of chat and realtime, awaited until Ready', () => {
    const demo = stack.named('assistant-demo');
    expect(demo.inputs).toMatchObject({
      apiVersion: 'assistant-platform.io/v1alpha1',
      kind: 'AssistantDeployment',
      metadata: { name: 'demo', namespace: 'assistants', annotations: { 'pulumi.com/waitFor': 'condition=Ready' } },
      spec: {
        release: '1.0.0',
        components: {
          chat: {
            image: 'localhost/assistant/chat:1.0.0',
            replicas: 2,
            path: '/',
            envFrom: [{ configMapRef: { name: 'assistant-platform' } }],
          },
          realtime: { image: 'localhost/assistant/realtime:1.0.0', replicas: 2, path: '/ws' },
        },
        gateway: { parentRef: { name: 'public', namespace: 'gateway-system' } },
      },
    });
  });

  it('is valid by the rules of the custom resource', () => {
    const resolved = withDefaults(stack.named('assistant-demo').inputs['spec'] as AssistantDeploymentSpec);
    expect(Object.keys(resolved.components).sort()).toEqual(['chat', 'realtime']);
  });
});

describe('annotate', () => {
  it('deletes in the background, so that an operator can drain before the garbage collector comes', () => {
    expect(annotate({ a: 'b' }, false)).toEqual({ a: 'b', 'pulumi.com/deletionPropagationPolicy': 'background' });
  });

  it('does not wait where nothing becomes ready', () => {
    expect(annotate({ 'pulumi.com/waitFor': 'condition=Ready' }, true)).toEqual({
      'pulumi.com/deletionPropagationPolicy': 'background',
      'pulumi.com/skipAwait': 'true',
    });
  });
});

describe('Prometheus', () => {
  it('asks the sidecar in its own pod which pods to scrape', () => {
    const config = stack.named('metrics-config').inputs['data'] as Record<string, string>;
    const parsed = parse(config['prometheus.yml'] ?? '') as {
      scrape_configs: { http_sd_configs: { url: string }[] }[];
    };
    const pod = workloads().find(({ owner }) => owner.name === 'metrics-server')?.pod;
    const port = pod?.containers
      .find(({ name }) => name === 'pod-discovery')
      ?.env?.find(({ name }) => name === 'PORT')?.value;
    expect(parsed.scrape_configs.map((job) => job.http_sd_configs[0]?.url)).toEqual([`http://127.0.0.1:${port}/pods`]);
  });
});
