/**
 * What `npm run doctor` says of a machine. Pure: everything that was found comes in as an argument, so that machines
 * that nobody has at hand can be judged in a test.
 */
import type { SystemRequirement } from './requirements.ts';
import { packagesFor } from './requirements.ts';
import { compareVersions, formatVersion, type Version } from '../toolchain/versions.ts';

/** `problem` stops `npm start`; `warning` makes it slow, or is worth knowing. */
export type CheckState = 'ok' | 'warning' | 'problem';

/** One line of the doctor. */
export interface Check {
  readonly name: string;
  readonly state: CheckState;
  /** What was found. */
  readonly found: string;
  /** What to do; present unless all is well. */
  readonly remedy?: string;
}

/** What was found on a machine. Sizes in bytes. */
export interface MachineFacts {
  readonly platform: string;
  readonly arch: string;
  readonly system: string;
  readonly kernel: string;
  readonly node: Version;
  readonly npm: string | undefined;
  readonly go: Version | undefined;
  readonly pip: string | undefined;
  readonly isRoot: boolean;
  readonly hasAptGet: boolean;
  readonly cores: number;
  readonly memoryTotal: number;
  readonly memoryAvailable: number;
  readonly cacheFree: number;
  readonly stateFree: number;
  readonly missing: readonly SystemRequirement[];
  readonly kernelFeatures: readonly KernelFeature[];
  /** Programs that would still have to be compiled, with the seconds that takes. */
  readonly toCompile: { readonly names: readonly string[]; readonly seconds: number } | undefined;
  readonly toFetch: readonly string[];
  readonly fromPath: readonly { readonly name: string; readonly file: string }[];
  /** System packages that this project has installed. */
  readonly installedByUs: readonly string[];
  readonly instances: readonly { readonly name: string; readonly state: string }[];
}

/** Something of the kernel that containers are made of; `undefined` where it cannot be tried without root. */
export interface KernelFeature {
  readonly name: string;
  readonly works: boolean | undefined;
  readonly remedy: string;
}

const GIB = 1024 ** 3;

/** Memory below which compiling swaps or dies; the largest compiler process takes 3.3 GiB. */
export const MINIMUM_MEMORY = 6 * GIB;
/** Memory with which compiles run side by side and a whole cluster fits beside a browser. */
export const COMFORTABLE_MEMORY = 12 * GIB;
/** Disk for a first start: Go modules, its build cache (deleted afterwards), programs, packages, images. */
export const DISK_COLD = 20 * GIB;
/** Disk for further starts: state of the cluster and new images. */
export const DISK_WARM = 5 * GIB;

/** All checks, in the order in which a person would put things right. */
export function checkMachine(facts: MachineFacts): Check[] {
  return [
    platform(facts),
    atLeast('Node', facts.node, { major: 20, minor: 0, patch: 0 }, 'Install Node 20 or newer: nodejs.org/download.'),
    present('npm', facts.npm, 'It comes with Node: put it in PATH.'),
    atLeast(
      'Go',
      facts.go,
      { major: 1, minor: 25, patch: 0 },
      'Install Go 1.25 or newer: go.dev/dl, and put it in PATH.',
    ),
    present("Python's pip", facts.pip, 'On Debian and Ubuntu: apt-get install python3-pip.'),
    memory(facts),
    disk('Disk for the cache', facts.cacheFree, facts.toCompile === undefined ? DISK_WARM : DISK_COLD),
    disk('Disk for the state', facts.stateFree, DISK_WARM),
    root(facts),
    systemPackages(facts),
    ...facts.kernelFeatures.map(kernelFeature),
    caches(facts),
    ...facts.fromPath.map(
      ({ name, file }): Check => ({ name: `${name} in PATH`, state: 'ok', found: `${file} is used` }),
    ),
    ...facts.instances.map(instance),
  ];
}

/** The worst state of all. */
export function worst(checks: readonly Check[]): CheckState {
  if (checks.some((check) => check.state === 'problem')) return 'problem';
  return checks.some((check) => check.state === 'warning') ? 'warning' : 'ok';
}

/** `7.9 GiB`. */
export function formatBytes(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${Math.round(bytes / 1024 ** 2)} MiB`;
}

function platform(facts: MachineFacts): Check {
  const found = `${facts.system}, kernel ${facts.kernel}, ${facts.arch}, ${facts.cores} cores`;
  if (facts.platform === 'linux' && facts.arch === 'x64') return { name: 'Machine', state: 'ok', found };
  return {
    name: 'Machine',
    state: 'problem',
    found,
    remedy: 'The embedded cluster runs on Linux on x86-64: use a virtual machine, or npm start -- --context NAME.',
  };
}

function atLeast(name: string, found: Version | undefined, minimum: Version, remedy: string): Check {
  if (found === undefined) return { name, state: 'problem', found: 'not found in PATH', remedy };
  const state = compareVersions(found, minimum) >= 0 ? 'ok' : 'problem';
  return { name, state, found: formatVersion(found), ...(state === 'ok' ? {} : { remedy }) };
}

function present(name: string, version: string | undefined, remedy: string): Check {
  if (version === undefined) return { name, state: 'problem', found: 'not found in PATH', remedy };
  return { name, state: 'ok', found: version };
}

function memory(facts: MachineFacts): Check {
  const name = 'Memory';
  const found = `${formatBytes(facts.memoryTotal)}, of which ${formatBytes(facts.memoryAvailable)} are free`;
  if (facts.memoryTotal < MINIMUM_MEMORY) {
    const remedy = `At least ${formatBytes(MINIMUM_MEMORY)} are needed to compile and run the cluster.`;
    return { name, state: 'problem', found, remedy };
  }
  if (facts.memoryTotal < COMFORTABLE_MEMORY) {
    const remedy = `It works, with one compile at a time; ${formatBytes(COMFORTABLE_MEMORY)} make the first start faster.`;
    return { name, state: 'warning', found, remedy };
  }
  return { name, state: 'ok', found };
}

function disk(name: string, free: number, needed: number): Check {
  const found = `${formatBytes(free)} free`;
  if (free >= needed) return { name, state: 'ok', found };
  const remedy = `${formatBytes(needed)} are needed; free some, or put the cache elsewhere with XDG_CACHE_HOME.`;
  return { name, state: 'problem', found, remedy };
}

function root(facts: MachineFacts): Check {
  if (facts.isRoot) return { name: 'Root', state: 'ok', found: 'yes' };
  const remedy = 'Run sudo env "PATH=$PATH" npm start, or use a cluster that you have: npm start -- --context NAME.';
  return { name: 'Root', state: 'problem', found: 'no, and the node of the embedded cluster needs it', remedy };
}

function systemPackages(facts: MachineFacts): Check {
  const name = 'System packages';
  if (facts.missing.length === 0) {
    const ours =
      facts.installedByUs.length === 0 ? '' : ` (installed by this project: ${facts.installedByUs.join(', ')})`;
    return { name, state: 'ok', found: `all there${ours}` };
  }
  const packages = packagesFor(facts.missing).join(' ');
  const found = `missing: ${facts.missing.map((requirement) => requirement.file).join(', ')}`;
  if (facts.isRoot && facts.hasAptGet) {
    return { name, state: 'warning', found, remedy: `npm start installs them: ${packages}.` };
  }
  return { name, state: 'problem', found, remedy: `Install the packages (names of Debian): ${packages}.` };
}

function kernelFeature(feature: KernelFeature): Check {
  const name = `Kernel: ${feature.name}`;
  if (feature.works === undefined) return { name, state: 'ok', found: 'can be tried only as root' };
  if (feature.works) return { name, state: 'ok', found: 'works' };
  return { name, state: 'problem', found: 'does not work', remedy: feature.remedy };
}

function caches(facts: MachineFacts): Check {
  const name = 'Caches';
  const compile = facts.toCompile;
  if (compile === undefined && facts.toFetch.length === 0)
    return { name, state: 'ok', found: 'everything is compiled and fetched' };
  const parts = [
    ...(compile === undefined
      ? []
      : [`to compile: ${compile.names.join(', ')} (about ${Math.ceil(compile.seconds / 60)} min)`]),
    ...(facts.toFetch.length === 0 ? [] : [`to fetch: ${facts.toFetch.join(', ')}`]),
  ];
  return { name, state: 'ok', found: parts.join('; ') };
}

function instance(found: { readonly name: string; readonly state: string }): Check {
  const name = `Instance ${found.name}`;
  if (found.state === 'killed' || found.state === 'failed') {
    const remedy = 'npm run stop removes what is left of it; npm start starts it again.';
    return { name, state: 'warning', found: found.state, remedy };
  }
  return { name, state: 'ok', found: found.state };
}
