// The executable as a process: its end, whatever the API server and its reader do.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AssistantDeploymentSpec } from '@assistant-platform/api';
import { openSession } from './session.ts';
import { readReferences } from './references.ts';
import { canaryObject, changed } from '../api/specimens/base.ts';
import { deadAddress } from './testing/kubeconfigs.ts';

const executable = fileURLToPath(new URL('bin/kubectl-assistant.mjs', import.meta.url));
const MANIFEST = fileURLToPath(new URL('testdata/lint/support.yaml', import.meta.url));

/** Takes connections and never answers. */
let silent: Server;
let folder: string;

const kubeconfig = async (address: string): Promise<string> => {
  const path = join(folder, address.replace(':', '-'));
  const content = {
    clusters: [{ name: 'a', cluster: { server: `http://${address}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'a', user: {} }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    'current-context': 'a',
  };
  await writeFile(path, JSON.stringify(content));
  return path;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'executable-'));
  silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  silent.close();
  await rm(folder, { recursive: true });
});

const silentAddress = (): string => `127.0.0.1:${(silent.address() as AddressInfo).port}`;

async function start(...args: readonly string[]) {
  const child = spawn(process.execPath, [executable, ...args], {
    env: { ...process.env, KUBECONFIG: await kubeconfig(silentAddress()) },
  });
  const said = { err: '' };
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  const ended = new Promise<number | string | null>((resolve) =>
    child.on('close', (code, signal) => resolve(code ?? signal)),
  );
  return { child, said, ended };
}

describe('an API server that never answers', () => {
  test.each([
    [['why', 'support'], 'SIGINT'],
    [['status', 'support', '--watch'], 130],
  ])('%j ends at the first Ctrl-C', async (args, code) => {
    const asked = new Promise((resolve) => silent.once('connection', resolve));
    const { child, ended } = await start(...args);
    await asked;
    child.kill('SIGINT');
    expect(await ended).toBe(code);
  });

  test('holds no time-out up', async () => {
    const { ended, said } = await start('status', 'support', '--timeout', '100ms');
    expect(await ended).toBe(2);
    expect(said.err).toContain('support is not done after 100ms');
  });
});

test('a reader that has gone, such as head, is no error to tell', async () => {
  const { child, said, ended } = await start('lint', '-f', MANIFEST);
  child.stdout.destroy();
  expect(await ended).toBe(141);
  expect(said.err).toBe('');
});

test('a ConfigMap or Secret that cannot be had for want of a connection is an error for people', async () => {
  const session = openSession({ env: { KUBECONFIG: await kubeconfig(await deadAddress()) } });
  const object = changed(canaryObject(), ['spec.components.chat.envFrom', [{ secretRef: { name: 'keys' } }]]);
  await expect(readReferences(session, [object['spec'] as AssistantDeploymentSpec])).rejects.toMatchObject({
    code: 'ClusterUnreachable',
  });
});
