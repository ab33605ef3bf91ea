// A few of the schedules of `npm run sim`, and what the harness itself promises: the same seed gives the same run, a failing one becomes short.
import { describe, expect, it } from 'vitest';
import { Chance } from './random.ts';
import { type Action, drawSchedule, line } from './schedule/actions.ts';
import { runSchedule } from './schedule/run.ts';
import { shrink } from './schedule/shrink.ts';

const SEED = 20_261_126;
const SCHEDULES = 25;

const schedule = (number: number): { seed: number; actions: Action[] } => {
  const chance = new Chance(SEED).part(`schedule ${number}`);
  return { actions: drawSchedule(chance), seed: chance.seed };
};

describe('fault schedules on the simulated cluster', () => {
  it(`${SCHEDULES} of them break no invariant [R-293] [R-297] [R-300]`, { timeout: 120_000 }, async () => {
    for (let number = 0; number < SCHEDULES; number++) {
      const { seed, actions } = schedule(number);
      const { violations } = await runSchedule({ seed, actions });
      expect(violations, `npm run sim -- --seed ${SEED} --schedule ${number}\n${actions.map(line).join('\n')}`).toEqual(
        [],
      );
    }
  });

  it('a seed replays exactly', { timeout: 60_000 }, async () => {
    const { seed, actions } = schedule(3);
    const first = await runSchedule({ seed, actions, verbose: true });
    const second = await runSchedule({ seed, actions, verbose: true });
    expect(first.log.length).toBeGreaterThan(50);
    expect(second.log).toEqual(first.log);
    expect(second.figures).toEqual(first.figures);
  });
});

/** Schedules that once broke an invariant, shrunk, with the seed and number that they were found by. */
const FOUND: readonly {
  readonly what: string;
  readonly seed: number;
  readonly number: number;
  readonly actions: Action[];
}[] = [
  {
    what: 'of several leaving pods Kubernetes took one that was still in use',
    ...{ seed: 7, number: 133 },
    actions: [{ do: 'replicas', count: 4 }, { do: 'forgetHistory' }, { do: 'replicas', count: 1 }],
  },
  {
    what: 'a revision that came back from its drain lost pods that were still in use',
    ...{ seed: 7, number: 181 },
    actions: [
      { do: 'replicas', count: 4 },
      { do: 'release', version: '1.1.0' },
      { do: 'wait', ms: 12_000 },
      { do: 'undo' },
      { do: 'wait', ms: 6000 },
    ],
  },
  {
    what: 'with the news of the pods half a minute late, replicas went up and down without end',
    ...{ seed: 11, number: 319 },
    actions: [
      { do: 'lose', what: 'request', times: 2 },
      { do: 'dropWatches' },
      { do: 'wait', ms: 1500 },
      { do: 'replicas', count: 1 },
    ],
  },
];

describe('schedules that broke an invariant once', () => {
  it.each(FOUND)('$what (--seed $seed --schedule $number)', async ({ seed, number, actions }) => {
    const world = new Chance(seed).part(`schedule ${number}`).seed;
    expect((await runSchedule({ seed: world, actions })).violations).toEqual([]);
  });
});

describe('shrinking', () => {
  it('leaves what the failure needs, and makes it mild', async () => {
    const actions: Action[] = [
      ...Array.from({ length: 9 }, (): Action => ({ do: 'wait', ms: 700 })),
      { do: 'abort' },
      { do: 'refuse', code: 500, times: 5 },
      { do: 'wait', ms: 3000 },
      { do: 'retry' },
    ];
    const stillFails = (candidate: readonly Action[]): Promise<boolean> => {
      const kinds = candidate.map(({ do: kind }) => kind);
      return Promise.resolve(
        kinds.includes('refuse') && kinds.indexOf('abort') >= 0 && kinds.indexOf('abort') < kinds.indexOf('refuse'),
      );
    };
    const { actions: shortest } = await shrink(actions, stillFails);
    expect(shortest).toEqual([{ do: 'abort' }, { do: 'refuse', code: 500, times: 1 }]);
  });
});
