import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unzip } from './unzip.ts';

interface Entry {
  readonly name: string;
  readonly content: string;
  readonly mode?: number;
  readonly stored?: boolean;
  readonly crc?: number;
}

/** Writes a zip archive by APPNOTE.TXT, independently of the reader. */
function zip(entries: readonly Entry[], comment = ''): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const content = Buffer.from(entry.content);
    const packed = entry.stored === true ? content : deflateRawSync(content);
    const name = Buffer.from(entry.name);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(entry.stored === true ? 0 : 8, 4);
    shared.writeUInt32LE(entry.crc ?? crc32(content), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(content.length, 18);
    shared.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), shared, name, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), shared, rest, name]));
    locals.push(local);
    offset += local.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...locals, ...directory, end, Buffer.from(comment)]);
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unzip-test-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function archive(bytes: Buffer): Promise<string> {
  const path = join(folder, 'archive.whl');
  await writeFile(path, bytes);
  return path;
}

describe('unzip', () => {
  it('unpacks compressed and stored files with their modes, but never writable for others', async () => {
    const text = 'x'.repeat(10_000);
    const entries = [
      { name: 'bin/', content: '', mode: 0o40755 },
      { name: 'bin/server', content: text, mode: 0o100777 },
      { name: 'deep/er/LICENSE', content: 'MIT', stored: true },
      { name: 'empty', content: '' },
    ];
    expect(await unzip(await archive(zip(entries, 'a comment')), join(folder, 'out'))).toBe(3);
    expect(await readFile(join(folder, 'out/bin/server'), 'utf8')).toBe(text);
    expect((await stat(join(folder, 'out/bin/server'))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(folder, 'out/deep/er/LICENSE'), 'utf8')).toBe('MIT');
    expect((await stat(join(folder, 'out/deep/er/LICENSE'))).mode & 0o777).toBe(0o644);
    expect((await stat(join(folder, 'out/empty'))).size).toBe(0);
  });

  it('unpacks only what is wanted', async () => {
    const path = await archive(
      zip([
        { name: 'include/a.h', content: 'a' },
        { name: 'bin/a', content: 'b' },
      ]),
    );
    expect(await unzip(path, join(folder, 'out'), (name) => !name.startsWith('include/'))).toBe(1);
    await expect(stat(join(folder, 'out/include'))).rejects.toThrow('ENOENT');
  });

  it.each<[string, readonly Entry[], string]>([
    ['a path that climbs out', [{ name: '../evil', content: 'x' }], 'lies outside'],
    ['an absolute path', [{ name: '/etc/evil', content: 'x' }], 'lies outside'],
    ['a symbolic link', [{ name: 'link', content: '/etc/passwd', mode: 0o120777 }], 'symbolic link'],
    ['a wrong checksum', [{ name: 'a', content: 'x', crc: 1 }], 'checksum of a is wrong'],
  ])('refuses %s', async (_what, entries, message) => {
    await expect(unzip(await archive(zip(entries)), join(folder, 'out'))).rejects.toThrow(message);
  });

  it('refuses an archive that was cut off, or is none', async () => {
    const whole = zip([{ name: 'a', content: 'x'.repeat(1000) }]);
    await expect(unzip(await archive(whole.subarray(0, whole.length - 30)), folder)).rejects.toThrow('no end record');
    await expect(unzip(await archive(Buffer.from('<html>not found</html>')), folder)).rejects.toThrow('no end record');
  });
});
