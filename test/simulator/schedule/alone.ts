// A cluster with one operator and one AssistantDeployment that it has not seen yet, for tests of a single situation.
import { Chance } from '../random.ts';
import type { Network } from '../server/network.ts';
import { Cluster } from '../world/cluster.ts';
import { Fleet } from './fleet.ts';
import { People } from './people.ts';
import { STRATEGIES } from './specs.ts';

export interface Alone {
  readonly cluster: Cluster;
  readonly fleet: Fleet;
  readonly people: People;
  /** What no fault explains. */
  readonly failures: readonly string[];
  /** Ends the operator. */
  readonly end: () => void;
}

export function alone(network: Network): Alone {
  const cluster = new Cluster(new Chance(1));
  const failures: string[] = [];
  const onFailure = (message: string): number => failures.push(message);
  const fleet = new Fleet({ ...{ cluster, network, onFailure }, chance: new Chance(2), replicas: 1, election: false });
  const people = new People(cluster.server, () => undefined);
  people.create(STRATEGIES.canary);
  return { cluster, fleet, people, failures, end: () => fleet.processes.forEach((process) => process.kill()) };
}
