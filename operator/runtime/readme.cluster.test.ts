// Runs the operator of README.md, word for word, as two processes against a real API server.
import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ApiClient } from './client/api-client.ts';
import { configMaps, events, leases, namespaces } from './objects/builtin.ts';
import { clientOf, ownNamespace, until } from './testing/real-cluster.ts';

const here = dirname(fileURLToPath(import.meta.url));
const program = join(here, 'dist', 'readme', 'operator.ts');
const lease = { namespace: 'default', name: 'team-operator' };

interface Running {
  child: ChildProcess;
  port: number;
  output: () => string;
  ended: Promise<number | null>;
}

let client: ApiClient;
let space: Awaited<ReturnType<typeof ownNamespace>>;
const processes: Running[] = [];

beforeAll(async () => {
  client = await clientOf(inject('kubeconfig'));
  space = await ownNamespace(client);
  const readme = await readFile(join(here, 'README.md'), 'utf8');
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(code.split('\n').length).toBeLessThan(60);
  await mkdir(dirname(program), { recursive: true });
  await writeFile(program, code);
  const tsconfig = { extends: '../../../../tsconfig.json', include: ['operator.ts'], exclude: [] };
  await writeFile(join(dirname(program), 'tsconfig.json'), JSON.stringify(tsconfig));
});

afterAll(async () => {
  for (const { child, ended } of processes) {
    child.kill('SIGKILL');
    await ended;
  }
  await client.delete(leases, lease);
  await space[Symbol.asyncDispose]();
  client.close();
});

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

const launch = async (): Promise<Running> => {
  const port = await freePort();
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, KUBECONFIG: inject('kubeconfig'), PORT: String(port) },
  });
  let text = '';
  child.stdout.on('data', (data: Buffer) => (text += String(data)));
  child.stderr.on('data', (data: Buffer) => (text += String(data)));
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const running = { child, port, output: () => text, ended };
  processes.push(running);
  const isReady = async () => (await page(running, '/readyz'))?.startsWith('ok') ?? false;
  await until('readiness of the operator', isReady).catch((error: unknown) => {
    throw new Error(`the operator is not ready; it says:\n${text}`, { cause: error });
  });
  return running;
};

const page = async ({ port }: Running, path: string): Promise<string | undefined> => {
  try {
    return await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
};

const team = async () => (await client.find(configMaps, { namespace: space.name, name: 'team' }))?.data?.['team'];

describe('the operator of the README', () => {
  it('passes the type check', async () => {
    const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));
    await promisify(execFile)(process.execPath, [tsc, '--noEmit', '-p', join(dirname(program), 'tsconfig.json')]);
  });

  it('does what it says, repairs what is edited, and is followed by its standby', async () => {
    const first = await launch();
    await until('the first to lead', () => first.output().includes('"msg":"leading"'));
    const second = await launch();
    await until('the second to stand by', () => second.output().includes('standing by'));
    await client.patch(namespaces, { name: space.name }, { metadata: { labels: { team: 'red' } } });
    await until('the card', async () => (await team()) === 'red');
    await client.patch(configMaps, { namespace: space.name, name: 'team' }, { data: { team: 'edited' } });
    await until('the repair', async () => (await team()) === 'red');
    await client.delete(configMaps, { namespace: space.name, name: 'team' });
    await until('the return', async () => (await team()) === 'red');
    const metrics = (await page(first, '/metrics')) ?? '';
    expect(metrics).toMatch(/controller_runtime_reconcile_total\{controller="team",result="success"\} [1-9]/);
    expect(metrics).toContain('leader_election_master_status{name="team-operator"} 1');
    expect(await page(second, '/metrics')).toContain('leader_election_master_status{name="team-operator"} 0');

    const stoppedAt = performance.now();
    first.child.kill('SIGTERM');
    await client.patch(namespaces, { name: space.name }, { metadata: { labels: { team: 'blue' } } });
    await until('the standby to take over', async () => (await team()) === 'blue');
    console.log(`graceful hand-over to the next write: ${Math.round(performance.now() - stoppedAt)} ms`);
    expect(performance.now() - stoppedAt).toBeLessThan(5_000);
    expect(await first.ended).toBe(0);
    expect(first.output()).toContain('gave the lease up');

    // Events are written beside the reconciles.
    const told = async (note: string): Promise<boolean> =>
      (await client.list(events, { namespace: 'default' })).items.some(
        (event) => event.regarding?.name === space.name && event.note === note,
      );
    for (const color of ['red', 'blue'])
      await until(`the event of ${color}`, () => told(`this namespace belongs to ${color}`));
  });
});
