// The whole simulated cluster on one clock: API server, garbage collector, workload controllers, kubelet, endpoints, gateway, people.
import { ManualClock } from '@assistant-platform/runtime/testing';
import type { Chance } from '../random.ts';
import { GarbageCollector } from '../server/garbage.ts';
import { ApiServer } from '../server/server.ts';
import { EndpointsController } from './endpoints.ts';
import { Gateway } from './gateway.ts';
import { Metrics } from './metrics.ts';
import { Kubelet } from './kubelet.ts';
import { Sessions } from './sessions.ts';
import { type Timing, USUAL } from './timing.ts';
import { WorkloadController } from './workloads.ts';

export class Cluster {
  readonly clock = new ManualClock();
  readonly server = new ApiServer(this.clock);
  readonly timing: Timing;
  readonly workloads: WorkloadController;
  readonly kubelet: Kubelet;
  readonly sessions: Sessions;
  readonly gateway: Gateway;
  readonly metrics: Metrics;

  constructor(chance: Chance, timing: Timing = USUAL) {
    const { clock, server } = this;
    this.timing = timing;
    new GarbageCollector(server, clock);
    this.workloads = new WorkloadController(server, clock, timing);
    this.sessions = new Sessions(clock, timing, chance.part('sessions'));
    this.kubelet = new Kubelet(server, clock, timing, this.sessions);
    new EndpointsController(server, clock, timing);
    this.gateway = new Gateway(server, clock, timing);
    this.metrics = new Metrics(server, clock, this.gateway);
    this.sessions.welcome(this.gateway);
  }
}
