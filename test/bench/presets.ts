// `npm run bench:presets [-- --count 100 --write]`: new revisions of the real services, half of them with one of eight kinds of fault, judged by all presets that
// their component can be judged by, on a real Prometheus. Prints how many were called back, and by what. --write keeps the table in docs/benchmarks.md.
// Ends with 1 when a bad one passes or a good one is called back.
import { parseArgs } from 'node:util';
import { PRESETS } from '../canaries/made-up.ts';
import { presetsOf, RealServices, type Outcome } from '../canaries/real-services.ts';
import { releases, type Release } from '../canaries/releases.ts';
import { wholeNumber } from '../whole-number.ts';
import { table } from './figures.ts';
import { keepSection } from './page.ts';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '100' }, write: { type: 'boolean' } },
});
const all = releases(wholeNumber('count', values.count, { atLeast: 2 }));
/** So many of them run at a time. */
const AT_ONCE = 10;
const CHECKS = 3;
const MAX_RATIO = '1.5';

async function main(): Promise<void> {
  const begun = Date.now();
  const outcomes: Outcome[] = [];
  const services = await RealServices.start();
  try {
    for (let first = 0; first < all.length; first += AT_ONCE) {
      await services.run(all.slice(first, first + AT_ONCE));
      const judged = await services.judge(CHECKS, presetsOf, MAX_RATIO);
      outcomes.push(...judged);
      for (const each of judged.filter(isWrong)) console.log(`  ${tell(each)}`);
      const minutes = ((Date.now() - begun) / 60_000).toFixed(1);
      console.log(`  ${outcomes.length} of ${all.length} judged, ${minutes} min`);
    }
  } finally {
    await services.stop();
  }
  const text = [
    `${all.length} releases, ${AT_ONCE} at a time beside one stable revision; 80 questions or resumed conversations each between two checks, ${CHECKS} checks; limit` +
      ` ${MAX_RATIO} times stable at confidence 0.99.`,
    table(
      ['fault', 'releases', 'called back', 'by its own metric', 'by another first', 'checks, mean'],
      [null, ...PRESETS].map((preset) => row(preset, outcomes)),
    ),
  ].join('\n\n');
  console.log(`\n${text}`);
  if (values.write) keepSection('presets', text);
  const wrong = outcomes.filter(isWrong);
  if (wrong.length > 0) {
    console.error(
      `${wrong.length} of ${all.length} judged wrong:\n${wrong.map((each) => `  ${tell(each)}`).join('\n')}`,
    );
    process.exitCode = 1;
  }
}

const isWrong = ({ release, calledBackAt }: Outcome): boolean => (calledBackAt !== null) !== (release.seenBy !== null);

const seesIt = ({ verdicts }: Outcome, { seenBy }: Release): boolean =>
  verdicts.some(({ metric, kind }) => kind === 'Failed' && metric === seenBy?.toLowerCase());

function tell({ release, calledBackAt, verdicts }: Outcome): string {
  const what = calledBackAt === null ? 'passed' : `called back at check ${calledBackAt}`;
  const of = verdicts.filter(({ kind }) => kind === 'Failed' || calledBackAt === null);
  const said = of.map(({ metric, kind, message }) => `${metric} ${kind}: ${message}`).join('; ');
  return `${release.name} (${release.fault}): ${what}. ${said}`;
}

function row(preset: Release['seenBy'], outcomes: readonly Outcome[]): readonly string[] {
  const of = outcomes.filter(({ release }) => release.seenBy === preset);
  const back = of.filter(({ calledBackAt }) => calledBackAt !== null);
  const own = back.filter((outcome) => seesIt(outcome, outcome.release)).length;
  const checks = back.reduce((sum, { calledBackAt }) => sum + (calledBackAt ?? 0), 0) / back.length;
  const ways = new Set(of.map(({ release }) => release.fault)).size;
  return [
    preset === null ? 'nothing' : `${preset} (${ways} ${ways === 1 ? 'way' : 'ways'})`,
    ...[of.length, back.length].map(String),
    ...(preset === null ? ['', ''] : [String(own), String(back.length - own)]),
    back.length === 0 ? '' : checks.toFixed(1),
  ];
}

await main();
