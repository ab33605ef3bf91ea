// `npm run mutants -- [--count 60] [--seed N] [--file F] [--mutant ID] [--quick] [--list]`: changes the decision code in one small place at a time, and looks
// which harness notices. Prints a line for each mutant, a table of who caught what, the survivors with their change, and the score; ends with 1 when
// less than 95 % of the mutants that do something else than the original are caught. --quick asks the unit tests alone, --list prints the sites.
import { parseArgs } from 'node:util';
import { Chance } from '../simulator/random.ts';
import { wholeNumber } from '../whole-number.ts';
import { draw, type Drawing, type Unusable } from './draw.ts';
import { type Attempt, attempt, type Harness, HARNESSES, replacementOf } from './harnesses.ts';
import { DecisionCode } from './program.ts';
import { changeOf, lineOf, OPERATORS, type Site } from './sites.ts';
import { excuseOf, staleExplanations, SURVIVORS } from './survivors.ts';

const SEED = 1;
const WANTED_SCORE = 95;
/** A harness that takes so many times as long as without a mutant runs for ever; on a machine that does other work, too. */
const PATIENCE = 6;
const PATIENCE_AT_LEAST_MS = 60_000;

interface Outcome {
  readonly site: Site;
  /** Who caught it; null: it survived. */
  readonly by: Harness | null;
  readonly timedOut: boolean;
  /** Why it may survive. */
  readonly excuse: string | null;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(SEED) },
      file: { type: 'string' },
      mutant: { type: 'string' },
      list: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
    },
  });
  const code = new DecisionCode();
  const sites = code.sites();
  const stale = staleExplanations(
    SURVIVORS,
    sites.map((site) => worded(code, site)),
  );
  for (const { file, operator, from } of stale)
    console.log(`✗ test/mutants/survivors.ts explains a mutant that is no longer there: ${file}, ${operator}: ${from}`);
  if (stale.length > 0) return 1;
  printSites(sites);
  if (values.list) {
    for (const site of sites) console.log(`${site.id.padEnd(36)} ${inWords(code, site)}`);
    return 0;
  }
  const { mutant, file } = values;
  const chosen = sites.filter(
    (site) => (file === undefined || site.file === file) && (mutant === undefined || site.id === mutant),
  );
  if (chosen.length === 0)
    throw new Error(`there is no site of ${mutant ?? file ?? 'the decision'}; --list prints them`);
  const chance = new Chance(wholeNumber('seed', values.seed));
  const drawing = draw(chosen, mutant === undefined ? wholeNumber('count', values.count) : 1, chance, usability(code));
  printDrawing(drawing, chance);
  const harnesses = values.quick ? HARNESSES.slice(0, 1) : HARNESSES;
  return judge(code, drawing.mutants, harnesses, mutant !== undefined);
}

const worded = (code: DecisionCode, site: Site) => ({ ...site, ...changeOf(code.text(site.file), site) });

function inWords(code: DecisionCode, site: Site): string {
  const { from, to } = changeOf(code.text(site.file), site);
  return `${from}  →  ${to === '' ? '(nothing)' : to}`;
}

/** Looks at each site once: a change that does nothing, or that another one does already, is no mutant of its own. */
function usability(code: DecisionCode): (site: Site) => Unusable | null {
  const drawn = new Set<string>();
  return (site) => {
    const script = code.javaScript(site);
    if (script === code.unchanged(site.file)) return 'changes nothing';
    if (drawn.has(script)) return 'same as another';
    if (!code.typeChecks(site)) return 'does not type-check';
    drawn.add(script);
    return null;
  };
}

/** Runs the harnesses on all of them. @returns the exit code. */
async function judge(
  code: DecisionCode,
  mutants: readonly Site[],
  harnesses: readonly Harness[],
  verbose: boolean,
): Promise<number> {
  const began = performance.now();
  const limits = await withoutMutant(harnesses);
  if (limits === null) return 1;
  const outcomes: Outcome[] = [];
  for (const [index, site] of mutants.entries()) {
    const text = code.text(site.file);
    const excuse = excuseOf(worded(code, site), SURVIVORS);
    const { by, last } = await chase(site, text, limits);
    const outcome = { site, by, timedOut: last.ended === 'timed out', excuse };
    outcomes.push(outcome);
    const mark = by !== null ? '✓' : excuse === null ? '✗' : '=';
    const end = by === null ? 'survived' : outcome.timedOut ? `timed out in ${by}` : by;
    console.log(
      `${mark} ${`${index + 1}/${mutants.length}`.padStart(7)} ${seconds(began).padStart(6)} s  ${end.padEnd(12)} ${site.file}:${lineOf(text, site)} ${site.operator}  ${inWords(code, site)}`,
    );
    if (verbose) console.log(last.output);
  }
  printTable(outcomes);
  return conclude(code, outcomes, began);
}

/** The harnesses with the code as it is: all must pass, and their times say when a mutant runs for ever. Null when one fails. */
async function withoutMutant(harnesses: readonly Harness[]): Promise<ReadonlyMap<Harness, number> | null> {
  const limits = new Map<Harness, number>();
  for (const harness of harnesses) {
    const { ended, tookMs, output } = await attempt(harness, null, 600_000);
    if (ended !== 'passed') {
      console.log(`✗ ${harness}: ${ended} without any mutant\n${output}`);
      return null;
    }
    limits.set(harness, Math.max(PATIENCE_AT_LEAST_MS, PATIENCE * tookMs));
    console.log(`. ${harness} pass without a mutant (${(tookMs / 1000).toFixed(1)} s)`);
  }
  return limits;
}

/** From harness to harness, until one notices. */
async function chase(
  site: Site,
  text: string,
  limits: ReadonlyMap<Harness, number>,
): Promise<{ readonly by: Harness | null; readonly last: Attempt }> {
  let last: Attempt = { ended: 'passed', tookMs: 0, output: '' };
  for (const [harness, limitMs] of limits) {
    last = await attempt(harness, replacementOf(site, text), limitMs);
    if (last.ended !== 'passed') return { by: harness, last };
  }
  return { by: null, last };
}

const seconds = (began: number): string => ((performance.now() - began) / 1000).toFixed(0);

function countBy<Key extends string>(sites: readonly Site[], key: (site: Site) => Key): Map<Key, number> {
  const counts = new Map<Key, number>();
  for (const site of sites) counts.set(key(site), (counts.get(key(site)) ?? 0) + 1);
  return counts;
}

function printSites(sites: readonly Site[]): void {
  const list = (counts: ReadonlyMap<string, number>): string =>
    [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
  console.log(`${sites.length} sites. By operator: ${list(countBy(sites, ({ operator }) => operator))}`);
  console.log(`By file: ${list(countBy(sites, ({ file }) => file))}`);
}

function printDrawing({ mutants, redrawn, empty }: Drawing, { seed }: Chance): void {
  const aside = [...redrawn].map(([reason, count]) => `${count} ${reason}`).join(', ');
  console.log(`\nseed ${seed}: ${mutants.length} mutants; put aside: ${aside === '' ? 'none' : aside}`);
  if (empty.length > 0) console.log(`no usable site: ${empty.join(', ')}`);
}

function printTable(outcomes: readonly Outcome[]): void {
  const columns = ['mutants', ...HARNESSES, 'timed out', 'equivalent', 'survived'] as const;
  const row = (name: string, of: readonly Outcome[]): string => {
    const counts = [
      of.length,
      ...HARNESSES.map((harness) => of.filter(({ by, timedOut }) => by === harness && !timedOut).length),
      of.filter(({ timedOut }) => timedOut).length,
      of.filter(({ by, excuse }) => by === null && excuse !== null).length,
      of.filter(({ by, excuse }) => by === null && excuse === null).length,
    ];
    return name.padEnd(14) + counts.map((count) => String(count).padStart(12)).join('');
  };
  console.log(`\n${''.padEnd(14)}${columns.map((column) => column.padStart(12)).join('')}`);
  for (const operator of OPERATORS) {
    const of = outcomes.filter(({ site }) => site.operator === operator);
    if (of.length > 0) console.log(row(operator, of));
  }
  console.log(row('sum', outcomes));
}

function conclude(code: DecisionCode, outcomes: readonly Outcome[], began: number): number {
  const caught = outcomes.filter(({ by }) => by !== null);
  const survived = outcomes.filter(({ by, excuse }) => by === null && excuse === null);
  for (const { site } of survived) {
    const { from, to } = changeOf(code.text(site.file), site);
    console.log(`\n✗ ${site.id} survived, ${site.file}:${lineOf(code.text(site.file), site)}\n  - ${from}\n  + ${to}`);
  }
  for (const { site } of caught.filter(({ excuse }) => excuse !== null))
    console.log(`\n✗ ${site.id} was caught: its explanation in test/mutants/survivors.ts is wrong`);
  const wrong = caught.some(({ excuse }) => excuse !== null);
  const score = (100 * caught.length) / Math.max(1, caught.length + survived.length);
  console.log(
    `\n${caught.length} of ${caught.length + survived.length} mutants caught, ${outcomes.length - caught.length - survived.length} equivalent: ${score.toFixed(1)} % (at least ${WANTED_SCORE} % wanted), ${seconds(began)} s`,
  );
  return score >= WANTED_SCORE && !wrong ? 0 : 1;
}

process.exitCode = await main();
