// `npm run demo`: releases of the running assistant under live traffic, with the losses counted. Needs `npm start`.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import colors from 'picocolors';
import { render, verdict } from './report.ts';
import { runUnderTraffic, type Where } from './run.ts';
import { DEMONSTRATION } from './scenario.ts';

const usage = `usage: npm run demo [-- --people 200] [-- --rate 50] [-- --seed 1] [-- -o json]
  --people  open WebSockets           --rate  HTTP requests a second
  --seed    repeats the same traffic  -o json the report for machines`;

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '200' },
    rate: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    output: { type: 'string', short: 'o' },
    help: { type: 'boolean', short: 'h' },
  },
});

async function main(): Promise<void> {
  const people = positive('people', values.people);
  const rate = positive('rate', values.rate);
  const seed = positive('seed', values.seed);
  const where = readWhere();
  const started = Date.now();
  const print = (line: string) => {
    if (values.output === 'json') return;
    const at = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
    console.log(`${colors.dim(`${at} s`)}  ${line}`);
  };
  const report = await runUnderTraffic({
    ...{ where, people, rate, seed, print },
    meanPauseMs: 10_000,
    turns: DEMONSTRATION,
  });
  const text =
    values.output === 'json' ? JSON.stringify({ ...report, wrong: verdict(report) }, null, 2) : `\n${render(report)}`;
  // Until all of it is out: the process is ended below, and what is still in a full pipe would end with it.
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(`${text}\n`, (error) => (error ? reject(error) : resolve()));
  });
  process.exitCode = verdict(report).length === 0 ? 0 : 1;
}

function positive(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0)
    throw new Error(`--${name} ${value}: write a whole number, such as --${name} 50`);
  return number;
}

function readWhere(): Where {
  const script = path.resolve(import.meta.dirname, '../../local/where.ts');
  const output = execFileSync(process.execPath, [script, '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output) as Where;
}

if (values.help) console.log(usage);
else {
  try {
    await main();
  } catch (error) {
    console.error(colors.red(error instanceof Error ? error.message : String(error)));
    process.exitCode = 1;
  }
  // Sockets of people who were still waiting when the run failed must not keep the process alive.
  process.exit();
}
