// `npm run worlds [-- --world NAME] [--depth N] [--states N] [--list] [-o json]`: visits every state of small worlds with the real decision, and checks the
// invariants in each. Exit 1: a violation, or a declared state that is neither reached nor explained. Exit 2: the arguments.
import { parseArgs } from 'node:util';
import { wholeNumber } from '../whole-number.ts';
import { Coverage } from './coverage.ts';
import { explore, type Result } from './explore.ts';
import { coverageText, jsonText, resultLine, violationText, BOUNDS, HEAD } from './report.ts';
import { LARGE_WORLDS, WORLDS } from './worlds.ts';

const USAGE = 'npm run worlds -- [--world TEXT] [--large] [--depth N] [--states N] [--list] [-o json]';
const TELL_EVERY_S = 5;

/** More states of one world than this are not visited: the memory of a small machine. */
const STATES_AT_MOST = 400_000;

interface Arguments {
  readonly world: string | null;
  /** The large worlds too. */
  readonly large: boolean;
  readonly depth: number;
  readonly states: number;
  readonly list: boolean;
  readonly json: boolean;
}

function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      world: { type: 'string' },
      large: { type: 'boolean', default: false },
      depth: { type: 'string' },
      states: { type: 'string', default: String(STATES_AT_MOST) },
      list: { type: 'boolean', default: false },
      output: { type: 'string', short: 'o', default: 'text' },
    },
  });
  const number = (name: string, text: string): number => wholeNumber(name, text, { atLeast: 1 });
  if (!['text', 'json'].includes(values.output)) throw new Error(`-o must be text or json, got "${values.output}"`);
  return {
    world: values.world ?? null,
    large: values.large,
    depth: values.depth === undefined ? Infinity : number('depth', values.depth),
    states: number('states', values.states),
    list: values.list,
    json: values.output === 'json',
  };
}

function main(): number {
  const { world, large, depth, states, list, json } = readArguments(process.argv.slice(2));
  const chosen = [...WORLDS, ...(large ? LARGE_WORLDS : [])].filter(
    ({ name }) => world === null || name.includes(world),
  );
  if (chosen.length === 0) throw new Error(`no world has "${world ?? ''}" in its name; --list names them`);
  if (list) {
    console.log(chosen.map(({ name }) => name).join('\n'));
    return 0;
  }
  const say = (text: string): void => {
    if (!json) console.log(text);
  };
  const coverage = new Coverage();
  const results: Result[] = [];
  const begun = performance.now();
  say(HEAD);
  for (const each of chosen) {
    let told = performance.now();
    const progress = (visited: number, reached: number, waiting: number): void => {
      if (performance.now() - told < TELL_EVERY_S * 1000) return;
      told = performance.now();
      console.error(`  … ${each.name}: ${visited} states, ${reached} steps deep, ${waiting} wait`);
    };
    const result = explore(each, { limits: { depth, states }, coverage, progress });
    results.push(result);
    say(resultLine(result));
    for (const violation of result.violations) say(violationText(result.world, violation));
  }
  const seconds = (performance.now() - begun) / 1000;
  const whole = world === null && results.every(({ cut }) => cut === null);
  if (json) console.log(jsonText(results, coverage.reached, { seconds, whole }));
  else {
    say(coverageText(results, coverage.reached, { seconds, whole }));
    say(BOUNDS);
  }
  const violated = results.some(({ violations }) => violations.length > 0);
  return violated || (whole && coverage.errors().length > 0) ? 1 : 0;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\nUsage: ${USAGE}`);
  process.exitCode = 2;
}
