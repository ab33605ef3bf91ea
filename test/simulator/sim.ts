// `npm run sim -- --schedules 1000 [--seed N] [--schedule K] [--verbose]`: random schedules of people and faults on the simulated cluster, every
// invariant watched all the time. Prints the seed; a failing schedule is shrunk, and replayed by its seed and number.
import { parseArgs } from 'node:util';
import { wholeNumber } from '../whole-number.ts';
import { Chance } from './random.ts';
import { type Action, drawSchedule, line } from './schedule/actions.ts';
import { type Outcome, runSchedule } from './schedule/run.ts';
import { shrink } from './schedule/shrink.ts';
import { Sum } from './schedule/figures.ts';

interface Arguments {
  readonly schedules: number;
  /** Number of the first one. */
  readonly from: number;
  readonly seed: number;
  /** Only this one. */
  readonly schedule: number | null;
  readonly verbose: boolean;
  readonly mostFailures: number;
}

const USAGE = 'npm run sim -- [--schedules 1000] [--from K] [--seed N] [--schedule K] [--verbose] [--failures 3]';

function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      schedules: { type: 'string', default: '1000' },
      from: { type: 'string', default: '0' },
      seed: { type: 'string' },
      schedule: { type: 'string' },
      failures: { type: 'string', default: '3' },
      verbose: { type: 'boolean', default: false },
    },
  });
  const number = (name: string, text: string): number => wholeNumber(name, text, { usage: USAGE });
  return {
    schedules: number('schedules', values.schedules),
    from: number('from', values.from),
    seed: values.seed === undefined ? Date.now() % 1_000_000 : number('seed', values.seed),
    schedule: values.schedule === undefined ? null : number('schedule', values.schedule),
    verbose: values.verbose,
    mostFailures: number('failures', values.failures),
  };
}

async function main(): Promise<number> {
  const { schedules, from, seed, schedule, verbose, mostFailures } = readArguments(process.argv.slice(2));
  console.log(`seed ${seed}${schedule === null ? `, ${schedules} schedules` : `, schedule ${schedule}`}`);
  const numbers = schedule === null ? Array.from({ length: schedules }, (_, index) => from + index) : [schedule];
  const sum = new Sum();
  const begun = performance.now();
  let failures = 0;
  for (const number of numbers) {
    const chance = new Chance(seed).part(`schedule ${number}`);
    const actions = drawSchedule(chance);
    const outcome = await runSchedule({ seed: chance.seed, actions, verbose });
    sum.add(outcome.figures, outcome.violations);
    if (verbose) console.log(outcome.log.join('\n'));
    if (outcome.violations.length > 0) {
      failures += 1;
      await explain({ seed, number, worldSeed: chance.seed }, actions, outcome);
      if (failures >= mostFailures) break;
    }
    if (schedule === null && (number - from + 1) % 100 === 0)
      console.log(sum.progress(number - from + 1, (performance.now() - begun) / 1000));
  }
  console.log(sum.table((performance.now() - begun) / 1000));
  return failures === 0 ? 0 : 1;
}

/** What a person needs to see what went wrong: the violation, the shortest schedule that shows it, and how to replay. */
async function explain(
  { seed, number, worldSeed }: { seed: number; number: number; worldSeed: number },
  actions: readonly Action[],
  outcome: Outcome,
): Promise<void> {
  const [first] = outcome.violations;
  console.log(`\n✗ schedule ${number}: ${outcome.violations.length} violations; the first:`);
  for (const { invariant, at, message } of outcome.violations.slice(0, 4))
    console.log(`  invariant ${invariant} at ${(at / 1000).toFixed(3)} s: ${message}`);
  const failsAlike = async (candidate: readonly Action[]): Promise<boolean> =>
    (await runSchedule({ seed: worldSeed, actions: candidate })).violations.some(
      ({ invariant }) => invariant === first?.invariant,
    );
  const { actions: shortest, tries } = await shrink(actions, failsAlike);
  console.log(`  shrunk from ${actions.length} to ${shortest.length} actions in ${tries} tries:`);
  for (const action of shortest) console.log(`    ${line(action)}`);
  const replayed = await runSchedule({ seed: worldSeed, actions: shortest, verbose: true });
  for (const { invariant, at, message } of replayed.violations.slice(0, 3))
    console.log(`  invariant ${invariant} at ${(at / 1000).toFixed(3)} s: ${message}`);
  const until = (replayed.violations[0]?.at ?? 0) / 1000;
  const before = replayed.log.filter((text) => Number.parseFloat(text) <= until);
  console.log(
    `  what happened before it:\n${before
      .slice(-30)
      .map((text) => `    ${text}`)
      .join('\n')}`,
  );
  console.log(`  replay: npm run sim -- --seed ${seed} --schedule ${number} --verbose\n`);
}

process.exitCode = await main();
