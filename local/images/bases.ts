// Stands in for the two base images that our Containerfiles name, where no registry can be reached: the C library and
// a shell of this machine, and the Node.js binary from npm. Smaller than the originals; what they hold beyond this
// (package manager, coreutils, certificates, time zones) our images must not use, so that both bases serve.
import { execFile } from 'node:child_process';
import { access, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Fingerprints, hashText } from './fingerprint.ts';
import { ensureLayer, type Layer } from './layers.ts';
import type { ContainerConfig } from './plan.ts';
import { fileContent, type TarEntry } from './tar.ts';

/** Base references that need no registry, with what stands in for them. */
export const BASES = {
  'docker.io/library/debian:bookworm-slim': 'debian',
  'docker.io/library/node:24-bookworm-slim': 'node',
} as const;

/** One of the stand-ins. */
export type BaseKind = (typeof BASES)[keyof typeof BASES];

/** What an image starts from. */
export interface Base {
  readonly layers: readonly Layer[];
  readonly config: ContainerConfig;
}

/** A base whose parts were found on this machine; its layers are made only when an image needs them. */
export interface BaseSource {
  /** Changes when the base would change. */
  readonly key: string;
  /** Makes the layers or finds them in `store`. */
  readonly layers: (store: string) => Promise<Layer[]>;
  readonly config: ContainerConfig;
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const run = promisify(execFile);

/** Libraries that Debian's slim image has and that programs of the packages link besides those of Node.js. */
const EXTRA_LIBRARIES = ['libz.so.1', 'libdl.so.2', 'libpthread.so.0', 'librt.so.1', 'libresolv.so.2', 'libutil.so.1'];
/** Name service modules: part of libc since glibc 2.34, files of their own before. */
const NAME_SERVICE = ['libnss_files.so.2', 'libnss_dns.so.2'];

/**
 * Finds the parts of both bases.
 *
 * @param nodeBinary - the Node.js 24 program to put into images
 * @param prints - content hashes
 * @throws when this machine lacks a part, naming it
 */
export async function findBases(nodeBinary: string, prints: Fingerprints): Promise<Record<BaseKind, BaseSource>> {
  const shell = await findShell();
  const libraries = await findLibraries([nodeBinary, shell]);
  const version = (await run(nodeBinary, ['--version'])).stdout.trim().replace(/^v/, '');

  const files: readonly (readonly [path: string, source: string, mode: number])[] = [
    ...[...libraries].map(([path, source]) => [path, source, 0o755] as const),
    ['/bin/sh', shell, 0o755],
  ];
  const hashes = await Promise.all(files.map(async ([path, source]) => `${path} ${await prints.file(source)}`));
  const debianKey = hashText(['debian', ...hashes.toSorted()].join('\n'));
  const debianLayer = async (store: string): Promise<Layer> => {
    const entries: TarEntry[] = [
      ...(await Promise.all(files.map(([path, source, mode]) => diskFile(path, source, mode)))),
      textFile('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n'),
      textFile('/etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
      textFile('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
      folder('/tmp', 0o1777),
      folder('/var/tmp', 0o1777),
      folder('/root', 0o700),
      ...['/proc', '/sys', '/dev', '/run', '/usr/local/bin', '/usr/bin', '/var/lib'].map((path) => folder(path, 0o755)),
    ];
    return await ensureLayer(store, withParents(entries), 'base: C library and shell of the building machine');
  };
  const nodeKey = hashText(['node', debianKey, await prints.file(nodeBinary)].join('\n'));
  const nodeLayer = async (store: string): Promise<Layer> => {
    const entries: TarEntry[] = [
      await diskFile('/usr/local/bin/node', nodeBinary, 0o755),
      textFile(
        '/etc/passwd',
        'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000:node:/home/node:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
      ),
      textFile('/etc/group', 'root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n'),
      { ...folder('/home/node', 0o755), uid: 1000, gid: 1000 },
    ];
    return await ensureLayer(store, withParents(entries), `base: Node.js ${version}`);
  };
  return {
    debian: { key: debianKey, config: { Env: [PATH] }, layers: async (store) => [await debianLayer(store)] },
    node: {
      key: nodeKey,
      config: { Env: [PATH, `NODE_VERSION=${version}`], Cmd: ['node'] },
      layers: async (store) => await Promise.all([debianLayer(store), nodeLayer(store)]),
    },
  };
}

async function findShell(): Promise<string> {
  for (const path of ['/bin/dash', '/usr/bin/dash', '/bin/sh']) {
    if (await exists(path)) return await realpath(path);
  }
  throw new Error('There is no /bin/sh on this machine; images need one. Install dash.');
}

/** Path in the image (as the dynamic loader looks for it) to file on this machine. */
async function findLibraries(programs: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const program of programs) {
    const { stdout } = await run('ldd', [program]).catch((cause: unknown) => {
      throw new Error(
        `ldd cannot say which libraries ${program} needs; images are built from the C library (glibc) of this machine.`,
        { cause },
      );
    });
    const missing = /^\s*(\S+) => not found/m.exec(stdout)?.[1];
    if (missing !== undefined)
      throw new Error(`${program} needs ${missing}, which this machine lacks. Install the package that has it.`);
    for (const match of stdout.matchAll(/(\/\S+) \(0x/g)) {
      if (match[1] !== undefined) found.set(match[1], await realpath(match[1]));
    }
  }
  const libc = [...found.keys()].find((path) => /\/libc\.so\.6$/.test(path));
  if (libc === undefined)
    throw new Error(
      'The C library of this machine is not glibc (no libc.so.6): Debian, Ubuntu, Fedora and the like have it.',
    );
  for (const name of [...EXTRA_LIBRARIES, ...NAME_SERVICE]) {
    const beside = [join(dirname(libc), name), join('/usr', dirname(libc), name)];
    const source = (await Promise.all(beside.map(async (path) => ((await exists(path)) ? path : undefined)))).find(
      Boolean,
    );
    if (source !== undefined) found.set(join(dirname(libc), name), await realpath(source));
    else if (!NAME_SERVICE.includes(name))
      throw new Error(`This machine lacks ${name} (looked in ${dirname(libc)}); Debian has it in libc6 and zlib1g.`);
  }
  return found;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

async function diskFile(path: string, source: string, mode: number): Promise<TarEntry> {
  return { type: 'file', path: path.slice(1), mode, uid: 0, gid: 0, content: await fileContent(source) };
}

function textFile(path: string, text: string): TarEntry {
  return { type: 'file', path: path.slice(1), mode: 0o644, uid: 0, gid: 0, content: Buffer.from(text) };
}

function folder(path: string, mode: number): TarEntry {
  return { type: 'folder', path: path.slice(1), mode, uid: 0, gid: 0 };
}

/** Adds the folders above each entry that nothing names, owned by root. */
export function withParents(entries: readonly TarEntry[]): TarEntry[] {
  const all = new Map(entries.map((entry) => [entry.path, entry] as const));
  for (const { path } of entries) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const parent = path.slice(0, at);
      if (!all.has(parent)) all.set(parent, folder(`/${parent}`, 0o755));
    }
  }
  return [...all.values()];
}

/** The Node.js version of the base: from the package that carries the binary. */
export async function nodeBinaryOf(repository: string): Promise<string> {
  const folder = join(repository, 'node_modules', `node-linux-${process.arch}`);
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  if (!/^v?24\./.test(manifest.version))
    throw new Error(`${folder} holds Node.js ${manifest.version}; images need 24. Run npm ci.`);
  return join(folder, 'bin', 'node');
}
