// Says whether inputs are what they were, fast: small files by their content, large ones by a remembered content hash.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeAtomically } from '../cluster/state-file.ts';

/** Above this many bytes a file's hash is remembered under its path, size, inode and times. */
const LARGE = 1 << 20;

/** Hex SHA-256 of a text or of bytes. */
export function hashText(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Hashes files and remembers what it found in a file of the cache. */
export class Fingerprints {
  readonly #memory: string;
  readonly #known = new Map<string, { readonly stamp: string; readonly digest: string }>();
  #changed = false;

  private constructor(memory: string) {
    this.#memory = memory;
  }

  /** Opens the memory; one that is absent or damaged is simply empty, since everything in it can be found again. */
  static async open(memory: string): Promise<Fingerprints> {
    const prints = new Fingerprints(memory);
    const text = await readFile(memory, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
      throw error;
    });
    for (const line of text.split('\n')) {
      const [digest, stamp, path] = line.split('\t');
      if (digest !== undefined && stamp !== undefined && path !== undefined) prints.#known.set(path, { stamp, digest });
    }
    return prints;
  }

  /** Hex SHA-256 of a file's content. */
  async file(path: string): Promise<string> {
    const found = await stat(path, { bigint: true });
    if (found.size < LARGE) return hashText(await readFile(path));
    const stamp = [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ');
    const known = this.#known.get(path);
    if (known?.stamp === stamp) return known.digest;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>)
      hash.update(chunk);
    const digest = hash.digest('hex');
    this.#known.set(path, { stamp, digest });
    this.#changed = true;
    return digest;
  }

  /**
   * Hex SHA-256 over the files of a folder: their relative paths and contents.
   *
   * @param folder - absolute path
   * @param counts - says of a path relative to `folder` whether it counts; a folder that does not is not entered
   */
  async folder(folder: string, counts: (path: string) => boolean): Promise<string> {
    const hash = createHash('sha256');
    const walk = async (relative: string): Promise<void> => {
      const entries = await readdir(join(folder, relative), { withFileTypes: true });
      for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
        const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
        if (!counts(path)) continue;
        if (entry.isDirectory()) await walk(path);
        else if (entry.isFile()) hash.update(`${path}\0${await this.file(join(folder, path))}\n`);
      }
    };
    await walk('');
    return hash.digest('hex');
  }

  /** Writes the memory if something new was found. */
  async save(): Promise<void> {
    if (!this.#changed) return;
    await mkdir(dirname(this.#memory), { recursive: true });
    const lines = [...this.#known].map(([path, { stamp, digest }]) => `${digest}\t${stamp}\t${path}\n`);
    await writeAtomically(this.#memory, lines.join(''));
    this.#changed = false;
  }
}
