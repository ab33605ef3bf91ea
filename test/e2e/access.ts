// How the end-to-end tests look at the platform: kubectl for objects, the gateway for answers.
import { execFile, execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { request } from 'undici';
import { afterEach, inject } from 'vitest';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import { guestToken } from '../demo/http-load.ts';
import { Releases } from '../demo/releases.ts';
import { environment, repository } from './platform.ts';

const execute = promisify(execFile);

/** Runs kubectl on the tests' instance. @throws with what kubectl said. */
export async function kubectl(...args: readonly string[]): Promise<string> {
  const { kubeconfig, context } = inject('where');
  const program = await ensureBinary('kubectl');
  const { stdout } = await execute(program, ['--kubeconfig', kubeconfig, '--context', context, ...args], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** A script of ours on the tests' instance: its output and exit code. */
export function script(...args: readonly string[]): string {
  return execFileSync(process.execPath, args, {
    cwd: repository,
    env: environment,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** The AssistantDeployment `demo`. */
export function demo(): Releases {
  const { kubeconfig, context } = inject('where');
  return new Releases(kubeconfig, { namespace: 'assistants', name: 'demo' }, context);
}

/** Kills the operator's pods without a word; its Deployment makes others. */
export async function killOperator(): Promise<void> {
  const chosen = ['-n', 'assistant-system', '-l', 'app.kubernetes.io/name=assistant-operator'];
  await kubectl('delete', 'pods', ...chosen, '--grace-period=0', '--force', '--wait=false');
}

const LOOKS: readonly (readonly string[])[] = [
  ['get', 'assistantdeployment/demo', '-n', 'assistants', '-o', 'yaml'],
  ['get', 'pods,deployments,replicasets,services,endpointslices', '-n', 'assistants', '-o', 'wide'],
  ['get', 'pods,deployments', '-n', 'assistants', '-o', 'yaml'],
  ['get', 'events', '-n', 'assistants', '--sort-by=.lastTimestamp'],
  ['logs', '-n', 'assistant-system', '-l', 'app.kubernetes.io/name=assistant-operator', '--prefix', '--tail=200'],
];

/** When a test fails, what stands in the cluster at that moment is printed. Call it behind other `afterEach` hooks: the last one runs first. */
export function tellOnFailure(): void {
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    for (const look of LOOKS) console.log(`kubectl ${look.join(' ')}\n${await kubectl(...look).catch(String)}`);
  });
}

/** The sum of the values that a PromQL query gives; 0 when there are none. */
export async function measured(query: string): Promise<number> {
  const response = await fetch(`${inject('where').prometheus}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
  return data.result.reduce((sum, { value }) => sum + Number(value[1]), 0);
}

/** An answer as the gateway gave it. */
export interface Answer {
  readonly status: number;
  readonly tier: string;
  readonly text: string;
  readonly stored: boolean;
  readonly revision: string;
}

/** Asks one question through the gateway. */
export async function ask(token: string, text: string, conversation = `e2e-${Date.now()}`): Promise<Answer> {
  const response = await request(`${inject('where').gateway}/v1/conversations/${conversation}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ text, maxTokens: 16 }),
  });
  const body = (await response.body.json()) as { answer?: { tier: string; text: string; stored: boolean } };
  const { tier = '', text: said = '', stored = false } = body.answer ?? {};
  return {
    status: response.statusCode,
    tier,
    text: said,
    stored,
    revision: String(response.headers['x-assistant-revision']),
  };
}

/** A token for a new guest. */
export function guest(): Promise<string> {
  return guestToken(inject('where').gateway);
}

/** Waits until `holds`; asks twice a second. @throws after the time with what it waited for. */
export async function eventually(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await delay(500);
  }
}
