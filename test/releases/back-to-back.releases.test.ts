// Twenty releases back to back under five hundred open sockets and a steady HTTP load: no failed request, no acknowledged message lost. Takes a quarter
// of an hour, and so is no part of `npm test`: `npm run test:releases`.
import { expect, inject, it } from 'vitest';
import { render, verdict } from '../demo/report.ts';
import { runUnderTraffic } from '../demo/run.ts';
import type { Turn } from '../demo/scenario.ts';

const ROUND: readonly Turn[] = [
  { strategy: 'Canary', end: 'Promoted', image: '1.1.0' },
  { strategy: 'BlueGreen', end: 'Promoted', image: '1.2.0' },
  { strategy: 'Canary', end: 'AbortedByMetric' },
  { strategy: 'BlueGreen', end: 'AbortedByMetric' },
  { strategy: 'Canary', end: 'AbortedByPerson' },
  { strategy: 'BlueGreen', end: 'AbortedByPerson' },
];
/** Twenty: three rounds, and a promoted one of each kind. */
const TURNS = [...ROUND, ...ROUND, ...ROUND, ...ROUND.slice(0, 2)];

it('[R-291, R-301, R-304] twenty releases lose no acknowledged message and fail no request', async () => {
  const started = Date.now();
  const report = await runUnderTraffic({
    where: inject('where'),
    people: 500,
    meanPauseMs: 25_000,
    rate: 50,
    seed: 11,
    turns: TURNS,
    print: (line) => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(7)} s  ${line}`),
  });
  console.log(render(report));
  expect(verdict(report)).toEqual([]);
  expect(report.releases).toHaveLength(20);
  expect(report.messages.acknowledged).toBeGreaterThan(2_000);
  expect(report.sockets.moved).toBeGreaterThan(2_000);
});
