// Makes package-lock.json complete for `npm ci`: node local/bootstrap/complete-lock.mjs [package-lock.json ...]
//
// npm writes an optional package for another platform into the lock only if the registry it asked carries that package;
// yet `npm ci` insists that the lock names every one of them, and fails on a fresh clone if it does not. Those packages
// are never installed here, so an entry with the version alone is enough; `os` keeps npm from asking for them. Run it
// after `npm install` when the test beside this file says so.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const EXACT = /^\d+\.\d+\.\d+(?:-[\w.-]+)?$/;

/**
 * The optional dependencies that a parsed lock file does not name, as [path in the lock, version].
 * Only those with an exact version can be added; others are left to npm, which has always resolved them.
 */
export function findUnnamed(lock) {
  const unnamed = new Map();
  for (const [where, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (EXACT.test(version) && !isNamed(lock, where, name)) unnamed.set(`node_modules/${name}`, version);
    }
  }
  return [...unnamed];
}

/** Node's own rule: a package is looked for in node_modules of its user's folder, and of every folder above. */
function isNamed(lock, where, name) {
  const parts = where === '' ? [] : where.split('/');
  for (let depth = parts.length; depth >= 0; depth -= 1) {
    if ([...parts.slice(0, depth), 'node_modules', name].join('/') in lock.packages) return true;
  }
  return false;
}

/** The lock file with entries for them, in npm's order. */
export function complete(lock) {
  const added = Object.fromEntries(
    findUnnamed(lock).map(([where, version]) => [where, { version, optional: true, os: ['!linux'] }]),
  );
  const byPath = ([a], [b]) => a.localeCompare(b, 'en');
  return { ...lock, packages: Object.fromEntries(Object.entries({ ...lock.packages, ...added }).sort(byPath)) };
}

if (process.argv[1] === import.meta.filename) {
  const files = process.argv.slice(2);
  for (const file of files.length > 0 ? files : [path.resolve(import.meta.dirname, '../../package-lock.json')]) {
    const lock = JSON.parse(readFileSync(file, 'utf8'));
    const unnamed = findUnnamed(lock);
    if (unnamed.length > 0) writeFileSync(file, `${JSON.stringify(complete(lock), null, 2)}\n`);
    console.log(
      `${file}: ${unnamed.length === 0 ? 'complete' : `added ${unnamed.map(([where]) => where).join(', ')}`}`,
    );
  }
}
