// Bundles one of our services into a single file that an image can carry without node_modules.
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Message } from 'esbuild';

/** Settings of a bundle besides its entry point. */
export interface BundleOptions {
  /** Absolute path of the repository: makes the paths in the bundle the same in every clone. */
  readonly repository: string;
  /** Entry point, relative to the repository. */
  readonly entry: string;
  /**
   * Put what is imported only when it is needed (`await import`) into files of its own, below `parts/`: what is never needed is then never read
   * nor kept in memory. Default: everything in `main.mjs`.
   */
  readonly parts?: boolean;
  /** Absolute path of the folder that gets `main.mjs` and its companions. */
  readonly folder: string;
}

/** Part of every key of a cached bundle: raise it when the settings below change. */
export const BUNDLE_SETTINGS = 'esbuild 2';

/**
 * Modules that are resolved when the service runs: node-llama-cpp lies beside the model, outside of the bundle; the
 * rest are optional speed-ups of ws and pg, which do without.
 */
const EXTERNAL = ['node-llama-cpp', 'bufferutil', 'utf-8-validate', 'pg-native'];

/**
 * Packages that are still CommonJS call `require` for Node's own modules, and some read `__dirname`; an ES module has
 * neither.
 */
const BANNER = [
  "import { createRequire as assistantCreateRequire } from 'node:module';",
  'const require = assistantCreateRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

/**
 * Writes `main.mjs`, the licence texts of what is in it (`main.mjs.LEGAL.txt`) and a source map for people who read
 * stack traces (`main.mjs.map`; images leave it out). Names are kept and nothing is minified, so that a stack trace of
 * a running pod can be read as it is.
 *
 * @throws when the sources do not bundle; the message has every problem as `file:line: text`
 */
export async function bundleService(options: BundleOptions): Promise<void> {
  await mkdir(options.folder, { recursive: true });
  const result = await build({
    absWorkingDir: options.repository,
    entryPoints: { main: options.entry },
    outdir: options.folder,
    outExtension: { '.js': '.mjs' },
    splitting: options.parts ?? false,
    chunkNames: `${PARTS}/[name]-[hash]`,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: EXTERNAL,
    banner: { js: BANNER },
    keepNames: true,
    legalComments: 'external',
    sourcemap: 'external',
    sourcesContent: false,
    metafile: false,
    logLevel: 'silent',
  }).catch((error: unknown) => {
    const messages = error instanceof Error && 'errors' in error ? (error.errors as Message[]) : [];
    if (messages.length === 0) throw error;
    throw new Error(
      `${options.entry} does not bundle:\n${messages.map((message) => `  ${describe(message)}`).join('\n')}`,
      { cause: error },
    );
  });
  if (options.parts === true) await putMapsApart(options.folder);
  if (result.warnings.length > 0) {
    throw new Error(
      `${options.entry} bundles with warnings, which fail at run time more often than not:\n${result.warnings.map((message) => `  ${describe(message)}`).join('\n')}`,
    );
  }
}

const PARTS = 'parts';

/** Images copy the folder of the parts as it is, without the source maps. */
async function putMapsApart(folder: string): Promise<void> {
  await mkdir(join(folder, PARTS), { recursive: true });
  await mkdir(join(folder, 'maps'), { recursive: true });
  for (const file of await readdir(join(folder, PARTS))) {
    if (file.endsWith('.map')) await rename(join(folder, PARTS, file), join(folder, 'maps', file));
  }
}

function describe(message: Message): string {
  const at = message.location;
  return at === null ? message.text : `${at.file}:${at.line}: ${message.text}`;
}
