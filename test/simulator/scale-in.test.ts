// Which pods leave when there are to be fewer: those with the fewest sessions, also for an operator that has just started and has asked nobody yet.
import { LABELS } from '@assistant-platform/api';
import { pods } from '@assistant-platform/runtime';
import { expect, it } from 'vitest';
import { alone } from './schedule/alone.ts';
import { calm } from './server/network.ts';

it('an operator that has just started asks the pods before it chooses who leaves', async () => {
  const { cluster, fleet, people, failures, end } = alone(calm);
  people.scale(3);
  await cluster.clock.advance(60_000);
  const running = cluster.server
    .list(pods)
    .map(({ metadata }) => metadata)
    .filter(({ labels }) => labels?.[LABELS.component] === 'chat')
    // The last one that would be taken if nobody knew how many people are on it.
    .sort(
      (a, b) => (a.creationTimestamp ?? '').localeCompare(b.creationTimestamp ?? '') || b.name.localeCompare(a.name),
    )
    .map(({ uid = '' }) => cluster.sessions.of(uid));
  expect(running).toHaveLength(3);
  // As many as a component gets: nobody else comes.
  [1, 9, 8].forEach((open, index) => Object.assign(running[index]!, { open, busy: 0 }));

  fleet.leader?.kill();
  await cluster.clock.advance(cluster.timing.restartMs + 5_000);
  people.scale(2);
  await cluster.clock.advance(2_000);
  expect(running.map((pod) => pod?.draining)).toEqual([true, false, false]);
  expect(failures).toEqual([]);
  end();
});
