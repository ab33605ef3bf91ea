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
