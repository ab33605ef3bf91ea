// What nobody can go on with until a person acts: a write that the API server refuses again and again, a stored spec that cannot be read. The status
// says so and names it, and nothing is lost when it comes to an end.
import { pods } from '@assistant-platform/runtime';
import { afterEach, expect, it } from 'vitest';
import { assistantDeployments } from '../../operator/controller/resources.ts';
import type { Status } from '../../operator/rollout/state.ts';
import { alone } from './schedule/alone.ts';
import { calm, type CallInfo, type Network } from './server/network.ts';

const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

function begin(network: Network) {
  const { cluster, failures, people, end } = alone(network);
  ended.push(end);
  return { cluster, failures, people, status: (): Status => people.subject?.status ?? {} };
}

it('shows in the status what fails again and again, and goes on when it does not fail any more', async () => {
  let refusing = true;
  const { cluster, failures, status } = begin({
    ...calm,
    mishap: ({ resource, writes }: CallInfo) =>
      refusing && writes && resource === 'services' ? { kind: 'Refused', code: 500 } : undefined,
  });
  await cluster.clock.advance(20_000);
  expect(status()).toMatchObject({ blockedBy: [{ reason: 'WriteRefused' }, {}, {}] });
  expect(status().message).toMatch(/services.*: 500 InternalError: /);

  refusing = false;
  await cluster.clock.advance(60_000);
  expect(status()).toMatchObject({ phase: 'Healthy' });
  expect(status().blockedBy ?? []).toEqual([]);
  expect(failures).toEqual([]);
});

it('shows in the status a stored spec that cannot be read, leaves what runs alone, and goes on when it is corrected', async () => {
  const { cluster, failures, people, status } = begin(calm);
  const store = (deadline: string): void => {
    const patch = { spec: { strategy: { drain: { deadline } } } };
    cluster.server.patch(assistantDeployments, people.subject!.metadata, patch, { by: 'people' });
  };
  await cluster.clock.advance(60_000);
  expect(status().phase).toBe('Healthy');
  const before = cluster.server.list(pods);
  expect(before.length).toBeGreaterThan(0);

  store('soon'); // as a version without the rule has let it in
  await cluster.clock.advance(20_000);
  expect(status()).toMatchObject({ phase: 'Degraded', blockedBy: [{ reason: 'SpecRefused' }] });
  expect(status().message).toMatch(/^spec\.strategy\.drain\.deadline: write a duration/);
  expect(status().observedGeneration).toBe(people.subject?.metadata.generation);
  expect(cluster.server.list(pods)).toEqual(before);

  store('20s');
  await cluster.clock.advance(20_000);
  expect(status()).toMatchObject({ phase: 'Healthy' });
  expect(status().blockedBy ?? []).toEqual([]);
  expect(failures.filter((failure) => !failure.includes('spec.strategy.drain.deadline: write a duration'))).toEqual([]);
});
