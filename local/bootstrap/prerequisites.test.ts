import { describe, expect, it } from 'vitest';
import { findMissing, needsRoot, needsToolchain, parseVersion, rootNeeded } from './prerequisites.mjs';

const machine = {
  platform: 'linux',
  arch: 'x64',
  node: 'v20.20.2',
  npm: '11.19.1',
  go: 'go version go1.26.8 linux/amd64',
  pip: 'pip 24.0 from /usr/lib/python3/dist-packages/pip (python 3.11)',
};

describe('findMissing', () => {
  it('finds nothing missing on a machine with Node 20, Go 1.25 and pip', () => {
    expect(findMissing(machine, { toolchain: true })).toEqual([]);
    expect(
      findMissing({ ...machine, node: 'v20.0.0', go: 'go version go1.25.0 linux/amd64' }, { toolchain: true }),
    ).toEqual([]);
  });

  it('names all that is missing at once, with what to do', () => {
    const missing = findMissing(
      { platform: 'darwin', arch: 'arm64', node: 'v18.19.0', npm: undefined, go: undefined, pip: undefined },
      { toolchain: true },
    );
    expect(missing).toHaveLength(5);
    expect(missing[0]).toContain('darwin on arm64');
    expect(missing[1]).toContain('this is v18.19.0');
    expect(missing[4]).toContain('apt-get install python3-pip');
  });

  it('tells an old Go from none', () => {
    expect(findMissing({ ...machine, go: 'go version go1.24.13 linux/amd64' }, { toolchain: true })).toEqual([
      expect.stringContaining('found 1.24'),
    ]);
  });

  it('asks for Go and pip only where something is compiled or fetched', () => {
    const bare = { ...machine, go: undefined, pip: undefined };
    expect(findMissing(bare, { toolchain: false })).toEqual([]);
    expect(findMissing(bare, { toolchain: true })).toHaveLength(2);
  });
});

describe('what a command needs', () => {
  it.each([
    ['start', [], true],
    ['test', [], true],
    ['test', ['operator'], true],
    ['test', ['unit'], false],
    ['test', ['unit', 'e2e'], true],
    ['images', ['--help'], false],
    ['stop', [], false],
    ['doctor', [], false],
  ] as const)('%s %j: toolchain %s', (command, args, needed) => {
    expect(needsToolchain(command, args)).toBe(needed);
  });

  it.each([
    ['start', [], true],
    ['start', ['--egress'], true],
    ['start', ['--context', 'kind'], false],
    ['start', ['--context=kind'], false],
    ['start', ['--help'], false],
    ['test', [], true],
    ['test', ['e2e'], true],
    ['test', ['unit', 'operator'], true],
    ['test', ['releases'], true],
    ['test', ['static', 'unit', 'services', 'infra'], false],
    ['bench', ['local'], true],
    ['bench', ['operator'], false],
    ['demo', [], false],
    ['stop', [], false],
  ] as const)('%s %j: root %s', (command, args, needed) => {
    expect(needsRoot(command, args)).toBe(needed);
  });

  it('tells who may not what to type instead, and the stages it names need no root', () => {
    expect(rootNeeded('start')).toContain('npm start -- --context NAME');
    expect(rootNeeded('bench', ['local'])).toContain('sudo env "PATH=$PATH" npm run bench:local');
    const text = rootNeeded('test', ['e2e']);
    expect(text).toContain('sudo env "PATH=$PATH" npm test e2e');
    const without = /^ {2}npm test ([a-z ]+?) *\(/m.exec(text)?.[1]?.split(' ') ?? [];
    expect(without).toContain('unit');
    expect(needsRoot('test', without)).toBe(false);
  });
});

describe('parseVersion', () => {
  it('reads what programs print', () => {
    expect(parseVersion('go version go1.26.8 linux/amd64')).toEqual([1, 26]);
    expect(parseVersion('v24.9.0')).toEqual([24, 9]);
    expect(parseVersion('devel')).toBeUndefined();
    expect(parseVersion(undefined)).toBeUndefined();
  });
});
