import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'path-tools-test-'));
  vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`);
  vi.stubEnv('ASSISTANT_PLATFORM_BUILD_ALL', '');
  // What was found is remembered for the life of the process.
  vi.resetModules();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** Puts a program into PATH that prints a text and ends with a status. */
async function program(name: string, prints: string, status = 0): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\necho '${prints}'\nexit ${status}\n`);
  await chmod(path, 0o755);
  return path;
}

const find = async (tool: 'pulumi' | 'pulumi-language-nodejs' | 'helm' | 'kubectl') =>
  (await import('./path-tools.ts')).findOnPath(tool);

describe('findOnPath', () => {
  it('uses a kubectl and a helm that are new enough', async () => {
    const kubectl = await program('kubectl', 'Client Version: v1.34.2');
    const helm = await program('helm', 'v4.1.4');
    expect(await find('kubectl')).toBe(kubectl);
    expect(await find('helm')).toBe(helm);
  });

  it('ignores one that is too old, broken, silent, or not executable', async () => {
    await program('kubectl', 'Client Version: v1.30.0');
    expect(await find('kubectl')).toBeUndefined();
    await program('helm', 'v4.1.4', 1);
    expect(await find('helm')).toBeUndefined();
    vi.resetModules();
    await program('helm', 'what?');
    expect(await find('helm')).toBeUndefined();
    vi.resetModules();
    await chmod(await program('helm', 'v4.1.4'), 0o644);
    expect(await find('helm')).toBeUndefined();
  });

  it('uses a pulumi only with the Node host that belongs to it', async () => {
    const pulumi = await program('pulumi', 'v3.300.1');
    expect(await find('pulumi')).toBeUndefined();
    vi.resetModules();
    const host = await program('pulumi-language-nodejs', '');
    expect(await find('pulumi')).toBe(pulumi);
    expect(await find('pulumi-language-nodejs')).toBe(host);
  });

  it('finds the host beside the real pulumi behind a symbolic link', async () => {
    const home = join(folder, 'home');
    await mkdir(home);
    await symlink(await program('home/pulumi', 'v3.300.1'), join(folder, 'pulumi'));
    const host = await program('home/pulumi-language-nodejs', '');
    expect(await find('pulumi-language-nodejs')).toBe(host);
  });

  it('uses no host in PATH when pulumi itself is compiled', async () => {
    await program('pulumi', 'v3.100.0');
    await program('pulumi-language-nodejs', '');
    expect(await find('pulumi-language-nodejs')).toBeUndefined();
  });

  it('uses nothing of the machine when told to build all', async () => {
    await program('kubectl', 'Client Version: v1.35.0');
    vi.stubEnv('ASSISTANT_PLATFORM_BUILD_ALL', '1');
    expect(await find('kubectl')).toBeUndefined();
  });
});
