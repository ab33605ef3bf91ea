// The root stack by the real engine on a real API server. No node: nothing runs, so nothing is awaited (skipAwait);
// readiness, the running servers and a drain under way are the end-to-end tests' part.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startCluster } from '@assistant-platform/local/cluster';
import type { Cluster } from '@assistant-platform/local/cluster';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestStack } from './testing/pulumi-cli.ts';

const stateDir = fileURLToPath(new URL('../.state/test-infra', import.meta.url));
const NAMESPACES = ['assistant-system', 'assistants', 'data', 'gateway-system', 'platform'];

let cluster: Cluster;
let folder: string;
let stack: TestStack;
let kubectlPath: string;

const run = promisify(execFile);
const kubectl = async (...args: string[]) =>
  (await run(kubectlPath, ['--kubeconfig', cluster.kubeconfig, ...args], { maxBuffer: 64 * 1024 * 1024 })).stdout;

/** Asks again and again until it holds; fails with the last reason after the time. */
async function eventually(holds: () => Promise<void>, seconds = 60): Promise<void> {
  await expect
    .poll(() => holds().then(() => 'holds', String), { timeout: seconds * 1000, interval: 250 })
    .toBe('holds');
}

beforeAll(async () => {
  kubectlPath = await ensureBinary('kubectl');
  await rm(stateDir, { recursive: true, force: true });
  cluster = await startCluster({ stateDir, tier: 'control-plane', tied: true });
  folder = await mkdtemp(join(tmpdir(), 'assistant-infra-'));
  stack = await TestStack.create(folder, cluster.kubeconfig);
});

afterAll(async () => {
  await cluster.stop();
  await rm(folder, { recursive: true, force: true });
  await rm(stateDir, { recursive: true, force: true });
});

describe('wrong settings', () => {
  it('are all told at once, before anything is done', async () => {
    await stack.overwrite({ tier: 'prod', nodePorts: { gateway: 80 }, typo: 'x' });
    const { code, text } = await stack.preview();
    expect(code).not.toBe(0);
    expect(text).toContain("the stack's configuration is wrong in 4 places");
    for (const named of ['tier: ', 'nodePorts.gateway: ', 'typo: no such setting', 'seed: is not set'])
      expect(text).toContain(named);
    expect(await kubectl('get', 'namespaces', '-o', 'name')).not.toContain('namespace/platform');
  });
});

describe('pulumi up', () => {
  beforeAll(async () => {
    await stack.overwrite({ tier: 'dev' });
    await stack.set('seed', randomBytes(32).toString('hex'), '--secret');
    await stack.set('skipAwait', 'true');
    await stack.up();
  });

  it('makes every object, accepted by the API server', async () => {
    const namespaces = await kubectl('get', 'namespaces', '-o', 'name');
    for (const name of NAMESPACES) expect(namespaces).toContain(`namespace/${name}\n`);
    const workloads = (await kubectl('get', 'deployments,statefulsets', '-A', '-o', 'name')).trim().split('\n').sort();
    expect(workloads).toEqual([
      'deployment.apps/assistant-operator',
      'deployment.apps/gateway',
      'deployment.apps/model',
      'deployment.apps/unleash',
      'statefulset.apps/openbao',
      'statefulset.apps/postgres',
      'statefulset.apps/prometheus',
      'statefulset.apps/redis',
    ]);
    const demo = JSON.parse(await kubectl('-n', 'assistants', 'get', 'ad', 'demo', '-o', 'json')) as {
      spec: { release: string };
    };
    expect(demo.spec.release).toBe('1.0.0');
  });

  it('makes pods that the restricted namespaces admit', async () => {
    await eventually(async () => {
      const pods = await kubectl('get', 'pods', '-A', '-o', 'name');
      for (const name of ['redis-0', 'postgres-0', 'openbao-0', 'prometheus-0'])
        expect(pods).toContain(`pod/${name}\n`);
      for (const name of ['gateway-', 'unleash-', 'model-', 'assistant-operator-'])
        expect(pods).toContain(`pod/${name}`);
    });
    expect(await kubectl('get', 'events', '-A', '-o', 'jsonpath={.items[*].message}')).not.toContain(
      'violates PodSecurity',
    );
  });

  it('changes nothing when it runs again, and drift is seen [R-349]', async () => {
    expect(await stack.previewNoChange()).toMatchObject({ code: 0 });
    expect(await stack.detectDrift()).toMatchObject({ code: 0 });
    const level = (value: string) => [
      'patch',
      'configmap',
      'assistant-platform',
      '--type=merge',
      '-p',
      JSON.stringify({ data: { LOG_LEVEL: value } }),
    ];
    await kubectl('-n', 'assistants', ...level('trace'));
    const drifted = await stack.detectDrift();
    expect(drifted.code).not.toBe(0);
    expect(drifted.text).toMatch(/assistant-config[\s\S]*LOG_LEVEL *: "info" => "trace"/);
    await kubectl('-n', 'assistants', ...level('info'));
    expect(await stack.detectDrift()).toMatchObject({ code: 0 });
  });

  it('keeps no password in the state in clear', async () => {
    const state = await stack.export();
    const secrets = JSON.parse(await kubectl('get', 'secrets', '-A', '-o', 'json')) as {
      items: { metadata: { name: string }; data?: Record<string, string> }[];
    };
    let looked = 0;
    for (const { metadata, data } of secrets.items) {
      for (const [key, encoded] of Object.entries(data ?? {})) {
        if (key === 'username') continue;
        const plain = Buffer.from(encoded, 'base64').toString('utf8').trim();
        expect(state.includes(plain) || state.includes(encoded), `${metadata.name}: ${key}`).toBe(false);
        looked += 1;
      }
    }
    expect(looked).toBeGreaterThanOrEqual(10);
    const outputs = await stack.outputs();
    for (const name of ['unleashPassword', 'openbaoToken', 'unleashAdminToken'])
      expect(state.includes(outputs[name] ?? '')).toBe(false);
  });

  it('leaves a release that people make alone, also when something else changes', async () => {
    const release = { spec: { release: '1.1.0', components: { chat: { image: 'localhost/assistant/chat:1.1.0' } } } };
    await kubectl('-n', 'assistants', 'patch', 'ad', 'demo', '--type=merge', '-p', JSON.stringify(release));
    await kubectl('-n', 'assistants', 'annotate', 'ad', 'demo', 'assistant-platform.io/promote=step');
    expect(await stack.previewNoChange()).toMatchObject({ code: 0 });
    await stack.set('chatReplicas', '3'); // only for a demo that is yet to be created
    await stack.set('imageTags.redis', '9.1.3', '--path');
    await stack.up();
    const demo = JSON.parse(await kubectl('-n', 'assistants', 'get', 'ad', 'demo', '-o', 'json')) as {
      metadata: { annotations: Record<string, string> };
      spec: { release: string; components: { chat: { image: string; replicas: number } } };
    };
    expect(demo.spec).toMatchObject({
      release: '1.1.0',
      components: { chat: { image: 'localhost/assistant/chat:1.1.0', replicas: 2 } },
    });
    expect(demo.metadata.annotations['assistant-platform.io/promote']).toBe('step');
    expect(await kubectl('-n', 'data', 'get', 'sts', 'redis', '-o', 'jsonpath={..image}')).toContain('redis:9.1.3');
    expect(await stack.previewNoChange()).toMatchObject({ code: 0 });
  });
});

// That the operator stays until it has drained its AssistantDeployment is seen where an operator runs: test/e2e/90-destroy.e2e.test.ts.
describe('pulumi destroy', () => {
  it('leaves nothing', async () => {
    await stack.destroy();

    await eventually(async () => {
      const left = await kubectl('get', 'namespaces,pv', '-o', 'name');
      for (const name of NAMESPACES) expect(left).not.toContain(`namespace/${name}\n`);
    });
    const rest = await kubectl('get', 'crd,clusterroles,clusterrolebindings,gatewayclasses', '-o', 'name');
    expect(rest.split('\n').filter((name) => /assistant-platform|assistant-operator|traefik/.test(name))).toEqual([]);
    expect(
      (JSON.parse(await stack.export()) as { deployment: { resources?: unknown[] } }).deployment.resources ?? [],
    ).toEqual([]);
  });
});
