import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { complete, findUnnamed, type OptionalLock } from './complete-lock.mjs';
import { findDifference, type Lock } from './installed.mjs';

const lock: Lock = {
  packages: {
    '': { version: '0.1.0' },
    'operator/api': { version: '0.1.0' },
    'node_modules/@assistant-platform/api': { resolved: 'operator/api', link: true },
    'node_modules/fastify': { version: '5.1.0', integrity: 'sha512-a' },
    'node_modules/fsevents': { version: '2.0.0', integrity: 'sha512-b', optional: true },
  },
};

function recordWith(changes: Lock['packages']): Lock {
  const installed = Object.entries(lock.packages).filter(([path]) => path.startsWith('node_modules/'));
  return { packages: { ...Object.fromEntries(installed), ...changes } };
}

describe('findDifference', () => {
  it('finds none when npm recorded what the lock says', () => {
    expect(findDifference(lock, recordWith({}))).toBeUndefined();
  });

  it('says that nothing is installed on a fresh clone, and after npm ci was killed', () => {
    expect(findDifference(lock, undefined)).toBe('nothing is installed yet');
  });

  it('names the package that is missing, old, of other content, or a link to elsewhere', () => {
    const without = { packages: { 'node_modules/@assistant-platform/api': { resolved: 'operator/api', link: true } } };
    expect(findDifference(lock, without)).toContain('node_modules/fastify is not installed');
    expect(findDifference(lock, recordWith({ 'node_modules/fastify': { version: '5.0.0' } }))).toContain(
      '5.0.0 instead of 5.1.0',
    );
    expect(
      findDifference(lock, recordWith({ 'node_modules/fastify': { version: '5.1.0', integrity: 'sha512-z' } })),
    ).toContain('another content');
    expect(
      findDifference(lock, recordWith({ 'node_modules/@assistant-platform/api': { resolved: 'api', link: true } })),
    ).toContain('points somewhere else');
  });

  it('does not mind optional packages that are not there, a version written with v, or a hash that npm left out', () => {
    const { 'node_modules/fsevents': _, ...rest } = recordWith({}).packages;
    expect(findDifference(lock, { packages: rest })).toBeUndefined();
    expect(findDifference(lock, recordWith({ 'node_modules/fastify': { version: 'v5.1.0' } }))).toBeUndefined();
  });
});

describe('complete-lock', () => {
  const incomplete: OptionalLock = {
    packages: {
      'node_modules/tool': {
        version: '1.0.0',
        optionalDependencies: { '@tool/linux': '1.0.0', '@tool/mac': '1.0.0', fsevents: '^2.0.0' },
      },
      'node_modules/@tool/linux': { version: '1.0.0', optional: true },
    },
  };

  it('finds optional packages of an exact version that the lock does not name', () => {
    expect(findUnnamed(incomplete)).toEqual([['node_modules/@tool/mac', '1.0.0']]);
  });

  it('knows a package that lies in the node_modules of its user', () => {
    const nested: OptionalLock = {
      packages: {
        'node_modules/a/node_modules/tool': { version: '1.0.0', optionalDependencies: { x: '1.0.0', y: '2.0.0' } },
        'node_modules/a/node_modules/x': { version: '1.0.0' },
        'node_modules/y': { version: '2.0.0' },
      },
    };
    expect(findUnnamed(nested)).toEqual([]);
  });

  it('adds them so that nothing is left to add, never to be installed on Linux', () => {
    const completed = complete(incomplete);
    expect(findUnnamed(completed)).toEqual([]);
    expect(completed.packages['node_modules/@tool/mac']).toEqual({ version: '1.0.0', optional: true, os: ['!linux'] });
  });

  const root = join(import.meta.dirname, '../..');
  it.each([
    'package-lock.json',
    ...['helm', 'llama', 'unleash'].map((name) => `local/packages/${name}/package-lock.json`),
  ])('npm ci on a fresh clone finds %s complete (if not: node local/bootstrap/complete-lock.mjs)', (file) => {
    const parsed = JSON.parse(readFileSync(join(root, file), 'utf8')) as OptionalLock;
    expect(findUnnamed(parsed)).toEqual([]);
  });
});
