// Comparisons with stable on the simulator: a release that is worse is called back, one that is as good goes through.
import { expect, it } from 'vitest';
import { BAD } from './schedule/actions.ts';
import { alone } from './schedule/alone.ts';
import { image } from './schedule/specs.ts';
import { calm } from './server/network.ts';

it.each(['compared', 'matched'] as const)('%s: a release and stable at the same time [R-295]', async (strategy) => {
  const { cluster, people, failures, end } = alone(calm);
  await cluster.clock.advance(6000);
  for (const component of ['chat', 'realtime']) cluster.metrics.badImages.add(image(component, BAD));
  people.strategy(strategy);
  people.release(BAD);
  await cluster.clock.advance(30_000);
  expect(people.subject?.status).toMatchObject({ abort: { by: 'Metric' }, stableRevision: { release: '1.0.0' } });
  people.release('1.1.0');
  const seen = new Set<string | undefined>();
  for (let second = 0; second < 60; second++) {
    await cluster.clock.advance(1000);
    const entry = people.subject?.status?.analysis?.find(({ metric }) => metric === 'ratio');
    if (entry?.checks !== undefined) seen.add(`${entry.value} beside ${entry.stableValue}`);
  }
  expect([...seen]).toEqual(['0.002 beside 0.002']);
  expect(people.subject?.status).toMatchObject({ phase: 'Healthy', stableRevision: { release: '1.1.0' } });
  expect(failures).toEqual([]);
  end();
});

it('the metric source counts what the gateway sends to each revision', async () => {
  const { cluster, people, end } = alone(calm);
  await cluster.clock.advance(6000);
  people.strategy('compared');
  people.release('1.1.0');
  // Until 20 % are carried, and a while after.
  await cluster.clock.advance(6000);
  const { stableRevision, updateRevision, weight } = people.subject?.status ?? {};
  expect(weight?.routed).toBe(20);
  const since = cluster.clock.now();
  await cluster.clock.advance(2000);
  const trials = ({ hash = '' }: { hash?: string } = {}): number => cluster.metrics.requests(hash, since);
  // 20 a second ask for a revision by its name, and two routes have 20 a second for both.
  expect(trials(stableRevision)).toBeCloseTo(2 * (20 + 0.8 * 40));
  expect(trials(updateRevision)).toBeCloseTo(2 * (20 + 0.2 * 40));
  end();
});
