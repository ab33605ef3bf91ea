// Resolves the parts of a build context: what they are identified by, and where they lie on disk.
import { access, appendFile, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ensureFolder } from '../toolchain/cache.ts';
import { BUNDLE_SETTINGS, bundleService } from './bundle.ts';
import type { Source } from './catalogue.ts';
import type { Mount } from './contexts.ts';
import { type Fingerprints, hashText } from './fingerprint.ts';

/** What images are made from on this machine; tests give their own. */
export interface ImageEnvironment {
  /** Absolute path of the repository. */
  readonly repository: string;
  /** Folder of the cache for images. */
  readonly cache: string;
  /** Absolute path of the unpacked package of this name, whose path says its content. */
  readonly packageFolder: (name: Extract<Source, { kind: 'package' }>['package']) => Promise<string>;
  /** Absolute path of the compiled program of this name. */
  readonly binary: (name: Extract<Source, { kind: 'binary' }>['binary']) => Promise<string>;
  /** Absolute path of the Node.js 24 program for images. */
  readonly nodeBinary: string;
}

/** A part of a context, found. */
export interface ResolvedSource {
  /** Changes when the files may have changed. */
  readonly key: string;
  /** Makes what has to be made (bundles) and says where the files lie. */
  readonly mounts: () => Promise<Mount[]>;
}

/** Finds one part of a context. */
export async function resolveSource(
  source: Source,
  environment: ImageEnvironment,
  prints: Fingerprints,
): Promise<ResolvedSource> {
  switch (source.kind) {
    case 'tree': {
      const from = join(environment.repository, source.path);
      return {
        key: `tree ${source.to} ${await prints.file(from)}`,
        mounts: () => Promise.resolve([{ from, to: source.to }]),
      };
    }
    case 'binary': {
      const from = await environment.binary(source.binary);
      return {
        key: `binary ${source.to} ${await prints.file(from)}`,
        mounts: () => Promise.resolve([{ from, to: source.to, mode: 0o755 }]),
      };
    }
    case 'package': {
      const folder = await environment.packageFolder(source.package);
      const from = join(folder, source.path);
      const leaveOut = source.leaveOut ?? [];
      // The folder's name holds the hash of the package, so its files need not be read.
      const key = [
        'package',
        source.to,
        basename(folder),
        source.path,
        source.mode ?? '',
        ...leaveOut.map(String),
      ].join(' ');
      return {
        key,
        mounts: () =>
          Promise.resolve([
            { from, to: source.to, leaveOut, ...(source.mode === undefined ? {} : { mode: source.mode }) },
          ]),
      };
    }
    case 'bundle': {
      const watched = await Promise.all(source.watch.map((path) => watchedKey(path, environment, prints)));
      const key = hashText([BUNDLE_SETTINGS, source.entry, ...watched].join('\n'));
      return {
        key: `bundle ${key}`,
        mounts: async () => [{ from: await ensureBundle(source, key, environment), to: 'dist' }],
      };
    }
  }
}

async function watchedKey(path: string, environment: ImageEnvironment, prints: Fingerprints): Promise<string> {
  const full = join(environment.repository, path);
  return path.includes('.') ? await prints.file(full) : await prints.folder(full, isSource);
}

/** Tests, tools and what was built do not reach a bundle. */
export function isSource(path: string): boolean {
  return !/(^|\/)(node_modules|dist|testdata|cli|dashboard)$|\.test\.ts$|\.md$|(^|\/)Containerfile$/.test(path);
}

async function ensureBundle(
  { entry, parts = false }: { readonly entry: string; readonly parts?: boolean },
  key: string,
  environment: ImageEnvironment,
): Promise<string> {
  const bundle = await ensureFolder(join(environment.cache, 'bundles', key), async (folder) => {
    const path = join(environment.repository, entry);
    await access(path).catch((cause: unknown) => {
      throw new Error(`${entry} does not exist: there is nothing to put into the image.`, { cause });
    });
    await bundleService({ repository: environment.repository, entry, folder, parts });
    // Containerfiles copy it by name; esbuild writes it only when a package carries such a text.
    const legal = join(folder, 'main.mjs.LEGAL.txt');
    await appendFile(legal, '');
  });
  const now = new Date();
  await utimes(bundle, now, now);
  return bundle;
}
