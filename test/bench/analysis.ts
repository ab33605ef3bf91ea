// `npm run bench:analysis [-- --canaries 1000 --write]`: how often the comparison with stable stops good canaries, and how soon it stops bad ones.
// Simulated on seeded traffic, judged by the operator's own judge; the same seed gives the same figures. --write keeps them in docs/benchmarks.md.
// Ends with 1 when more than 1 % of the good canaries of any scenario are stopped.
import { parseArgs } from 'node:util';
import { Chance } from '../simulator/random.ts';
import { wholeNumber } from '../whole-number.ts';
import { CHECKS, CONFIDENCE, MAX_RATIO, runCanary, type Course, type Traffic } from './canaries.ts';
import { table } from './figures.ts';
import { keepSection } from './page.ts';

const { values } = parseArgs({
  options: {
    canaries: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean' },
  },
});
const canaries = wholeNumber('canaries', values.canaries, { atLeast: 1 });
const seed = wholeNumber('seed', values.seed, { atLeast: 1 });
/** Bad canaries of each effect size. */
const BAD_CANARIES = 200;
const RATES = [0.001, 0.01, 0.05];
const EFFECTS = [1.5, 2, 3, 5, 10];

const steady = (rate: number) => (): number => rate;
/** A dependency of both revisions fails for a minute: one request in five fails with it. */
const outage = (check: number): number => (check >= 10 && check < 14 ? 0.2 : 0.01);

const GOOD: readonly { readonly what: string; readonly traffic: Traffic }[] = [
  { what: '0.1 % fail, canary at 10 %', traffic: traffic({ rate: steady(0.001) }) },
  { what: '1 % fail, canary at 10 %', traffic: traffic({ rate: steady(0.01) }) },
  { what: '5 % fail, canary at 50 %', traffic: traffic({ rate: steady(0.05), weight: 0.5 }) },
  {
    what: '5 % fail, little traffic (40 requests a check)',
    traffic: traffic({ rate: steady(0.05), weight: 0.25, requests: 40 }),
  },
  { what: 'a dependency of both fails for a minute', traffic: traffic({ rate: outage, weight: 0.5 }) },
  {
    what: 'mean of values between 0 and 1 instead of a share',
    traffic: traffic({ rate: steady(0.2), weight: 0.5, requests: 60, values: 'Bounded' }),
  },
  {
    what: `just good: 1 % fail, ${MAX_RATIO} times stable`,
    traffic: traffic({ rate: steady(0.01), ratio: MAX_RATIO }),
  },
  {
    what: `just good: 5 % fail, ${MAX_RATIO} times stable`,
    traffic: traffic({ rate: steady(0.05), weight: 0.5, ratio: MAX_RATIO }),
  },
];

function traffic(changed: Partial<Traffic>): Traffic {
  return { weight: 0.1, requests: 1000, rate: steady(0.01), ratio: 1, values: 'Bernoulli', ...changed };
}

function main(): void {
  const started = performance.now();
  const good = GOOD.map(({ what, traffic: of }) => ({ what, courses: run(of, canaries, what) }));
  const falseAlarms = table(
    [
      'good canaries',
      'stopped',
      'by a fixed threshold',
      'by a test for one look, repeated',
      'surely good before the end',
    ],
    good.map(({ what, courses }) => [
      what,
      percent(courses, ({ stoppedAt }) => stoppedAt !== null),
      percent(courses, ({ stoppedByThreshold }) => stoppedByThreshold),
      percent(courses, ({ stoppedByRepeatedTest }) => stoppedByRepeatedTest),
      percent(courses, ({ surelyGoodAt }) => surelyGoodAt !== null),
    ]),
  );
  const detection = table(
    ['bad canaries', ...EFFECTS.map((effect) => `${effect} times stable`)],
    RATES.map((rate) => [
      `stable fails ${rate * 100} %`,
      ...EFFECTS.map((ratio) => delay(run(traffic({ rate: steady(rate), ratio }), BAD_CANARIES, `${rate} ${ratio}`))),
    ]),
  );
  const text = [
    `${canaries} good canaries a row, ${BAD_CANARIES} bad ones a cell; limit ${MAX_RATIO} times stable at confidence ${CONFIDENCE}, a check every 15 s for ten minutes` +
      ' (40 looks), about 1,000 requests between two checks unless said otherwise.',
    falseAlarms,
    'How soon a bad canary with a tenth of the traffic is stopped: median time, 9 of 10 within, requests that it answered by then (median).',
    detection,
  ].join('\n\n');
  console.log(text);
  console.log(`\nseed ${seed}, ${((performance.now() - started) / 1000).toFixed(0)} s`);
  if (values.write) keepSection('analysis', text);
  const worst = Math.max(...good.map(({ courses }) => share(courses, ({ stoppedAt }) => stoppedAt !== null)));
  if (worst > 1 - CONFIDENCE) {
    console.error(
      `${(worst * 100).toFixed(2)} % of the good canaries of one row were stopped: at most ${((1 - CONFIDENCE) * 100).toFixed(0)} % may be`,
    );
    process.exitCode = 1;
  }
}

/** Each canary has chance of its own, so that more canaries do not change the earlier ones. */
function run(of: Traffic, count: number, name: string): readonly Course[] {
  const chance = new Chance(seed).part(name);
  return Array.from({ length: count }, (_, index) => runCanary(of, new Chance(chance.seed + index * 0x9e3779b1)));
}

function share(courses: readonly Course[], holds: (course: Course) => boolean): number {
  return courses.filter(holds).length / courses.length;
}

function percent(courses: readonly Course[], holds: (course: Course) => boolean): string {
  return `${Number((share(courses, holds) * 100).toFixed(2))} %`;
}

/** "1 min 15 s (9 of 10: 2 min, 505 requests)"; how many at all where some are missed. */
function delay(courses: readonly Course[]): string {
  const stopped = courses
    .filter(({ stoppedAt }) => stoppedAt !== null)
    .toSorted((a, b) => (a.stoppedAt ?? 0) - (b.stoppedAt ?? 0));
  const [median, most] = [stopped[Math.floor(courses.length / 2)], stopped[Math.floor(courses.length * 0.9)]];
  if (median === undefined) return `${percent(courses, ({ stoppedAt }) => stoppedAt !== null)} in ten minutes`;
  const within =
    most === undefined
      ? `${percent(courses, ({ stoppedAt }) => stoppedAt !== null)} in ten minutes`
      : `9 of 10: ${time(most)}`;
  return `${time(median)} (${within}; ${median.requestsUntilStopped} requests)`;
}

function time({ stoppedAt }: Course): string {
  const seconds = ((stoppedAt ?? CHECKS) * 15) % 60;
  const minutes = Math.floor(((stoppedAt ?? CHECKS) * 15) / 60);
  return [...(minutes > 0 ? [`${minutes} min`] : []), ...(seconds > 0 ? [`${seconds} s`] : [])].join(' ');
}

main();
