// The harnesses that a mutant has to get past, the cheapest first: unit tests, properties, fault schedules on the simulator, kill points.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathOf, REPOSITORY } from './program.ts';
import { MUTANT_VARIABLE, type Replacement } from './replacement.ts';
import type { Site } from './sites.ts';

export const HARNESSES = ['unit tests', 'properties', 'simulator', 'kill points'] as const;
export type Harness = (typeof HARNESSES)[number];

/** What became of a mutant at one harness. */
export interface Attempt {
  readonly ended: 'passed' | 'failed' | 'timed out';
  /** Wall time, milliseconds. */
  readonly tookMs: number;
  /** The end of what it printed. */
  readonly output: string;
}

/** Whole runs of many schedules and kills: minutes, and not for the first look. */
const SLOW_TESTS = ['invariants.property.test.ts', 'killpoints.test.ts'];
/** Runs long analyses through the model world: the last of the quick ones. */
const LAST_OF_QUICK = 'analysis.test.ts';

const SEED = 20_261_126;
const SCHEDULES = 40;
/** Every so many-th kill point. */
const STRIDE = 37;

/** Output that is kept of a harness, characters. */
const KEPT = 6000;

function unitTests(): string[] {
  const cost = (file: string): number => (path.basename(file) === LAST_OF_QUICK ? 1 : 0);
  return readdirSync(pathOf(''), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && !SLOW_TESTS.includes(file))
    .sort()
    .sort((a, b) => cost(a) - cost(b));
}

function commandOf(harness: Harness): string[] {
  const vitest = (files: readonly string[]): string[] => [
    'node_modules/vitest/vitest.mjs',
    ...['run', '--config', 'test/mutants/vitest.config.ts', '--bail', '1', '--reporter', 'default'],
    ...files.map((file) => `operator/rollout/${file}`),
  ];
  const program = (...words: string[]): string[] => ['--import', './test/mutants/load-hook.ts', ...words];
  switch (harness) {
    case 'unit tests':
      return vitest(unitTests());
    case 'properties':
      return vitest(SLOW_TESTS);
    case 'simulator':
      return program(
        'test/simulator/sim.ts',
        '--seed',
        String(SEED),
        '--schedules',
        String(SCHEDULES),
        '--failures',
        '1',
      );
    case 'kill points':
      return program('test/simulator/killpoints.ts', '--stride', String(STRIDE));
  }
}

/** How the harnesses find the mutant. */
export function replacementOf(site: Site, text: string): Replacement {
  const { id, file, start, end, replacement } = site;
  return { id, start, end, replacement, path: pathOf(file), original: text.slice(start, end) };
}

/**
 * Runs a harness in a process of its own.
 * @param mutant null: with the code as it is.
 * @param limitMs after so long it is killed: an endless loop.
 */
export async function attempt(harness: Harness, mutant: Replacement | null, limitMs: number): Promise<Attempt> {
  const began = performance.now();
  const child = spawn(process.execPath, commandOf(harness), {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NO_COLOR: '1',
      // The properties draw the same schedules for each mutant.
      FAST_CHECK_SEED: String(SEED),
      ...(mutant === null ? {} : { [MUTANT_VARIABLE]: JSON.stringify(mutant) }),
    },
    // A group of its own, so that workers die with it.
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (output = (output + chunk).slice(-KEPT)));
  const limit = AbortSignal.timeout(Math.round(limitMs));
  const kill = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  limit.addEventListener('abort', kill);
  const status = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done(code));
  }).finally(() => limit.removeEventListener('abort', kill));
  const ended = limit.aborted ? 'timed out' : status === 0 ? 'passed' : 'failed';
  return { ended, tookMs: performance.now() - began, output };
}
