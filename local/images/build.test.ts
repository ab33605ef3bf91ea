// The whole way from a Containerfile to an archive, on a small repository of its own and in a cache of its own.
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BaseKind, type BaseSource } from './bases.ts';
import { type BuiltImage, ensureImage, imageContext, imageInputs } from './build.ts';
import type { ImageDefinition, Source } from './catalogue.ts';
import { writeContext } from './contexts.ts';
import { Fingerprints } from './fingerprint.ts';
import { ensureLayer } from './layers.ts';
import type { ImageEnvironment } from './sources.ts';

const run = promisify(execFile);
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'images-test-'));
  const repository = join(root, 'repository');
  await mkdir(join(repository, 'app'), { recursive: true });
  await writeFile(join(repository, 'Containerfile'), CONTAINERFILE);
  await writeFile(join(repository, 'app', 'main.ts'), "import { word } from './word.ts';\nconsole.log(word);\n");
  await writeFile(join(repository, 'app', 'word.ts'), "export const word: string = 'hello';\n");
  await writeFile(join(repository, 'app', 'word.test.ts'), '// not part of the bundle\n');
  await writeFile(join(repository, 'notes.txt'), 'notes');
});
afterEach(() => rm(root, { recursive: true }));

const CONTAINERFILE = `FROM docker.io/library/debian:bookworm-slim
ARG VERSION=0.1.0
ENV V=\${VERSION}
COPY dist/main.mjs /app/
COPY --chown=1000:1000 notes.txt /data/deep/n.txt
USER 1000:1000
`;
const SOURCES: Source[] = [
  { kind: 'bundle', entry: 'app/main.ts', watch: ['app'] },
  { kind: 'tree', path: 'notes.txt', to: 'notes.txt' },
];

const repository = (): string => join(root, 'repository');
const definition = (version = '0.1.0'): ImageDefinition => ({
  name: 'chat',
  version,
  summary: '',
  containerfile: 'Containerfile',
  sources: SOURCES,
});
const base: BaseSource = {
  key: 'a base',
  config: { Env: ['PATH=/bin'] },
  layers: async (store) => [
    await ensureLayer(store, [{ type: 'folder', path: 'tmp', mode: 0o1777, uid: 0, gid: 0 }], 'base'),
  ],
};
const bases: Record<BaseKind, BaseSource> = { debian: base, node: base };

async function build(cache = 'cache', version?: string): Promise<BuiltImage> {
  const environment: ImageEnvironment = {
    repository: repository(),
    cache: join(root, cache),
    packageFolder: () => Promise.reject(new Error('no packages in this test')),
    binary: () => Promise.reject(new Error('no programs in this test')),
    nodeBinary: process.execPath,
  };
  const prints = await Fingerprints.open(join(root, cache, 'hashes'));
  const inputs = await imageInputs(definition(version), environment, bases, prints);
  const image = await ensureImage(inputs, environment, () => undefined);
  await prints.save();
  return image;
}

interface Index {
  readonly manifests: readonly { readonly digest: string; readonly annotations: Readonly<Record<string, string>> }[];
}
interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

describe('an archive', () => {
  test('is the same, byte for byte, when it is built again elsewhere', async () => {
    const first = await build('cache-a');
    // Another clone: other times, other permissions, another place.
    await cp(repository(), join(root, 'copy'), { recursive: true });
    await rm(repository(), { recursive: true });
    await cp(join(root, 'copy'), repository(), { recursive: true });
    await chmod(join(repository(), 'notes.txt'), 0o600);
    const second = await build('cache-b');
    expect(second.digest).toBe(first.digest);
    expect(await readFile(second.archive)).toEqual(await readFile(first.archive));
  });

  test('holds what the Containerfile says', async () => {
    const { archive, ref } = await build();
    const folder = join(root, 'unpacked');
    await mkdir(folder);
    await run('tar', ['-xf', archive, '-C', folder]);
    const blob = async (digest: string) => await readFile(join(folder, 'blobs', 'sha256', digest.slice(7)));
    const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as Index;
    expect(index.manifests[0]!.annotations['io.containerd.image.name']).toBe(ref);
    const manifest = JSON.parse((await blob(index.manifests[0]!.digest)).toString()) as Manifest;
    const config = JSON.parse((await blob(manifest.config.digest)).toString()) as { config: object };
    expect(config.config).toMatchObject({ Env: ['PATH=/bin', 'V=0.1.0'], User: '1000:1000' });
    expect(manifest.layers).toHaveLength(3);
    const members: string[] = [];
    for (const layer of manifest.layers) {
      await writeFile(join(folder, 'layer.tar'), zstdDecompressSync(await blob(layer.digest)));
      const { stdout } = await run('tar', ['--numeric-owner', '-tvf', join(folder, 'layer.tar')]);
      members.push(...stdout.trim().split('\n'));
    }
    const short = members.map((line) => line.replace(/\s+\d+ 1970-01-01 \d\d:\d\d /, ' '));
    expect(short).toEqual([
      'drwxrwxrwt 0/0 tmp/',
      'drwxr-xr-x 0/0 app/',
      '-rw-r--r-- 0/0 app/main.mjs',
      'drwxr-xr-x 0/0 data/',
      'drwxr-xr-x 0/0 data/deep/',
      '-rw-r--r-- 1000/1000 data/deep/n.txt',
    ]);
  });

  test('has the version in it, so that two releases of one source are two images', async () => {
    const [a, b] = [await build('cache', '1.0.0'), await build('cache', '1.1.0')];
    expect(a.digest).not.toBe(b.digest);
    expect([a.ref, b.ref]).toEqual(['localhost/assistant/chat:1.0.0', 'localhost/assistant/chat:1.1.0']);
  });
});

describe('the cache', () => {
  test('is used as long as no input changed', async () => {
    expect((await build()).cached).toBe(false);
    expect((await build()).cached).toBe(true);
  });

  test.each([
    ['a source of the bundle', 'app/word.ts', "export const word: string = 'bye';\n"],
    ['a copied file', 'notes.txt', 'other notes'],
    ['the Containerfile', 'Containerfile', `${CONTAINERFILE}EXPOSE 80\n`],
  ])('is not used when %s changed', async (_what, path, content) => {
    const before = await build();
    await writeFile(join(repository(), path), content);
    const after = await build();
    expect(after.cached).toBe(false);
    expect(after.digest).not.toBe(before.digest);
  });

  test('is used when only a test or a time changed', async () => {
    await build();
    await writeFile(join(repository(), 'app', 'word.test.ts'), '// another test\n');
    await utimes(join(repository(), 'notes.txt'), 1, 1);
    expect((await build()).cached).toBe(true);
  });

  test('gives the same image when a change does not reach the bundle', async () => {
    const before = await build();
    await writeFile(join(repository(), 'app', 'unused.ts'), 'export {};\n');
    const after = await build();
    expect([after.cached, after.digest]).toEqual([false, before.digest]);
  });

  test('keeps the last four builds of an image', async () => {
    for (let edit = 0; edit < 6; edit++) {
      await writeFile(join(repository(), 'notes.txt'), `edit ${edit}`);
      await build();
    }
    const built = await readdir(join(root, 'cache', 'built'), { withFileTypes: true });
    expect(built.filter((entry) => entry.isDirectory())).toHaveLength(4);
    expect((await build()).cached).toBe(true);
  });

  test('is left clean by a build that failed', async () => {
    await rm(join(repository(), 'notes.txt'));
    await mkdir(join(repository(), 'notes.txt'));
    await expect(build()).rejects.toThrow('EISDIR');
    await rm(join(repository(), 'notes.txt'), { recursive: true });
    await writeFile(join(repository(), 'app', 'word.ts'), 'export const wrong: string = 1 +;\n');
    await writeFile(join(repository(), 'notes.txt'), 'notes');
    await expect(build()).rejects.toThrow(/app\/main\.ts does not bundle:\n {2}app\/word\.ts:1: /);
    await writeFile(join(repository(), 'app', 'word.ts'), "export const word: string = 'hello';\n");
    expect((await build()).cached).toBe(false);
  });
});

test('a context written for docker holds what COPY names', async () => {
  const environment: ImageEnvironment = {
    repository: repository(),
    cache: join(root, 'cache'),
    packageFolder: () => Promise.reject(new Error('no packages in this test')),
    binary: () => Promise.reject(new Error('no programs in this test')),
    nodeBinary: process.execPath,
  };
  const prints = await Fingerprints.open(join(root, 'cache', 'hashes'));
  const inputs = await imageInputs(definition(), environment, bases, prints);
  const target = join(root, 'context');
  await mkdir(target);
  await writeContext(await imageContext(inputs), target);
  expect(await readFile(join(target, 'notes.txt'), 'utf8')).toBe('notes');
  const { stdout } = await run(process.execPath, [join(target, 'dist', 'main.mjs')]);
  expect(stdout).toBe('hello\n');
});
