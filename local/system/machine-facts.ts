/** Looks at the machine for `npm run doctor`. Changes nothing, and fetches nothing. */
import { existsSync } from 'node:fs';
import { readdir, readFile, statfs } from 'node:fs/promises';
import { availableParallelism, release } from 'node:os';
import { dirname, join } from 'node:path';
import { clusterStatus } from '../cluster/cluster.ts';
import { cacheRoot } from '../toolchain/cache.ts';
import { runCommand } from '../toolchain/command.ts';
import { packagesOfImages } from '../images/images.ts';
import { hasPackage } from '../toolchain/packages.ts';
import { locate } from '../toolchain/path-tools.ts';
import { findPip } from '../toolchain/pip.ts';
import { type BinaryName, estimateSeconds, sourceOf } from '../toolchain/toolchain.ts';
import { parseVersion } from '../toolchain/versions.ts';
import type { KernelFeature, MachineFacts } from './checks.ts';
import { installedByUs } from './install.ts';
import { missingFor } from './system.ts';

/** What `npm start` needs; the rest of the programs are for tests. */
const START: readonly BinaryName[] = [
  'kubelet',
  'etcd',
  'coredns',
  'pause',
  'pulumi',
  'pulumi-language-nodejs',
  'pulumi-resource-kubernetes',
];

/** @param repository the folder of this clone. */
export async function findMachineFacts(repository: string): Promise<MachineFacts> {
  const pip = await findPip();
  const go = parseVersion(await ask('go', ['version']));
  const osRelease = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return {
    platform: process.platform,
    arch: process.arch,
    system: /^PRETTY_NAME="?([^"\n]+)/m.exec(osRelease)?.[1] ?? process.platform,
    kernel: release(),
    node: parseVersion(process.version) ?? { major: 0, minor: 0, patch: 0 },
    npm: (await ask('npm', ['--version'])) || undefined,
    go,
    pip: pip === undefined ? undefined : (await ask(pip[0], [...pip.slice(1), '--version'])).split(' from ')[0],
    isRoot: process.getuid?.() === 0,
    hasAptGet: (await locate('apt-get')) !== undefined,
    cores: availableParallelism(),
    ...(await memory()),
    cacheFree: await freeBytes(cacheRoot()),
    stateFree: await freeBytes(join(repository, '.state')),
    missing: await missingFor('node'),
    kernelFeatures: await kernelFeatures(),
    ...(await toolchain(go !== undefined)),
    installedByUs: await installedByUs(),
    instances: await instances(join(repository, '.state')),
  };
}

/** What a program prints, or nothing if it is not there or fails: the doctor's business is to say so. */
function ask(program: string, args: readonly string[]): Promise<string> {
  return runCommand(program, args, { env: { GOTOOLCHAIN: 'local' } }).catch(() => '');
}

async function memory(): Promise<{ memoryTotal: number; memoryAvailable: number }> {
  const text = await readFile('/proc/meminfo', 'utf8');
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { memoryTotal: read('MemTotal'), memoryAvailable: read('MemAvailable') };
}

/** Free bytes of the file system that a folder is on, or will be on. */
async function freeBytes(folder: string): Promise<number> {
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  return bavail * bsize;
}

async function toolchain(hasGo: boolean): Promise<Pick<MachineFacts, 'toCompile' | 'toFetch' | 'fromPath'>> {
  const names = packagesOfImages();
  const cached = await Promise.all(names.map((name) => hasPackage(name)));
  const toFetch = names.filter((_, index) => cached[index] === false);
  // Without Go neither keys nor builds exist; the missing Go is told by its own check.
  if (!hasGo) return { toCompile: undefined, toFetch, fromPath: [] };
  const sources = await Promise.all(START.map((name) => sourceOf(name)));
  const missing = sources.flatMap((source) => (source.from === 'build' && !source.cached ? [source.build.name] : []));
  return {
    toCompile: missing.length === 0 ? undefined : { names: missing, seconds: await estimateSeconds(START) },
    toFetch,
    fromPath: sources.flatMap((source, index) =>
      source.from === 'path' ? [{ name: START[index] ?? '', file: source.file }] : [],
    ),
  };
}

async function kernelFeatures(): Promise<KernelFeature[]> {
  const [fileSystems, mounts] = await Promise.all([
    readFile('/proc/filesystems', 'utf8'),
    readFile('/proc/mounts', 'utf8'),
  ]);
  const isRoot = process.getuid?.() === 0;
  // Tried in a network namespace that ends with the command: nothing of the machine is touched.
  const tryInside = (script: string): Promise<boolean> =>
    runCommand('unshare', ['--net', '--mount', 'sh', '-ec', script]).then(
      () => true,
      () => false,
    );
  const overlay = /\boverlay$/m.test(fileSystems) || (isRoot && (await tryInside('modprobe overlay')));
  const tried = async (script: string, needs: string): Promise<boolean | undefined> =>
    isRoot && (await locate('unshare')) !== undefined && (await locate(needs)) !== undefined
      ? tryInside(script)
      : undefined;
  const container = 'In a container the host has to allow it (run it privileged), or use a virtual machine.';
  return [
    { name: 'overlay file system', works: overlay, remedy: `modprobe overlay. ${container}` },
    { name: 'control groups', works: /^\S+ \S+ cgroup2? /m.test(mounts), remedy: `Mount /sys/fs/cgroup. ${container}` },
    { name: 'network namespaces', works: await tried('ip link set lo up', 'ip'), remedy: container },
    {
      name: 'bridges and veth pairs',
      works: await tried(
        'ip link add dev br0 type bridge; ip link add dev va type veth peer name vb; ip link set dev va master br0',
        'ip',
      ),
      remedy: `modprobe bridge; modprobe veth. ${container}`,
    },
    {
      name: 'nftables',
      works: await tried(
        'nft add table ip t; nft add chain ip t c "{ type nat hook postrouting priority 100; }"; nft delete table ip t',
        'nft',
      ),
      remedy: `modprobe nf_tables nft_nat. ${container}`,
    },
  ];
}

/** The instances of this clone that were ever started. */
async function instances(state: string): Promise<{ name: string; state: string }[]> {
  if (!existsSync(state)) return [];
  const found: { name: string; state: string }[] = [];
  for (const entry of await readdir(state, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const status = await clusterStatus(join(state, entry.name));
    if (status.state !== 'absent') found.push({ name: entry.name, state: status.state });
  }
  return found;
}
