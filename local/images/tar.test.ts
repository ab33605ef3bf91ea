import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packTar, type TarEntry } from './tar.ts';

const run = promisify(execFile);
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tar-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function pack(entries: TarEntry[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of packTar(entries)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const file = (path: string, text: string, mode = 0o644): TarEntry => ({
  type: 'file',
  path,
  mode,
  uid: 1000,
  gid: 1001,
  content: Buffer.from(text),
});
const LONG = `deep/${'folder/'.repeat(20)}${'n'.repeat(120)}.txt`;
const ENTRIES: TarEntry[] = [
  file('b.txt', 'second'),
  file('a.txt', 'first', 0o755),
  file('ünïcode/näme.txt', 'third'),
  file(LONG, 'fourth'),
  { type: 'folder', path: 'empty', mode: 0o1777, uid: 0, gid: 0 },
  { type: 'link', path: 'link', mode: 0o777, uid: 0, gid: 0, target: 'a.txt' },
];

test('what it writes, tar(1) unpacks', async () => {
  await writeFile(join(folder, 'x.tar'), await pack(ENTRIES));
  const { stdout } = await run('tar', ['--numeric-owner', '-tvf', 'x.tar'], { cwd: folder });
  expect(stdout).toContain('-rwxr-xr-x 1000/1001');
  expect(stdout).toContain('drwxrwxrwt 0/0');
  await run('tar', ['-xf', 'x.tar', '--no-same-owner'], { cwd: folder });
  expect(await readFile(join(folder, 'b.txt'), 'utf8')).toBe('second');
  expect(await readFile(join(folder, 'ünïcode/näme.txt'), 'utf8')).toBe('third');
  expect(await readFile(join(folder, LONG), 'utf8')).toBe('fourth');
  expect(await readlink(join(folder, 'link'))).toBe('a.txt');
  const unpacked = await stat(join(folder, 'a.txt'));
  expect([unpacked.mode & 0o777, unpacked.mtimeMs]).toEqual([0o755, 0]);
});

test('the bytes do not depend on the order of the entries', async () => {
  expect(await pack(ENTRIES.toReversed())).toEqual(await pack(ENTRIES));
});

test('of two entries with one path the last stands', async () => {
  expect(await pack([file('a', 'old'), file('a', 'new')])).toEqual(await pack([file('a', 'new')]));
});

test('a file that is no longer as long as its entry says is an error', async () => {
  const path = join(folder, 'grown');
  await writeFile(path, 'four');
  const entry: TarEntry = {
    type: 'file',
    path: 'grown',
    mode: 0o644,
    uid: 0,
    gid: 0,
    content: { file: path, size: 3 },
  };
  await expect(pack([entry])).rejects.toThrow('changed while it was packed (4 bytes instead of 3)');
});

test('chunks have one size, whatever the sizes of the files', async () => {
  const sizes: number[] = [];
  const entries = [file('a', 'x'.repeat(700_000)), file('b', 'y'.repeat(1_900_000)), file('c', 'z')];
  for await (const chunk of packTar(entries)) sizes.push(chunk.length);
  expect(sizes.slice(0, -1)).toEqual([1 << 20, 1 << 20]);
});
