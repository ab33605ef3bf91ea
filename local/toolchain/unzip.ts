/**
 * Unpacks zip archives (Python wheels are such) with the modes that they record, which Python's own zipfile loses.
 * Format: APPNOTE.TXT of PKWARE, sections 4.3 and 4.4.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';

const inflate = promisify(inflateRaw);

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly mode: number;
  readonly headerOffset: number;
}

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const ZIP64 = 0xffffffff;
const STORED = 0;
const DEFLATED = 8;

/**
 * Unpacks an archive into a folder.
 * @param wanted says by its path in the archive whether an entry is unpacked.
 * @returns the number of files written.
 * @throws when the archive is damaged, uses a feature that packages do not need (encryption, zip64, symbolic links), or
 *   names a path outside the folder.
 */
export async function unzip(
  archive: string,
  folder: string,
  wanted: (path: string) => boolean = () => true,
): Promise<number> {
  const bytes = await readFile(archive);
  const entries = readDirectory(bytes, archive).filter((entry) => !entry.name.endsWith('/') && wanted(entry.name));
  for (const entry of entries) {
    const target = join(folder, safePath(entry.name, archive));
    await mkdir(dirname(target), { recursive: true });
    const content = await readEntry(bytes, entry, archive);
    // Nobody but the owner may write what will be run; who may read and run it is kept.
    await writeFile(target, content, { mode: entry.mode === 0 ? 0o644 : entry.mode & 0o755 });
  }
  return entries.length;
}

function readDirectory(bytes: Buffer, archive: string): Entry[] {
  const end = findEnd(bytes, archive);
  const count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  const entries: Entry[] = [];
  for (let index = 0; index < count; index += 1) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== DIRECTORY_ENTRY) {
      throw damaged(archive, `entry ${index + 1} of ${count} of its directory is not where it should be`);
    }
    const nameLength = bytes.readUInt16LE(at + 28);
    const entry: Entry = {
      name: bytes.toString('utf8', at + 46, at + 46 + nameLength),
      method: bytes.readUInt16LE(at + 10),
      crc: bytes.readUInt32LE(at + 16),
      compressedSize: bytes.readUInt32LE(at + 20),
      size: bytes.readUInt32LE(at + 24),
      // The upper half of the external attributes is the Unix mode; its file type must be a regular file or absent.
      mode: (bytes.readUInt32LE(at + 38) >>> 16) & 0o777,
      headerOffset: bytes.readUInt32LE(at + 42),
    };
    const type = (bytes.readUInt32LE(at + 38) >>> 28) & 0o17;
    if (type === 0o12) throw damaged(archive, `${entry.name} is a symbolic link, which is not supported`);
    if ((bytes.readUInt16LE(at + 8) & 1) === 1) throw damaged(archive, `${entry.name} is encrypted`);
    if ([entry.size, entry.compressedSize, entry.headerOffset].includes(ZIP64)) {
      throw damaged(archive, `${entry.name} is larger than 4 GiB (zip64), which is not supported`);
    }
    entries.push(entry);
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

/** The end record is 22 bytes and a comment of at most 65,535; it is searched from the end. */
function findEnd(bytes: Buffer, archive: string): number {
  for (let at = bytes.length - 22; at >= Math.max(0, bytes.length - 22 - 0xffff); at -= 1) {
    if (bytes.readUInt32LE(at) === END_OF_DIRECTORY) return at;
  }
  throw damaged(archive, 'it has no end record, so it is cut off or no zip archive');
}

async function readEntry(bytes: Buffer, entry: Entry, archive: string): Promise<Buffer> {
  const header = entry.headerOffset;
  if (header + 30 > bytes.length || bytes.readUInt32LE(header) !== LOCAL_HEADER) {
    throw damaged(archive, `${entry.name} is not where the directory says`);
  }
  const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
  const packed = bytes.subarray(start, start + entry.compressedSize);
  const content = await unpack(packed, entry, archive);
  if (content.length !== entry.size || crc32(content) !== entry.crc) {
    throw damaged(archive, `the checksum of ${entry.name} is wrong`);
  }
  return content;
}

async function unpack(packed: Buffer, entry: Entry, archive: string): Promise<Buffer> {
  if (entry.method === STORED) return packed;
  if (entry.method !== DEFLATED) throw damaged(archive, `${entry.name} uses compression method ${entry.method}`);
  return inflate(packed).catch((cause: unknown) => {
    throw damaged(archive, `${entry.name} cannot be decompressed`, cause);
  });
}

function safePath(name: string, archive: string): string {
  if (isAbsolute(name) || name.includes('\\') || name.split('/').includes('..')) {
    throw damaged(archive, `it names the path ${JSON.stringify(name)}, which lies outside`);
  }
  return name;
}

function damaged(archive: string, why: string, cause?: unknown): Error {
  return new Error(`Cannot unpack ${archive}: ${why}.`, { cause });
}
