/**
 * What is compiled from the Go module proxy: one entry for each module under local/binaries. The versions stand in
 * the go.mod files; here stands how each is linked, what it is told its version is, and what the compiling costs.
 */

/** The names of the modules under local/binaries. */
export type BuildName =
  | 'kubernetes'
  | 'etcd'
  | 'pause'
  | 'coredns'
  | 'pulumi-resource-kubernetes'
  | 'pulumi'
  | 'pulumi-language-nodejs'
  | 'kwok';

/** One program to compile. */
export interface GoBuild {
  readonly name: BuildName;
  /** What is handed to `go build`: this folder's own main, or an upstream one. */
  readonly packagePath: string;
  /** The module whose version this program's version is, and that version, as in go.mod. */
  readonly upstream: { readonly module: string; readonly version: string } | undefined;
  /** String variables that the linker sets (`-X`), by import path and name. */
  readonly linkerVariables: Readonly<Record<string, string>>;
  /** Names the program is called by. The first is the file, the others are symbolic links to it. */
  readonly programs: readonly [string, ...string[]];
  /** User and system CPU seconds from an empty build cache (measured; see docs/benchmarks.md). */
  readonly cpuSeconds: number;
  /** Memory of the largest single compiler process, in MiB (measured). */
  readonly peakMemoryMiB: number;
}

const KUBERNETES = 'v1.35.8';
const PULUMI = 'v3.259.0';

/** The variables by which Kubernetes programs know and tell their version. */
function kubernetesVersion(version: string): Record<string, string> {
  const [major = '', minor = ''] = version.slice(1).split('.');
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  return Object.fromEntries(
    packages.flatMap((path) => Object.entries(values).map(([name, value]) => [`${path}.${name}`, value])),
  );
}

/**
 * All builds, in the order in which their results are wanted: the cluster first, since it starts while the rest is
 * still compiled.
 */
export const GO_BUILDS: readonly GoBuild[] = [
  {
    name: 'kubernetes',
    packagePath: '.',
    upstream: { module: 'k8s.io/kubernetes', version: KUBERNETES },
    linkerVariables: kubernetesVersion(KUBERNETES),
    programs: [
      'kubernetes',
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
      'kubelet',
      'kube-proxy',
      'kubectl',
    ],
    cpuSeconds: 474,
    peakMemoryMiB: 2400,
  },
  {
    name: 'etcd',
    packagePath: '.',
    upstream: { module: 'go.etcd.io/etcd/server/v3', version: 'v3.6.16' },
    linkerVariables: {},
    programs: ['etcd'],
    cpuSeconds: 75,
    peakMemoryMiB: 400,
  },
  {
    name: 'pause',
    packagePath: '.',
    upstream: undefined,
    linkerVariables: {},
    programs: ['pause'],
    cpuSeconds: 1,
    peakMemoryMiB: 100,
  },
  {
    name: 'coredns',
    packagePath: '.',
    upstream: { module: 'github.com/coredns/coredns', version: 'v1.15.0' },
    linkerVariables: {},
    programs: ['coredns'],
    cpuSeconds: 112,
    peakMemoryMiB: 850,
  },
  {
    name: 'pulumi-resource-kubernetes',
    packagePath: '.',
    upstream: {
      module: 'github.com/pulumi/pulumi-kubernetes/provider/v4',
      version: 'v4.0.0-20240930223531-b7dae6b4ea56',
    },
    // The module has no tag of its own; the commit is that of the release v4.18.1.
    linkerVariables: { 'main.version': '4.18.1' },
    programs: ['pulumi-resource-kubernetes'],
    cpuSeconds: 455,
    peakMemoryMiB: 3400,
  },
  {
    name: 'pulumi',
    packagePath: 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi',
    upstream: { module: 'github.com/pulumi/pulumi/pkg/v3', version: PULUMI },
    linkerVariables: { 'github.com/pulumi/pulumi/sdk/v3/go/common/version.Version': PULUMI },
    programs: ['pulumi'],
    cpuSeconds: 320,
    peakMemoryMiB: 1500,
  },
  {
    name: 'pulumi-language-nodejs',
    packagePath: '.',
    upstream: { module: 'github.com/pulumi/pulumi/sdk/v3', version: PULUMI },
    linkerVariables: { 'github.com/pulumi/pulumi/sdk/v3/go/common/version.Version': PULUMI },
    programs: ['pulumi-language-nodejs'],
    cpuSeconds: 20,
    peakMemoryMiB: 600,
  },
  {
    name: 'kwok',
    packagePath: 'sigs.k8s.io/kwok/cmd/kwok',
    upstream: { module: 'sigs.k8s.io/kwok', version: 'v0.8.0' },
    linkerVariables: {},
    programs: ['kwok'],
    cpuSeconds: 120,
    peakMemoryMiB: 1000,
  },
];

/** The linker's flags: no symbol tables (they are a third of each file), and the version variables. */
export function linkerFlags(build: GoBuild): string {
  const variables = Object.entries(build.linkerVariables).map(([name, value]) => `-X ${name}=${value}`);
  return ['-s', '-w', ...variables].join(' ');
}

/** The arguments of `go build` for one program, apart from where the result goes and how many jobs run at once. */
export function buildFlags(build: GoBuild): string[] {
  return ['-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags', linkerFlags(build)];
}

/**
 * Compilers need not write debug information that the linker's `-w` throws away: 8 % less processor time and 22 % less
 * build cache (measured with etcd). It changes nothing that runs, so it is no part of the key under which one is cached.
 */
export const WITHOUT_DEBUG_INFORMATION = '-gcflags=all=-dwarf=false';

/**
 * The environment of every Go command: nothing of the person's own Go settings may change the result.
 * GOFLAGS is cleared, because flags there (`-mod=mod`, `-race`, `-tags`) would.
 */
export const GO_ENVIRONMENT: Readonly<Record<string, string | undefined>> = {
  CGO_ENABLED: '0',
  GOFLAGS: '',
  GOWORK: 'off',
  GOEXPERIMENT: undefined,
  GOOS: 'linux',
  GOARCH: 'amd64',
  GOAMD64: 'v1',
};

/** The build that gives a program, or undefined if no build does. */
export function buildOf(program: string): GoBuild | undefined {
  return GO_BUILDS.find((build) => build.programs.includes(program));
}
