import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGES, type RegistryPackage } from './package-table.ts';

const all: readonly (readonly [string, RegistryPackage])[] = Object.entries(PACKAGES);
const locked = join(import.meta.dirname, '..', 'packages');

describe('the table of packages', () => {
  it.each(all)('%s documents files by relative paths and a licence', (_name, description) => {
    expect(Object.values(description.files).length).toBeGreaterThan(0);
    for (const file of Object.values(description.files)) expect(file).not.toMatch(/^\/|\.\./);
    expect(description.licence).not.toBe('');
  });

  it.each(all.filter(([, description]) => description.kind === 'wheel'))(
    '%s is pinned by a SHA-256',
    (_name, description) => {
      if (description.kind !== 'wheel') throw new Error(description.kind);
      expect(description.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(description.version).toMatch(/^\d+\.\d+/);
    },
  );

  it.each(all.filter(([, description]) => description.kind === 'npm'))(
    '%s is pinned by a lock file that has the hash of everything it installs',
    (_name, description) => {
      if (description.kind !== 'npm') throw new Error(description.kind);
      const read = (file: string): unknown => JSON.parse(readFileSync(join(locked, description.folder, file), 'utf8'));
      const { dependencies } = read('package.json') as { dependencies: Record<string, string> };
      for (const version of Object.values(dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
      const { packages } = read('package-lock.json') as {
        packages: Record<string, { integrity?: string; optional?: boolean; resolved?: string }>;
      };
      const unpinned = Object.entries(packages).filter(
        ([path, entry]) => path !== '' && entry.optional !== true && entry.integrity === undefined,
      );
      expect(unpinned).toEqual([]);
      // A registry's address would bind every clone to it.
      expect(Object.values(packages).filter((entry) => entry.resolved !== undefined)).toEqual([]);
    },
  );
});
