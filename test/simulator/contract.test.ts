// The contract, kept by the simulated API server.
import { SimulatedApi } from './server/client.ts';
import { calm } from './server/network.ts';
import { ProcessClock } from './server/process-clock.ts';
import { Chance } from './random.ts';
import { Cluster } from './world/cluster.ts';
import { describeContract } from './contract.ts';
import { describeWorkloadContract } from './contract-workloads.ts';

const instant = { ...calm, latency: () => 0, watchLag: () => 0 };

/** Time passes while the test waits, 20 simulated milliseconds at a time. */
async function drive(cluster: Cluster, test: Promise<void>): Promise<void> {
  const outcome: { settled?: PromiseSettledResult<void> } = {};
  void Promise.allSettled([test]).then(([settled]) => (outcome.settled = settled));
  while (outcome.settled === undefined) await cluster.clock.advance(20);
  if (outcome.settled.status === 'rejected') throw outcome.settled.reason;
}

const withSimulator: Parameters<typeof describeContract>[1] = async (test) => {
  const cluster = new Cluster(new Chance(1));
  const { server, clock } = cluster;
  // Version 1 is long gone on a server that has lived for a while.
  server.forget();
  const client = (name: string): SimulatedApi =>
    new SimulatedApi({ server, clock: new ProcessClock(clock), network: instant, name, identity: name });
  const eventually = async (what: string, question: () => boolean | Promise<boolean>): Promise<void> => {
    const end = clock.now() + 60_000;
    while (!(await question())) {
      if (clock.now() > end) throw new Error(`waited a simulated minute in vain for: ${what}`);
      await new Promise<void>((resolve) => void clock.timer(50, resolve));
    }
  };
  await drive(cluster, test({ client, eventually, namespace: 'contract' }));
};

describeContract('simulator', withSimulator);
describeWorkloadContract('simulator', withSimulator);
