/**
 * What the embedded cluster needs of the operating system, and which Debian package carries each program. Pure: what
 * is on the machine comes in as an argument.
 */

/** A file that has to be there, and where it comes from. */
export interface SystemRequirement {
  /** A program that is looked for in PATH and the system's own folders, or an absolute path. */
  readonly file: string;
  /** The Debian and Ubuntu package. */
  readonly package: string;
  /** What breaks without it, for people. */
  readonly purpose: string;
}

/** For a node: containers, their network, and the tools that set both up. */
export const NODE_REQUIREMENTS: readonly SystemRequirement[] = [
  { file: 'containerd', package: 'containerd', purpose: 'runs the containers' },
  { file: 'ctr', package: 'containerd', purpose: 'loads images' },
  { file: 'runc', package: 'runc', purpose: 'runs the containers' },
  { file: '/usr/lib/cni/bridge', package: 'containernetworking-plugins', purpose: 'the network of pods' },
  { file: '/usr/lib/cni/host-local', package: 'containernetworking-plugins', purpose: 'addresses of pods' },
  { file: '/usr/lib/cni/portmap', package: 'containernetworking-plugins', purpose: 'host ports of pods' },
  { file: '/usr/lib/cni/loopback', package: 'containernetworking-plugins', purpose: 'the network of pods' },
  { file: 'nft', package: 'nftables', purpose: 'Services, and the wall around the test network' },
  { file: 'ip', package: 'iproute2', purpose: 'routes and network devices' },
  { file: 'conntrack', package: 'conntrack', purpose: 'Services: forgets connections of pods that are gone' },
  { file: 'unshare', package: 'util-linux', purpose: 'namespaces of the node' },
  { file: 'nsenter', package: 'util-linux', purpose: 'namespaces of the node' },
  { file: 'mount', package: 'mount', purpose: 'file systems of pods' },
  { file: 'umount', package: 'mount', purpose: 'file systems of pods' },
];

/** For anything at all. */
export const BASE_REQUIREMENTS: readonly SystemRequirement[] = [
  { file: 'flock', package: 'util-linux', purpose: 'two runs at a time do not build the same thing' },
];

/** CNI plugins lie in one of these folders, by distribution; a requirement names the first. */
export const CNI_FOLDERS: readonly string[] = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];

/** The packages that carry what is missing, each once, sorted. */
export function packagesFor(missing: readonly SystemRequirement[]): string[] {
  return [...new Set(missing.map((requirement) => requirement.package))].sort();
}

/** Who asks, on what machine. */
export interface Situation {
  readonly isRoot: boolean;
  readonly hasAptGet: boolean;
  /** `PRETTY_NAME` of /etc/os-release. */
  readonly system: string;
}

/** What to do about missing packages. */
export type InstallDecision =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'install'; readonly packages: readonly string[] }
  | { readonly kind: 'refuse'; readonly message: string };

/** Installs where it may (root on Debian or Ubuntu); otherwise one message that names everything and the ways on. */
export function decideInstall(missing: readonly SystemRequirement[], situation: Situation): InstallDecision {
  if (missing.length === 0) return { kind: 'nothing' };
  const packages = packagesFor(missing);
  if (situation.isRoot && situation.hasAptGet) return { kind: 'install', packages };
  const lines = [
    `The embedded cluster needs programs that are not on this machine (${situation.system}):`,
    ...missing.map((requirement) => `  ${requirement.file.padEnd(26)} ${requirement.purpose}`),
    situation.hasAptGet
      ? `Install them:  sudo apt-get install --no-install-recommends ${packages.join(' ')}`
      : `Install them with your package manager; on Debian they are in: ${packages.join(' ')}.`,
    'Or use a cluster that you have already:  npm start -- --context NAME',
  ];
  return { kind: 'refuse', message: lines.join('\n') };
}
