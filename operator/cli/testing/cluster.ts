// For tests against the real API server: a namespace of its own, objects in moments of their life, and commands that run in this process.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CustomObjectsApi, KubeConfig, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import {
  ASSISTANT_DEPLOYMENT,
  GROUP,
  VERSION,
  type AssistantDeployment,
  type AssistantDeploymentSpec,
  type AssistantDeploymentStatus,
} from '@assistant-platform/api';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import { afterAll, beforeAll, inject } from 'vitest';
import { run } from '../program.ts';
import { scenes } from './scenes.ts';

/** The executable that people run. */
export const executable = fileURLToPath(new URL('../bin/kubectl-assistant.mjs', import.meta.url));
export const execute = promisify(execFile);

export const kubeconfig = inject('kubeconfig');
export const config = new KubeConfig();
config.loadFromFile(kubeconfig);
export const objects = config.makeApiClient(CustomObjectsApi);

/** The namespace of the test file, and one where nothing is. */
export const namespace = `cli-${randomUUID().slice(0, 8)}`;
export const empty = `${namespace}-empty`;
export const resource = { group: GROUP, version: VERSION, plural: ASSISTANT_DEPLOYMENT.plural, namespace };
/** Flags that lead there. */
export const at: readonly string[] = ['-n', namespace];

/** A folder for what a test writes; there from the first test to the last. */
export const folder = { path: '' };

export async function kubectl(...args: readonly string[]): Promise<string> {
  const cache = ['--cache-dir', join(folder.path, 'cache')];
  return (await execute(await ensureBinary('kubectl'), ['--kubeconfig', kubeconfig, ...cache, ...args])).stdout;
}

/** Makes namespaces and folder before the tests of a file, and removes them after it. */
export function ownNamespaces(): void {
  beforeAll(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'kubectl-assistant-'));
    await kubectl('create', 'namespace', namespace);
    await kubectl('create', 'namespace', empty);
  });
  afterAll(async () => {
    await kubectl('delete', 'namespace', namespace, empty, '--wait=false');
    await rm(folder.path, { recursive: true });
  });
}

/** Creates an object of any kind in the namespace. */
export async function create(manifest: Readonly<Record<string, unknown>>): Promise<void> {
  const file = join(folder.path, `${randomUUID()}.json`);
  await writeFile(file, JSON.stringify(manifest));
  await kubectl('create', '-n', namespace, '-f', file);
}

export function scene(title: string): AssistantDeployment {
  const found = scenes.find((each) => each.title === title);
  if (found === undefined)
    throw new Error(`no scene "${title}"; there are: ${scenes.map((each) => each.title).join(', ')}`);
  return found.object;
}
export const sceneStatus = (title: string): AssistantDeploymentStatus => scene(title).status ?? {};

/** Creates an object in a moment of its life. */
export async function place(
  name: string,
  title: string,
  change: {
    readonly spec?: Partial<AssistantDeploymentSpec>;
    readonly status?: Partial<AssistantDeploymentStatus>;
  } = {},
): Promise<void> {
  const object = scene(title);
  const flags = [{ feature: 'new-memory', environment: 'development' }];
  const metrics = ['error-rate', 'ttft'].map((metric) => ({ name: metric, preset: 'ErrorRate', max: '0.5' }));
  const body = { ...object, metadata: { name }, spec: { ...object.spec, flags, metrics, ...change.spec } };
  await objects.createNamespacedCustomObject({ ...resource, body });
  if (object.status !== undefined) await setStatus(name, { ...object.status, ...change.status });
}

export async function setStatus(name: string, status: AssistantDeploymentStatus): Promise<void> {
  const body = [{ op: 'add', path: '/status', value: { ...status, observedGeneration: 1 } }];
  await objects.patchNamespacedCustomObjectStatus(
    { ...resource, name, body },
    setHeaderOptions('Content-Type', PatchStrategy.JsonPatch),
  );
}

export const read = async (name: string): Promise<AssistantDeployment> =>
  (await objects.getNamespacedCustomObject({ ...resource, name })) as AssistantDeployment;

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What a command is given besides its arguments. */
export interface Surroundings {
  readonly kubeconfig?: string;
  readonly stdin?: string;
}

/** A command that runs, with what it has printed so far. */
export function start(args: readonly string[], surroundings: Surroundings = {}) {
  const printed = { out: '', err: '' };
  const changes = new Set<() => void>();
  const sink = (key: 'out' | 'err') => ({
    write: (text: string) => {
      printed[key] += text;
      for (const change of changes) change();
    },
  });
  const interrupt = new AbortController();
  const code = run(args, {
    stdout: sink('out'),
    stderr: sink('err'),
    readStdin: () => Promise.resolve(surroundings.stdin ?? ''),
    env: { KUBECONFIG: surroundings.kubeconfig ?? kubeconfig },
    now: () => Date.now(),
    interrupted: interrupt.signal,
  });
  /** Resolves once the output matches. */
  const printedText = async (pattern: RegExp): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const look = (): void => {
      if (pattern.test(printed.out)) resolve(undefined);
    };
    changes.add(look);
    look();
    await promise;
    changes.delete(look);
  };
  return { code, printed, printedText, interrupt: () => interrupt.abort() };
}

/** A command that has run. */
export async function command(args: readonly string[], surroundings: Surroundings = {}): Promise<Ran> {
  const { code, printed } = start(args, surroundings);
  return { code: await code, ...printed };
}
