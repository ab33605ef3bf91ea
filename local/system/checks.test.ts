import { describe, expect, it } from 'vitest';
import { checkMachine, formatBytes, type MachineFacts, worst } from './checks.ts';
import { decideInstall, NODE_REQUIREMENTS, packagesFor, type SystemRequirement } from './requirements.ts';

const GIB = 1024 ** 3;
const good: MachineFacts = {
  platform: 'linux',
  arch: 'x64',
  system: 'Debian GNU/Linux 12 (bookworm)',
  kernel: '6.1.0',
  node: { major: 24, minor: 9, patch: 0 },
  npm: '11.19.1',
  go: { major: 1, minor: 26, patch: 8 },
  pip: 'pip 24.0',
  isRoot: true,
  hasAptGet: true,
  cores: 2,
  memoryTotal: 24 * GIB,
  memoryAvailable: 20 * GIB,
  cacheFree: 50 * GIB,
  stateFree: 50 * GIB,
  missing: [],
  kernelFeatures: [{ name: 'nftables', works: true, remedy: 'modprobe nf_tables' }],
  toCompile: undefined,
  toFetch: [],
  fromPath: [],
  installedByUs: [],
  instances: [],
};
const requirement = (file: string): SystemRequirement => {
  const found = NODE_REQUIREMENTS.find((each) => each.file === file);
  if (found === undefined) throw new Error(`no requirement ${file}`);
  return found;
};

describe('checkMachine', () => {
  it('finds nothing to do on a good machine', () => {
    const checks = checkMachine(good);
    expect(worst(checks)).toBe('ok');
    expect(checks.every((check) => check.remedy === undefined)).toBe(true);
  });

  it.each<[string, Partial<MachineFacts>, 'warning' | 'problem', RegExp]>([
    ['Machine', { arch: 'arm64' }, 'problem', /x86-64/],
    ['Node', { node: { major: 18, minor: 0, patch: 0 } }, 'problem', /Node 20/],
    ['Go', { go: undefined }, 'problem', /go\.dev\/dl/],
    ['Go', { go: { major: 1, minor: 24, patch: 9 } }, 'problem', /Go 1\.25/],
    ["Python's pip", { pip: undefined }, 'problem', /python3-pip/],
    ['Memory', { memoryTotal: 4 * GIB }, 'problem', /6\.0 GiB/],
    ['Memory', { memoryTotal: 8 * GIB }, 'warning', /one compile at a time/],
    ['Disk for the cache', { cacheFree: 1 * GIB }, 'problem', /XDG_CACHE_HOME/],
    [
      'Disk for the cache',
      { cacheFree: 10 * GIB, toCompile: { names: ['etcd'], seconds: 60 } },
      'problem',
      /20\.0 GiB/,
    ],
    ['Disk for the state', { stateFree: 1 * GIB }, 'problem', /5\.0 GiB/],
    ['Root', { isRoot: false }, 'problem', /sudo.*--context/],
    ['System packages', { missing: [requirement('nft')] }, 'warning', /npm start installs them: nftables/],
    ['System packages', { missing: [requirement('nft')], hasAptGet: false }, 'problem', /names of Debian.*nftables/],
    [
      'Kernel: nftables',
      { kernelFeatures: [{ name: 'nftables', works: false, remedy: 'modprobe nf_tables' }] },
      'problem',
      /modprobe/,
    ],
    ['Instance start', { instances: [{ name: 'start', state: 'killed' }] }, 'warning', /npm run stop/],
  ])('%s: names what is wrong and what to do (%j)', (name, change, state, remedy) => {
    const wrong = checkMachine({ ...good, ...change }).filter((check) => check.state !== 'ok');
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toMatchObject({ name, state, remedy: expect.stringMatching(remedy) as string });
  });

  it('says what a first start will compile and fetch without calling it a problem', () => {
    const checks = checkMachine({
      ...good,
      toCompile: { names: ['kubernetes', 'etcd'], seconds: 400 },
      toFetch: ['openbao'],
    });
    expect(checks.find((check) => check.name === 'Caches')).toEqual({
      name: 'Caches',
      state: 'ok',
      found: 'to compile: kubernetes, etcd (about 7 min); to fetch: openbao',
    });
  });

  it('does not judge what only root can try', () => {
    const checks = checkMachine({ ...good, kernelFeatures: [{ name: 'nftables', works: undefined, remedy: 'x' }] });
    expect(worst(checks)).toBe('ok');
  });
});

describe('decideInstall', () => {
  const missing = [requirement('containerd'), requirement('ctr'), requirement('nft')];
  const debian = { isRoot: true, hasAptGet: true, system: 'Debian GNU/Linux 12 (bookworm)' };

  it('does nothing when nothing is missing', () => {
    expect(decideInstall([], debian)).toEqual({ kind: 'nothing' });
  });

  it('installs each package once, as root on Debian or Ubuntu', () => {
    expect(decideInstall(missing, debian)).toEqual({ kind: 'install', packages: ['containerd', 'nftables'] });
  });

  it('otherwise names everything in one message, with the command and the way around', () => {
    const decision = decideInstall(missing, { ...debian, isRoot: false });
    if (decision.kind !== 'refuse') throw new Error(decision.kind);
    for (const part of ['containerd', 'ctr', 'nft', 'sudo apt-get install', '--context NAME'])
      expect(decision.message).toContain(part);
    const fedora = decideInstall(missing, { isRoot: true, hasAptGet: false, system: 'Fedora Linux 43' });
    if (fedora.kind !== 'refuse') throw new Error(fedora.kind);
    expect(fedora.message).toContain('Fedora Linux 43');
    expect(fedora.message).not.toContain('apt-get');
  });

  it('knows a package for everything that is needed', () => {
    expect(packagesFor(NODE_REQUIREMENTS)).toEqual(
      [
        'conntrack',
        'containerd',
        'containernetworking-plugins',
        'iproute2',
        'mount',
        'nftables',
        'runc',
        'util-linux',
      ].sort(),
    );
  });
});

describe('formatBytes', () => {
  it('tells sizes as people say them', () => {
    expect(formatBytes(7.94 * GIB)).toBe('7.9 GiB');
    expect(formatBytes(300 * 1024 ** 2)).toBe('300 MiB');
  });
});
