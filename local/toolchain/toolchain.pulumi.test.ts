import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandError, runCommand } from './command.ts';
import { type BinaryName, ensureBinary, pathFolders } from './toolchain.ts';

describe('compiled programs', () => {
  it.each<[BinaryName, readonly string[], RegExp]>([
    ['kube-apiserver', ['--version'], /^Kubernetes v1\.35\.8$/],
    ['kubelet', ['--version'], /^Kubernetes v1\.35\.8$/],
    ['kube-proxy', ['--version'], /^Kubernetes v1\.35\.8$/],
    ['kubectl', ['version', '--client'], /Client Version: v1\.3[456]\./],
    ['etcd', ['--version'], /etcd Version: 3\.6\.16/],
    ['coredns', ['--version'], /CoreDNS-1\.15\.0/],
    ['kwok', ['--version'], /v0\.8\.0/],
  ])('%s tells its version', async (name, args, version) => {
    expect(await runCommand(await ensureBinary(name), args)).toMatch(version);
  });

  it('pause stays through a child signal until it is told to end, and then ends well', async () => {
    const pause = spawn(await ensureBinary('pause'), { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = once(pause, 'exit');
    await once(pause.stderr, 'data');
    pause.kill('SIGCHLD');
    pause.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
});

describe('the Node host of Pulumi', () => {
  const repository = resolve(import.meta.dirname, '../..');
  let folder: string;
  let env: Record<string, string>;

  // Inside the repository, so that the program finds @pulumi/pulumi as a program of ours does.
  beforeAll(async () => {
    await mkdir(join(repository, '.state'), { recursive: true });
    folder = await mkdtemp(join(repository, '.state', 'pulumi-host-test-'));
    await mkdir(join(folder, 'state'));
    const program = `
      const pulumi = require('@pulumi/pulumi');
      const config = new pulumi.Config();
      if (config.getBoolean('broken')) throw new pulumi.RunError('told to break');
      if (config.getBoolean('crash')) throw new Error('crashed by itself');
      exports.greeting = config.require('greeting');
      exports.word = config.requireSecret('word');
      exports.where = pulumi.getProject() + '/' + pulumi.getStack();`;
    await writeFile(
      join(folder, 'Pulumi.yaml'),
      'name: host-test\nruntime:\n  name: nodejs\n  options: { typescript: false }\n',
    );
    await writeFile(join(folder, 'package.json'), '{"main":"index.js"}\n');
    await writeFile(join(folder, 'index.js'), program);
    env = {
      PATH: [...(await pathFolders(['pulumi', 'pulumi-language-nodejs'])), process.env['PATH'] ?? ''].join(delimiter),
      PULUMI_HOME: join(folder, 'home'),
      PULUMI_BACKEND_URL: `file://${join(folder, 'state')}`,
      PULUMI_CONFIG_PASSPHRASE: 'of a test',
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
    };
    await pulumi('stack', 'init', 'test');
    await pulumi('config', 'set', 'greeting', 'hello');
    await pulumi('config', 'set', '--secret', 'word', 'xyzzy');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const pulumi = (...args: string[]): Promise<string> =>
    runCommand('pulumi', [...args, '--non-interactive'], { cwd: folder, env });

  it('runs a program with its configuration, keeps secrets secret, and sees no change the second time', async () => {
    await pulumi('up', '--yes', '--skip-preview');
    expect(JSON.parse(await pulumi('stack', 'output', '--json'))).toEqual({
      greeting: 'hello',
      word: '[secret]',
      where: 'host-test/test',
    });
    expect(JSON.parse(await pulumi('stack', 'output', '--json', '--show-secrets'))).toMatchObject({ word: 'xyzzy' });
    await pulumi('preview', '--expect-no-changes');
  });

  it.each([
    ['broken', 'told to break'],
    ['crash', 'crashed by itself'],
  ])('says what was wrong when a program ends badly (%s)', async (setting, message) => {
    await pulumi('config', 'set', setting, 'true');
    const lines: string[] = [];
    const up = ['up', '--yes', '--skip-preview', '--non-interactive', '--color=never'];
    const failing = runCommand('pulumi', up, { cwd: folder, env, onLine: (line) => lines.push(line) });
    await expect(failing).rejects.toThrow(CommandError);
    await pulumi('config', 'rm', setting);
    expect(lines.filter((line) => line.includes(message)).length).toBeGreaterThan(0);
  });
});
