// A tar archive (POSIX.1-1988 ustar), packed with gzip: enough of the format for a few hundred text files, without a dependency.
import { gzipSync } from 'node:zlib';

/** One file. */
export interface ArchiveFile {
  /** Relative, with slashes. */
  readonly path: string;
  readonly content: string;
}

const BLOCK = 512;

/**
 * Packs files.
 * @param modifiedAt epoch milliseconds, of all files.
 * @throws RangeError when a path does not fit into the format (100 characters, or 155 of folders and 100 of the rest).
 */
export function tarGz(files: readonly ArchiveFile[], modifiedAt: number): Buffer {
  const parts = files.flatMap(({ path, content }) => {
    const body = Buffer.from(content, 'utf8');
    const padding = Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK);
    return [header(path, body.length, Math.floor(modifiedAt / 1000)), body, padding];
  });
  // Two empty blocks end an archive.
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]));
}

function header(path: string, size: number, seconds: number): Buffer {
  const { name, prefix } = split(path);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  block.write(name, 0, 100);
  block.write(octal(0o600, 7), 100);
  block.write(octal(0, 7), 108); // owner and group: nobody in particular
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(seconds, 11), 136);
  block.write(' '.repeat(8), 148); // the checksum counts as spaces while it is computed
  block.write('0', 156); // a regular file
  block.write('ustar\u000000', 257);
  block.write(prefix, 345, 155);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\u0000 `, 148);
  return block;
}

function split(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const prefix = path.slice(0, slash);
    const name = path.slice(slash + 1);
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return { name, prefix };
  }
  throw new RangeError(`the path ${path} is too long for an archive`);
}
