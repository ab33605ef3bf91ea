// What people are told of a look that came to its end by half only: of what was done, at once, for no later look does it again.
import { events } from '@assistant-platform/runtime';
import { expect, it } from 'vitest';
import { alone } from './schedule/alone.ts';
import { calm, type CallInfo } from './server/network.ts';

it.each([
  ['has been changed meanwhile', 409],
  ['cannot be written', 500],
] as const)('a drain that has begun is told where the Deployment behind it %s', async (_what, code) => {
  let scalings = 0;
  const { cluster, people, end } = alone({
    ...calm,
    mishap: ({ resource, verb }: CallInfo) => {
      const promoted = people.subject?.status?.stableRevision?.release === '1.1.0';
      if (!promoted || resource !== 'deployments.apps' || verb !== 'patch') return undefined;
      scalings += 1;
      return scalings === 2 ? { kind: 'Refused', code } : undefined;
    },
  });
  await cluster.clock.advance(60_000);
  people.release('1.1.0');
  await cluster.clock.advance(120_000);
  const begun = cluster.server
    .list(events)
    .filter(({ reason }) => reason === 'DrainStarted')
    .flatMap(({ note = '' }) => note.split('; '))
    .map((note) => note.split(' ')[0]);
  expect([scalings > 2, begun.sort()]).toEqual([true, ['chat', 'realtime']]);
  end();
});
