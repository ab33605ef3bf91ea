// The world of one schedule: cluster, operators, people, weather, the watch over the invariants; and how time passes in it.
import { type Pod, pods } from '@assistant-platform/runtime';
import type { Status } from '../../../operator/rollout/state.ts';
import { InvariantWatch, isOperatorWrite } from '../invariants/invariants.ts';
import { ownedBy } from '../invariants/truth.ts';
import { Weather } from '../invariants/weather.ts';
import { Chance } from '../random.ts';
import { Cluster } from '../world/cluster.ts';
import { BAD, BROKEN, type Kind } from './actions.ts';
import { Fleet } from './fleet.ts';
import { writeLine } from './log-lines.ts';
import { People } from './people.ts';
import { image, SUBJECT } from './specs.ts';
import { Storm } from './storm.ts';

const SLICE_MS = 250;

/** See the head of the file. */
export class Run {
  readonly cluster: Cluster;
  readonly invariants: InvariantWatch;
  readonly storm: Storm;
  readonly fleet: Fleet;
  readonly people: People;
  readonly weather = new Weather();
  readonly log: string[] = [];
  readonly faults = new Map<string, number>();
  readonly #begun: number;

  constructor({ seed, verbose = false }: { readonly seed: number; readonly verbose?: boolean }) {
    const chance = new Chance(seed);
    this.cluster = new Cluster(chance);
    const { clock, server, kubelet, metrics } = this.cluster;
    this.#begun = clock.now();
    // Of every fourth schedule the server lists by pages only.
    server.streamsLists = seed % 4 !== 0;
    this.invariants = new InvariantWatch(this.cluster, SUBJECT, this.weather);
    this.storm = new Storm(clock, chance.part('network'), this.weather);
    for (const component of ['chat', 'realtime', 'voice']) {
      kubelet.brokenImages.add(image(component, BROKEN));
      metrics.badImages.add(image(component, BAD));
    }
    this.people = new People(server, () => (this.weather.editedAt = clock.now()));
    if (verbose)
      server.onChange((change) => {
        if (isOperatorWrite(change)) this.note(writeLine(change));
      });
    const election = chance.happens(0.5);
    this.fleet = new Fleet({
      cluster: this.cluster,
      network: this.storm,
      chance: chance.part('operators'),
      election,
      replicas: election && chance.happens(0.5) ? 2 : 1,
      onFailure: (message) => this.invariants.report(0, message),
      onLog: (level, message) => {
        if (verbose && level !== 'debug') this.note(`  ${level}: ${message.slice(0, 200)}`);
      },
    });
  }

  note(text: string): void {
    this.log.push(`${((this.cluster.clock.now() - this.#begun) / 1000).toFixed(3).padStart(8)} ${text}`);
  }

  get status(): Status {
    return this.people.subject?.status ?? {};
  }

  get simulatedMs(): number {
    return this.cluster.clock.now() - this.#begun;
  }

  /** Time passes, and every moment is looked at. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= SLICE_MS) {
      await this.cluster.clock.advance(Math.min(SLICE_MS, left));
      if (this.fleet.processes.every(({ leading }) => !leading))
        this.weather.operatorTroubledAt = this.cluster.clock.now();
      this.invariants.moment();
    }
  }

  /** Passes until the condition holds. Returns whether it came to hold. */
  async until(condition: () => boolean, limitMs: number): Promise<boolean> {
    for (let left = limitMs; left > 0 && !condition(); left -= 1000) await this.pass(1000);
    return condition();
  }

  livePods(): Pod[] {
    return ownedBy(this.cluster, pods, SUBJECT).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  count(kind: Kind): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
  }
}
