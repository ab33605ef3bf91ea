import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildKey, type BuildInputs } from './build-key.ts';
import { estimateBuild, planBuilds } from './build-plan.ts';
import { buildOf, GO_BUILDS, type GoBuild, linkerFlags } from './builds.ts';
import { NEEDED_GO } from './go.ts';
import { compareVersions, parseVersion } from './versions.ts';

const modules = join(import.meta.dirname, '..', 'binaries');
const goMod = (name: string) => readFileSync(join(modules, name, 'go.mod'), 'utf8');

describe('the table of builds', () => {
  it('has an entry for every module under local/binaries, and no other', () => {
    expect(GO_BUILDS.map((build) => build.name as string).sort()).toEqual(readdirSync(modules).sort());
  });

  it.each(GO_BUILDS.filter((build) => build.upstream !== undefined))(
    'tells the version of $name that go.mod pins',
    (build) => {
      const { module, version } = build.upstream!;
      expect(goMod(build.name)).toMatch(
        new RegExp(`^\\s*(?:require )?${module.replaceAll('.', '\\.')} ${version.replaceAll('.', '\\.')}`, 'm'),
      );
    },
  );

  it.each(GO_BUILDS.map((build) => build.name))('%s asks for no newer Go than is provided for', (name) => {
    const wanted = parseVersion(/^go (\S+)$/m.exec(goMod(name))![1]!)!;
    expect(compareVersions(wanted, NEEDED_GO)).toBeLessThanOrEqual(0);
  });

  it('gives every program from one build', () => {
    const programs = GO_BUILDS.flatMap((build) => build.programs);
    expect(new Set(programs).size).toBe(programs.length);
    expect(buildOf('kubelet')?.name).toBe('kubernetes');
    expect(buildOf('helm')).toBeUndefined();
  });

  it('tells Kubernetes its version, in the client library too', () => {
    const flags = linkerFlags(buildOf('kubelet')!);
    expect(flags).toContain('-X k8s.io/component-base/version.gitVersion=v1.35.8');
    expect(flags).toContain('-X k8s.io/client-go/pkg/version.gitMinor=35');
  });
});

describe('buildKey', () => {
  const inputs: BuildInputs = {
    files: [
      { path: 'main.go', content: 'package main' },
      { path: 'go.mod', content: 'module m' },
    ],
    goVersion: 'go1.26.8',
    flags: ['-trimpath'],
    environment: { CGO_ENABLED: '0', GOEXPERIMENT: undefined },
  };

  it('does not depend on the order of files or on variables that are not set', () => {
    const key = buildKey(inputs);
    expect(key).toMatch(/^[0-9a-f]{16}$/);
    expect(buildKey({ ...inputs, files: [...inputs.files].reverse(), environment: { CGO_ENABLED: '0' } })).toBe(key);
  });

  it.each<[string, Partial<BuildInputs>]>([
    ['a file', { files: [{ path: 'main.go', content: 'package main // x' }, inputs.files[1]!] }],
    ['the name of a file', { files: [{ path: 'other.go', content: 'package main' }, inputs.files[1]!] }],
    ['the compiler', { goVersion: 'go1.26.9' }],
    ['a flag', { flags: ['-trimpath', '-race'] }],
    ['a variable', { environment: { CGO_ENABLED: '1' } }],
    ['where one file ends and the next begins', { files: [{ path: 'main.go', content: 'package main","go.mod' }] }],
  ])('changes with %s', (_what, change) => {
    expect(buildKey({ ...inputs, ...change })).not.toBe(buildKey(inputs));
  });
});

describe('planBuilds', () => {
  const GIB = 1024;
  const big = buildOf('kubelet')!;
  const bigger = buildOf('pulumi-resource-kubernetes')!;

  it('runs two builds side by side where their peaks fit into memory', () => {
    expect(planBuilds(GO_BUILDS, { cores: 2, availableMemoryMiB: 22 * GIB })).toMatchObject({
      concurrentBuilds: 2,
      jobs: 2,
    });
  });

  it('runs one at a time with 8 GiB, and one process at a time with 4', () => {
    expect(planBuilds(GO_BUILDS, { cores: 4, availableMemoryMiB: 8 * GIB })).toMatchObject({
      concurrentBuilds: 1,
      jobs: 4,
    });
    expect(planBuilds(GO_BUILDS, { cores: 4, availableMemoryMiB: 4 * GIB })).toMatchObject({
      concurrentBuilds: 1,
      jobs: 1,
    });
  });

  it('estimates from the measured processor time, never shorter with less machine', () => {
    const cpuSeconds = GO_BUILDS.reduce((sum: number, build: GoBuild) => sum + build.cpuSeconds, 0);
    const two = planBuilds(GO_BUILDS, { cores: 2, availableMemoryMiB: 22 * GIB }).estimateSeconds;
    expect(two).toBeGreaterThanOrEqual(cpuSeconds / 2);
    const fewerCores = planBuilds(GO_BUILDS, { cores: 1, availableMemoryMiB: 22 * GIB }).estimateSeconds;
    const lessMemory = planBuilds(GO_BUILDS, { cores: 2, availableMemoryMiB: 4 * GIB }).estimateSeconds;
    expect(Math.min(fewerCores, lessMemory)).toBeGreaterThan(two);
    expect(planBuilds([], { cores: 2, availableMemoryMiB: 22 * GIB }).estimateSeconds).toBe(0);
  });

  it('estimates one build by its share of the cores', () => {
    const machine = { cores: 2, availableMemoryMiB: 22 * GIB };
    const alone = estimateBuild(big, machine, planBuilds([big], machine));
    expect(estimateBuild(big, machine, planBuilds([big, bigger], machine))).toBeGreaterThan(alone);
  });
});
