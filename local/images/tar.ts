// Writes tar streams that depend on nothing but the entries: no times, no user names, no order of the file system.
// Format: POSIX ustar with pax extended headers for what ustar cannot hold (IEEE Std 1003.1, "pax").
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

/** One member of a tar stream. `path` has no leading slash; `mode` holds the permission bits only. */
export type TarEntry = { readonly path: string; readonly mode: number; readonly uid: number; readonly gid: number } & (
  | { readonly type: 'folder' }
  | { readonly type: 'link'; readonly target: string }
  | { readonly type: 'file'; readonly content: Uint8Array | FileContent }
);

/** Content that is read from a file while the stream is written. `size` is in bytes and must still be true then. */
export interface FileContent {
  readonly file: string;
  readonly size: number;
}

const BLOCK = 512;
const CHUNK = 1 << 20;
const READ_AHEAD = 16;
const TYPE_FLAG = { file: '0', link: '2', folder: '5', pax: 'x' } as const;

/** Describes a file on disk as content of an entry. */
export async function fileContent(file: string): Promise<FileContent> {
  return { file, size: (await stat(file)).size };
}

/**
 * Writes the entries in the order of their paths, each once: of entries with the same path the last one stands.
 *
 * @throws when a file has not the size its entry says
 */
export async function* packTar(entries: Iterable<TarEntry>): AsyncGenerator<Uint8Array> {
  // Chunks of one size. Thousands of tiny ones would each cost a hand-over to the compressor, and what zstd makes of a
  // stream depends on where it is cut.
  let buffer = Buffer.allocUnsafe(CHUNK);
  let used = 0;
  for await (const piece of packMembers(entries)) {
    for (let at = 0; at < piece.length; ) {
      const length = Math.min(piece.length - at, CHUNK - used);
      buffer.set(piece.subarray(at, at + length), used);
      at += length;
      used += length;
      if (used < CHUNK) continue;
      yield buffer;
      buffer = Buffer.allocUnsafe(CHUNK);
      used = 0;
    }
  }
  yield buffer.subarray(0, used);
}

async function* packMembers(entries: Iterable<TarEntry>): AsyncGenerator<Uint8Array> {
  const byPath = new Map([...entries].map((entry) => [entry.path, entry] as const));
  // Code unit order, never the locale's; a folder sorts before what is in it.
  const sorted = [...byPath].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  // Thousands of small files are read a few at a time ahead of their turn.
  const ahead: (Promise<Buffer> | undefined)[] = [];
  for (const [index, entry] of sorted.entries()) {
    for (let next = ahead.length; next < Math.min(index + READ_AHEAD, sorted.length); next++) {
      ahead.push(startReading(sorted[next]));
    }
    yield* packEntry(entry, ahead[index]);
    ahead[index] = undefined;
  }
  yield Buffer.alloc(2 * BLOCK);
}

function startReading(entry: TarEntry | undefined): Promise<Buffer> | undefined {
  if (entry?.type !== 'file' || entry.content instanceof Uint8Array || entry.content.size > CHUNK) return undefined;
  const reading = readFile(entry.content.file);
  // An error is thrown when its turn comes; if an earlier one ends the work, nobody asks for this one any more.
  reading.catch(() => undefined);
  return reading;
}

async function* packEntry(entry: TarEntry, early: Promise<Buffer> | undefined): AsyncGenerator<Uint8Array> {
  const name = entry.type === 'folder' ? `${entry.path}/` : entry.path;
  const size = entry.type === 'file' ? contentSize(entry.content) : 0;
  const target = entry.type === 'link' ? entry.target : '';
  const extended = paxRecords({
    ...(fits(name, 100) ? {} : { path: name }),
    ...(fits(target, 100) ? {} : { linkpath: target }),
    ...(size < 8 ** 11 ? {} : { size: String(size) }),
  });
  if (extended.length > 0) {
    yield header({
      name: 'PaxHeader',
      flag: TYPE_FLAG.pax,
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: extended.length,
      target: '',
    });
    yield extended;
    yield padding(extended.length);
  }
  yield header({ name, flag: TYPE_FLAG[entry.type], mode: entry.mode, uid: entry.uid, gid: entry.gid, size, target });
  if (entry.type !== 'file') return;
  if (entry.content instanceof Uint8Array) yield entry.content;
  else yield* readWhole(entry.content, early);
  yield padding(size);
}

async function* readWhole({ file, size }: FileContent, early: Promise<Buffer> | undefined): AsyncGenerator<Uint8Array> {
  if (early !== undefined) {
    const content = await early;
    if (content.length !== size) throw changed(file, content.length, size);
    yield content;
    return;
  }
  let seen = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>) {
    seen += chunk.length;
    yield chunk;
  }
  if (seen !== size) throw changed(file, seen, size);
}

function changed(file: string, seen: number, size: number): Error {
  return new Error(`${file} changed while it was packed (${seen} bytes instead of ${size}): run the command again.`);
}

interface HeaderFields {
  readonly name: string;
  readonly flag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly target: string;
}

function header(fields: HeaderFields): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  block.write(ascii(fields.name), 0, 100, 'latin1');
  block.write(octal(fields.mode, 7), 100);
  block.write(octal(fields.uid, 7), 108);
  block.write(octal(fields.gid, 7), 116);
  block.write(octal(fields.size < 8 ** 11 ? fields.size : 0, 11), 124);
  block.write(octal(0, 11), 136); // modified: the epoch
  block.write(' '.repeat(8), 148); // the checksum counts as blanks while it is computed
  block.write(fields.flag, 156);
  block.write(ascii(fields.target), 157, 100, 'latin1');
  block.write('ustar\u000000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\u0000 `, 148);
  return block;
}

/** Records of a pax extended header: "length key=value\n", where length counts itself. */
function paxRecords(records: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    const restLength = Buffer.byteLength(rest);
    let length = restLength;
    while (length !== restLength + String(length).length) length = restLength + String(length).length;
    return `${length}${rest}`;
  });
  return Buffer.from(lines.join(''));
}

/** ustar fields hold ASCII; the true name then stands in the pax header. */
function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '_').slice(0, 100);
}

function fits(text: string, bytes: number): boolean {
  return text.length <= bytes && /^[\x20-\x7e]*$/.test(text);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function padding(size: number): Uint8Array {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

function contentSize(content: Uint8Array | FileContent): number {
  return content instanceof Uint8Array ? content.length : content.size;
}
