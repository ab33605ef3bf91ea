// The commands with the real operator behind them, on a real API server; kwok plays the kubelet, a fixture the gateway. One assistant is led through
// its days by nothing but commands, as in docs/how-to/releases.md.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { API_VERSION, type AssistantDeploymentSpec } from '@assistant-platform/api';
import { ApiClient, connectionFromEnvironment } from '@assistant-platform/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AdminPorts } from '../../test/cluster/admin-ports.ts';
import { GatewayStatus } from '../../test/cluster/gateway-status.ts';
import { OperatorProcess } from '../../test/cluster/operator-process.ts';
import { at, command, folder, kubeconfig, kubectl, namespace, ownNamespaces, read, start } from './testing/cluster.ts';

ownNamespaces();

let client: ApiClient;
let gateway: GatewayStatus;
let operator: OperatorProcess;
const ports = new AdminPorts();
const name = 'support';

beforeAll(async () => {
  client = new ApiClient({ connection: await connectionFromEnvironment({ kubeconfig }), fieldManager: 'test' });
  gateway = new GatewayStatus(client, [namespace], { acceptMs: 60, moveMs: 150 });
  gateway.start();
  await ports.start();
  operator = new OperatorProcess([
    ...['--kubeconfig', kubeconfig, '--namespaces', namespace, '--port', '0'],
    ...['--settle', '300ms', '--pod-address', ports.address],
  ]);
  operator.start();
});
afterAll(async () => {
  // Deleting drains first: the operator is needed for it.
  await kubectl('delete', 'assistantdeployment', name, '-n', namespace, '--timeout=60s', '--ignore-not-found');
  await operator.stop();
  await gateway.stop();
  await ports.stop();
  client.close();
});

function spec(version: string): AssistantDeploymentSpec {
  const image = (component: string): string => `localhost/assistant/${component}:${version}`;
  return {
    release: version,
    components: { chat: { image: image('chat'), replicas: 2 }, realtime: { image: image('realtime'), replicas: 2 } },
    gateway: { parentRef: { name: 'public', namespace: 'gateway-system' } },
    strategy: {
      type: 'Canary',
      canary: { steps: [{ setWeight: 10 }, { pause: {} }, { setWeight: 50 }, { pause: {} }] },
      drain: { deadline: '20s' },
      rollbackWindow: { revisions: 3 },
    },
  };
}

/** The manifest of a release, as a person has it in a file. */
async function manifest(version: string): Promise<string> {
  const path = join(folder.path, `${version}.yaml`);
  const object = { apiVersion: API_VERSION, kind: 'AssistantDeployment', metadata: { name }, spec: spec(version) };
  await writeFile(path, stringify(object));
  return path;
}

const apply = async (version: string): Promise<void> => {
  await kubectl('apply', '-n', namespace, '-f', await manifest(version));
};

/** A command that must succeed. @returns what it prints. */
async function does(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await command([...args, ...at]);
  expect(code, `${args.join(' ')}: ${err}\n${operator.output.split('\n').slice(-15).join('\n')}`).toBe(0);
  return out;
}

/** Follows it until a line of `status --watch` looks so. */
async function sees(pattern: RegExp): Promise<void> {
  const watching = start(['status', name, '--watch', ...at]);
  const ended = watching.code.then((code) => {
    if (!pattern.test(watching.printed.out))
      throw new Error(`ended with ${code} before ${pattern}:\n${watching.printed.out}\n${watching.printed.err}`);
  });
  await Promise.race([watching.printedText(pattern), ended]);
  watching.interrupt();
  await ended;
}

const firstGate = /Paused {2}step 1\/4 {2}weight 10%/;
const stable = async () => (await read(name)).status?.stableRevision;

test('[R-298] [R-303] a release is planned, held, promoted, undone, aborted, retried, taken back and restarted by one command each', async () => {
  await apply('1.0.0');
  await does('status', name, '--timeout', '90s');
  const first = await stable();
  expect(first).toMatchObject({ release: '1.0.0' });

  // plan names the revision as the operator then does.
  const [plan] = JSON.parse(await does('plan', '-f', await manifest('1.1.0'), '-o', 'json')) as {
    effects: { course: { kind: string; hash: string } };
    stages: { peak: number };
  }[];
  expect(plan).toMatchObject({ effects: { course: { kind: 'Rollout' } }, stages: { peak: 8 } });
  await apply('1.1.0');
  await sees(firstGate);
  expect((await read(name)).status?.updateRevision?.hash).toBe(plan?.effects.course.hash);
  expect(await does('why', name)).toContain(`kubectl assistant promote ${name}`);

  await does('pause', name);
  await sees(/spec\.paused/);
  expect(await does('why', name)).toContain(`kubectl assistant resume ${name}`);
  await does('resume', name);
  await sees(firstGate);
  await does('promote', name);
  await sees(/Paused {2}step 3\/4 {2}weight 50%/);
  await does('promote', name, '--full');
  await does('status', name, '--timeout', '90s');
  expect(await does('history', name)).toMatch(/^1\.1\.0 .* FastPromoted .*← stable$/m);

  // Back to the release before, which is the very same revision, without the steps.
  expect(await does('undo', name)).toContain('within the rollbackWindow');
  await does('status', name, '--timeout', '90s');
  expect(await stable()).toMatchObject({ hash: first?.hash, release: '1.0.0' });

  await apply('1.2.0');
  await sees(firstGate);
  await does('abort', name, '--reason', 'answers are cut off');
  expect((await command(['status', name, '--timeout', '90s', ...at])).code).toBe(1);
  expect(await does('why', name)).toContain(`kubectl assistant retry ${name}`);
  await does('retry', name);
  await sees(firstGate);
  await does('abort', name, '--reason', 'still cut off');
  expect((await command(['status', name, '--timeout', '90s', ...at])).code).toBe(1);
  expect(await does('undo', name)).toContain('back to release 1.0.0');
  await does('status', name, '--timeout', '90s');
  expect(await stable()).toMatchObject({ hash: first?.hash });
  expect(await does('history', name)).toMatch(/^1\.2\.0 .* Aborted /m);

  // The same release in new pods, through the strategy.
  await does('restart', name);
  await sees(firstGate);
  await does('promote', name, '--full');
  await does('status', name, '--timeout', '90s');
  const restarted = await stable();
  expect(restarted?.release).toBe('1.0.0');
  expect(restarted?.hash).not.toBe(first?.hash);
}, 400_000);
