// One schedule from its beginning to its end: a cluster, the real operator on it, people and faults; then everything heals, and what is left is looked at.
import { type Pod, pods } from '@assistant-platform/runtime';
import type { Status } from '../../../operator/rollout/state.ts';
import { InvariantWatch, isOperatorWrite, type Violation } from '../invariants/invariants.ts';
import { ownedBy } from '../invariants/truth.ts';
import { Weather } from '../invariants/weather.ts';
import { Chance } from '../random.ts';
import { Cluster } from '../world/cluster.ts';
import { type Action, BAD, BROKEN, isFault, type Kind, line } from './actions.ts';
import { Fleet } from './fleet.ts';
import { People } from './people.ts';
import { image, SUBJECT } from './specs.ts';
import { Storm } from './storm.ts';

export interface Outcome {
  readonly violations: readonly Violation[];
  /** What happened, for the person who reads a failing schedule. */
  readonly log: readonly string[];
  readonly figures: Figures;
}

/** Sums over schedules. */
export interface Figures {
  readonly steps: number;
  readonly writes: number;
  readonly requests: number;
  readonly simulatedMs: number;
  readonly sessions: number;
  readonly kills: number;
  readonly handOvers: number;
  /** Actions that are faults, and mishaps that came to pass, by kind. */
  readonly faults: ReadonlyMap<string, number>;
}

export interface RunOptions {
  /** Chance of everything inside the world: latencies, sessions. */
  readonly seed: number;
  readonly actions: readonly Action[];
  /** Keeps every write and log line. */
  readonly verbose?: boolean;
}

const SLICE_MS = 250;
const HEALED_WITHIN_MS = 600_000;
/** Sessions at rest are asked for once a minute: two such looks settle their counts. */
const QUIET_MS = 150_000;
const REST_MS = 300_000;
const GONE_WITHIN_MS = 120_000;

class Run {
  readonly cluster: Cluster;
  readonly invariants: InvariantWatch;
  readonly storm: Storm;
  readonly fleet: Fleet;
  readonly people: People;
  readonly weather = new Weather();
  readonly log: string[] = [];
  readonly faults = new Map<string, number>();
  readonly #begun: number;

  constructor({ seed, verbose = false }: RunOptions) {
    const chance = new Chance(seed);
    this.cluster = new Cluster(chance);
    const { clock, server, kubelet, metrics } = this.cluster;
    this.#begun = clock.now();
    this.invariants = new InvariantWatch(this.cluster, SUBJECT, this.weather);
    this.storm = new Storm(clock, chance.part('network'), this.weather);
    for (const component of ['chat', 'realtime', 'voice']) {
      kubelet.brokenImages.add(image(component, BROKEN));
      metrics.badImages.add(image(component, BAD));
    }
    this.people = new People(server, () => (this.weather.editedAt = clock.now()));
    if (verbose)
      server.onChange((change) => {
        if (isOperatorWrite(change)) this.note(describeWrite(change.type, change.resource, change.object));
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

async function perform(action: Action, run: Run): Promise<void> {
  const { people, storm, fleet, cluster } = run;
  if (isFault(action)) run.count(action.do);
  run.note(`> ${line(action)}`);
  switch (action.do) {
    case 'wait':
      return run.pass(action.ms);
    case 'release': {
      people.release(action.version);
      return;
    }
    case 'strategy': {
      people.strategy(action.kind);
      return;
    }
    case 'replicas': {
      people.scale(action.count);
      return;
    }
    case 'pause': {
      people.pause(action.on);
      return;
    }
    case 'promote': {
      people.verb('promote', action.how);
      return;
    }
    case 'abort': {
      people.verb('abort', 'too many errors');
      return;
    }
    case 'retry': {
      people.verb('retry', '');
      return;
    }
    case 'undo': {
      people.undo();
      return;
    }
    case 'restart':
      people.restart(cluster.clock.now());
      return;
    case 'delete': {
      people.delete();
      return;
    }
    case 'create': {
      people.create();
      return;
    }
    case 'config': {
      people.configure(action.value);
      return;
    }
    case 'components': {
      people.compose(action.set);
      return;
    }
    case 'refuse': {
      storm.next({ kind: 'Refused', code: action.code }, action.times, ({ verb, writes }) =>
        action.code === 410 ? verb === 'list' || verb === 'watch' : action.code !== 409 || writes,
      );
      return;
    }
    case 'lose': {
      storm.next({ kind: action.what === 'request' ? 'RequestLost' : 'AnswerLost' }, action.times);
      return;
    }
    case 'slow': {
      storm.slow(action.ms, action.forMs);
      return;
    }
    case 'stale': {
      storm.stale(action.what, action.ms, action.forMs);
      return;
    }
    case 'dropWatches': {
      fleet.dropWatches();
      return;
    }
    case 'forgetHistory':
      cluster.server.forget();
      {
        fleet.dropWatches();
        return;
      }
    case 'replay':
      storm.replay(action.events);
      {
        fleet.dropWatches();
        return;
      }
    case 'kill':
      fleet.skew(action.skewMs);
      {
        storm.deathAt(action.writes, action.when);
        return;
      }
    case 'handOver': {
      fleet.handOver();
      return;
    }
    case 'partition': {
      storm.cutOff(fleet.leader?.identity ?? '', action.forMs);
      return;
    }
    case 'podDies':
    case 'podCrashes': {
      losePod(action, run);
      return;
    }
    case 'stall':
      cluster.gateway.stall(true);
      cluster.clock.timer(action.forMs, () => cluster.gateway.stall(false));
      return;
    case 'metricsDown':
      cluster.metrics.down = true;
      cluster.clock.timer(action.forMs, () => (cluster.metrics.down = false));
      return;
    case 'metricsSilent':
      cluster.metrics.silent = true;
      cluster.clock.timer(action.forMs, () => (cluster.metrics.silent = false));
      return;
    case 'stubborn':
      cluster.sessions.stubborn = action.on;
  }
}

function losePod(action: Extract<Action, { index: number }>, run: Run): void {
  const live = run.livePods();
  const pod = live[action.index % Math.max(1, live.length)];
  if (pod === undefined) return;
  run.weather.podLostAt = run.cluster.clock.now();
  if (action.do === 'podDies') run.cluster.kubelet.kill(pod);
  else {
    run.weather.crashedAt.set(pod.metadata.uid ?? '', run.cluster.clock.now());
    run.cluster.kubelet.crash(pod);
  }
}

/** The weather clears, and a good release is asked for: it must arrive, whatever came before. */
async function heal(run: Run): Promise<void> {
  run.note('> everything heals');
  run.storm.calm();
  run.fleet.skew(0);
  run.cluster.gateway.stall(false);
  run.cluster.sessions.stubborn = false;
  if (run.people.subject?.metadata.deletionTimestamp !== undefined)
    await run.until(() => run.people.subject === undefined, GONE_WITHIN_MS + 60_000);
  // An order that nobody has read yet would be taken for the release that comes now.
  if (!(await run.until(() => !run.people.waits, 90_000)))
    run.invariants.report(7, 'an order was not taken within 90 s');
  run.people.create();
  run.people.pause(false);
  run.people.strategy('short');
  run.people.compose('both');
  run.people.release('2.0.0');
  const healthy = (): boolean =>
    run.status.phase === 'Healthy' &&
    run.status.stableRevision?.release === '2.0.0' &&
    (run.status.draining ?? []).length === 0;
  if (!(await run.until(healthy, HEALED_WITHIN_MS)))
    run.invariants.report(
      7,
      `not healthy within ${HEALED_WITHIN_MS / 60_000} min of good weather: ${run.status.phase}: ${run.status.message}`,
    );
}

/** Invariant 8: at rest nothing is written; and only the stable revision has pods. */
async function rest(run: Run): Promise<void> {
  let { writes } = run.invariants;
  let quietMs = 0;
  for (let left = HEALED_WITHIN_MS; left > 0 && quietMs < QUIET_MS; left -= 1000) {
    await run.pass(1000);
    quietMs = run.invariants.writes === writes ? quietMs + 1000 : 0;
    ({ writes } = run.invariants);
  }
  await run.pass(REST_MS);
  if (run.invariants.writes !== writes) run.invariants.report(8, `${run.invariants.writes - writes} writes at rest`);
  const stable = run.status.stableRevision?.hash ?? '';
  const strays = run.invariants.pods().filter((pod) => !pod.endsWith(stable));
  if (strays.length > 0) run.invariants.report(9, `pods of old revisions at rest: ${strays.join(', ')}`);
}

/** Invariants 3 and 9: deleting drains first and leaves nothing. */
async function remove(run: Run): Promise<void> {
  run.note('> delete');
  run.people.delete();
  if (!(await run.until(() => run.people.subject === undefined, GONE_WITHIN_MS)))
    run.invariants.report(9, 'deleted, but not gone within two minutes');
  await run.pass(5000);
  run.invariants.checkLeftovers();
}

/** Runs a schedule. Deterministic: the same options give the same outcome. */
export async function runSchedule(options: RunOptions): Promise<Outcome> {
  const run = new Run(options);
  run.people.create();
  await run.pass(4000);
  for (const action of options.actions) {
    await perform(action, run);
    await run.pass(50);
  }
  await heal(run);
  await rest(run);
  await remove(run);
  for (const process of run.fleet.processes) process.kill();
  const { invariants, storm, fleet, cluster, faults } = run;
  for (const [kind, times] of storm.happened) faults.set(`${kind} (requests)`, times);
  return {
    violations: invariants.violations,
    log: run.log,
    figures: {
      steps: options.actions.length,
      writes: invariants.writes,
      requests: storm.requests,
      simulatedMs: run.simulatedMs,
      sessions: cluster.sessions.opened,
      kills: fleet.kills,
      handOvers: fleet.handOvers,
      faults,
    },
  };
}

function describeWrite(type: string, resource: string, object: object): string {
  const { metadata, status, spec } = object as {
    metadata: { name: string };
    status?: Status;
    spec?: { replicas?: number; rules?: { backendRefs?: { name: string; weight?: number }[] }[] };
  };
  const detail =
    resource === 'assistantdeployments.assistant-platform.io'
      ? `${status?.phase} ${status?.stableRevision?.hash}>${status?.updateRevision?.hash} step ${status?.step?.index} weight ${status?.weight?.requested}/${status?.weight?.routed} ${(status?.blockedBy ?? []).map(({ reason }) => reason).join(',')}`
      : resource.startsWith('httproutes')
        ? (spec?.rules?.at(-1)?.backendRefs ?? []).map((ref) => `${ref.name}:${ref.weight}`).join(' ')
        : resource.startsWith('deployments')
          ? `replicas ${spec?.replicas}`
          : '';
  return `${type} ${resource.split('.')[0]} ${metadata.name} ${detail}`;
}
