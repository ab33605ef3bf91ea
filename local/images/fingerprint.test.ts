import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fingerprints } from './fingerprint.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fingerprint-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('several in one process may save at the same moment: a start builds the cluster’s images beside the others', async () => {
  const large = join(folder, 'large');
  await writeFile(large, Buffer.alloc(2 << 20));
  const memory = join(folder, 'cache', 'hashes');
  const all = await Promise.all(Array.from({ length: 8 }, () => Fingerprints.open(memory)));
  for (const prints of all) await prints.file(large);
  await Promise.all(all.map((prints) => prints.save()));
  expect(await readdir(join(folder, 'cache'))).toEqual(['hashes']);
});
