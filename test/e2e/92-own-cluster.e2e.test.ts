// `npm start -- --context NAME`: the platform on a cluster that somebody has. The embedded cluster, empty after the destroy, plays it: it is known by
// its kubeconfig only, its images are there already (as from a registry), and the instance that is started has no cluster of its own.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { ask, guest, kubectl } from './access.ts';
import { repository, run } from './platform.ts';

const execute = promisify(execFile);
const instance = 'test-own';
const state = path.join(repository, '.state', instance);
const owner = () => ({ ...process.env, KUBECONFIG: inject('where').kubeconfig, ASSISTANT_PLATFORM_INSTANCE: instance });
const start = (context: string) => ['local/start.ts', '--context', context, '--registry', 'localhost/assistant'];

describe('npm start on a cluster that somebody has', () => {
  afterAll(async () => {
    if (existsSync(state)) await run(['local/clean.ts'], owner());
  });

  it('comes up, answers, and starts no cluster of its own', async () => {
    await run(start(inject('where').context), owner());
    const answer = await ask(await guest(), `Which cluster is this? (${Date.now()})`);
    expect(answer).toMatchObject({ status: 200, tier: 'model' });
    expect(readdirSync(state)).not.toContain('process.json');
  });

  it('a context that does not exist is refused with its name, and what stands is left alone', async () => {
    const refused = execute(process.execPath, start('nobody'), { cwd: repository, env: owner() });
    await expect(refused).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('"nobody"') as string,
    });
    expect((await ask(await guest(), 'Still there?')).status).toBe(200);
  });

  it('npm run clean takes the platform from it and leaves the cluster', async () => {
    await run(['local/clean.ts'], owner());
    expect(existsSync(state)).toBe(false);
    const namespaces = (await kubectl('get', 'namespaces', '-o', 'name')).trim().split('\n');
    expect(namespaces.filter((name) => !/\/(default|kube-)/.test(name))).toEqual([]);
  });
});
