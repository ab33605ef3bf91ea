// A write that the API server refuses again and again: the status says so in the API server's words, and nothing is lost when it comes to an end.
import { expect, it } from 'vitest';
import type { Status } from '../../operator/rollout/state.ts';
import { Chance } from './random.ts';
import { Fleet } from './schedule/fleet.ts';
import { People } from './schedule/people.ts';
import { STRATEGIES } from './schedule/specs.ts';
import { calm, type CallInfo, type Network } from './server/network.ts';
import { Cluster } from './world/cluster.ts';

it('shows in the status what fails again and again, and goes on when it does not fail any more', async () => {
  const cluster = new Cluster(new Chance(1));
  let refusing = true;
  const network: Network = {
    ...calm,
    mishap: ({ resource, writes }: CallInfo) =>
      refusing && writes && resource === 'services' ? { kind: 'Refused', code: 500 } : undefined,
  };
  const failures: string[] = [];
  const people = new People(cluster.server, () => undefined);
  const onFailure = (message: string): number => failures.push(message);
  const fleet = new Fleet({ ...{ cluster, network, onFailure }, chance: new Chance(2), replicas: 1, election: false });
  const status = (): Status => people.subject?.status ?? {};

  people.create(STRATEGIES.canary);
  await cluster.clock.advance(20_000);
  expect(status()).toMatchObject({ blockedBy: [{ reason: 'WriteRefused' }, {}, {}] });
  expect(status().message).toMatch(/services.*: 500 InternalError: /);

  refusing = false;
  await cluster.clock.advance(60_000);
  for (const process of fleet.processes) process.kill();
  expect(status()).toMatchObject({ phase: 'Healthy' });
  expect(status().blockedBy ?? []).toEqual([]);
  expect(failures).toEqual([]);
});
