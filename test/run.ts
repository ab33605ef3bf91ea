// `npm test [stage ...]`: runs the stages of test/runner/stages.ts, says how long each took, and ends with `N passed, N failed`.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import colors from 'picocolors';
import { prepare } from './runner/prepare.ts';
import {
  closingLine,
  failuresOf,
  lastLines,
  selectStages,
  sum,
  tallyOf,
  type Failure,
  type Stage,
  type Tally,
  type VitestReport,
} from './runner/stages.ts';

const root = path.resolve(import.meta.dirname, '..');
const reports = path.join(root, '.state/reports');

interface Outcome {
  readonly tally: Tally;
  readonly failures: readonly Failure[];
}

interface Result extends Outcome {
  readonly stage: Stage;
  readonly seconds: number;
}

async function main(): Promise<void> {
  const chosen = selectStages(process.argv.slice(2));
  mkdirSync(reports, { recursive: true });
  const started = Date.now();
  // Builds and downloads go on beside the stages that need neither.
  const ready = prepare(chosen);
  const results: Result[] = [];
  for (const stage of chosen) {
    const begun = Date.now();
    console.log(colors.bold(`\n▶ ${stage.name}: ${stage.what}`) + colors.dim(` (${elapsed(started)} since the start)`));
    const outcome = await run(stage, ready);
    results.push({ stage, ...outcome, seconds: (Date.now() - begun) / 1000 });
  }
  summarise(results, started);
}

async function run(stage: Stage, ready: ReturnType<typeof prepare>): Promise<Outcome> {
  if (stage.kind === 'check') {
    const said: string[] = [];
    const code = await exec(stage.command, said);
    if (code === 0) return { tally: { passed: 1, failed: 0, skipped: 0 }, failures: [] };
    return failed({ file: stage.command.join(' '), test: stage.what, message: lastLines(said.join('')) });
  }
  try {
    await ready.until(stage.needs);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(colors.red(message));
    return failed({ file: `what it needs (${stage.needs})`, test: 'could not be prepared', message });
  }
  const report = path.join(reports, `${stage.name}.json`);
  rmSync(report, { force: true });
  const code = await exec([
    'vitest',
    'run',
    '--project',
    stage.name,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  const written = readReport(report);
  return { tally: tallyOf(written, code), failures: failuresOf(written, root) };
}

const failed = (failure: Failure): Outcome => ({ tally: { passed: 0, failed: 1, skipped: 0 }, failures: [failure] });

/** An unreadable report means that vitest itself died: no test counted, so that the exit code makes it one failure. */
function readReport(file: string): VitestReport {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch (error) {
    console.error(`vitest left no report: ${error instanceof Error ? error.message : String(error)}`);
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numFailedTestSuites: 1, testResults: [] };
  }
}

/** Runs a command to its end, with its output to ours. @param said takes the output in as well. @returns its exit code. */
function exec(command: readonly string[], said?: string[]): Promise<number> {
  const [program, ...args] = command;
  if (program === undefined) throw new Error('a stage without a command');
  const output = said === undefined ? 'inherit' : 'pipe';
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', output, output] });
  for (const [from, to] of [[child.stdout, process.stdout] as const, [child.stderr, process.stderr] as const]) {
    from?.on('data', (data: Buffer) => {
      to.write(data);
      said?.push(data.toString());
    });
  }
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('SIGINT', forward).off('SIGTERM', forward);
      resolve(code ?? 1);
    });
  });
}

function elapsed(since: number): string {
  const seconds = Math.round((Date.now() - since) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function summarise(results: readonly Result[], started: number): void {
  console.log(colors.bold(`\nAll stages (${elapsed(started)})`));
  for (const { stage, tally, seconds } of results) {
    const mark = tally.failed === 0 ? colors.green('✔') : colors.red('✘');
    console.log(
      `  ${mark} ${stage.name.padEnd(14)} ${closingLine(tally).padEnd(32)} ${seconds.toFixed(1).padStart(7)} s`,
    );
  }
  // Told again: what failed in an early stage is thousands of lines up.
  for (const { stage, failures } of results) {
    for (const { file, test, message } of failures) {
      console.log(`\n${colors.red('✘')} ${stage.name}: ${file}\n  ${colors.bold(test)}`);
      console.log(message.replaceAll(/^/gm, '    '));
    }
  }
  const total = sum(results.map((r) => r.tally));
  if (total.failed > 0) process.exitCode = 1;
  console.log(`\n${closingLine(total)}`);
}

await main();
