// One run of a path, undisturbed or with the operator killed at one of its writes, and what is there at the end.
import {
  configMaps,
  deployments,
  type KubeObject,
  podDisruptionBudgets,
  pods,
  type ResourceType,
  secrets,
  services,
} from '@assistant-platform/runtime';
import { controllerRevisions } from '../../../operator/controller/resources.ts';
import type { Status } from '../../../operator/rollout/state.ts';
import { httpRoutes } from '../../../operator/traffic/httpRoute.ts';
import { InvariantWatch, type Violation } from '../invariants/invariants.ts';
import { ownedBy } from '../invariants/truth.ts';
import { Weather } from '../invariants/weather.ts';
import { Chance } from '../random.ts';
import { BAD, BROKEN } from '../schedule/actions.ts';
import { Fleet } from '../schedule/fleet.ts';
import { People } from '../schedule/people.ts';
import { image, STRATEGIES, SUBJECT } from '../schedule/specs.ts';
import type { CallInfo, Mishap, Network } from '../server/network.ts';
import { without, type Tree } from '../server/trees.ts';
import { Cluster } from '../world/cluster.ts';
import type { Path } from './paths.ts';

/** What a story may do with time. */
export interface Scene {
  readonly pass: (ms: number) => Promise<void>;
  /** Until nothing was written for a while. */
  readonly quiet: () => Promise<void>;
}

/** Where the operator is killed: at its write number `write` (from 0) since the story began. */
export interface KillPoint {
  readonly write: number;
  readonly when: 'Before' | 'After';
}

export interface End {
  /** The final state without names of pods, times and counts of sessions. */
  readonly state: Readonly<Record<string, unknown>>;
  /** The operator's writes during the story, each as a line. */
  readonly writes: readonly string[];
  readonly violations: readonly Violation[];
  readonly killed: boolean;
}

const SLICE_MS = 500;
const INSTALL_MS = 6000;
const QUIET_MS = 25_000;
const QUIET_WITHIN_MS = 400_000;
/** Not counted as points: they are written by the way, and nothing follows from them. */
const ASIDE = new Set(['leases.coordination.k8s.io', 'events.events.k8s.io']);

/** Counts the writes of the operator, and kills it at one of them. */
class KillSwitch implements Network {
  readonly writes: string[] = [];
  counting = false;
  killed = false;
  readonly #point: KillPoint | null;

  constructor(point: KillPoint | null) {
    this.#point = point;
  }

  latency(): number {
    return 1;
  }

  watchLag(): number {
    return 2;
  }

  replays(): number {
    return 0;
  }

  mishap(call: CallInfo): Mishap | undefined {
    if (!this.counting || !call.writes || ASIDE.has(call.resource)) return undefined;
    const number = this.writes.length;
    this.writes.push(`${call.verb} ${call.resource.split('.')[0] ?? ''} ${call.ref?.name ?? ''}`);
    if (this.killed || number !== this.#point?.write) return undefined;
    this.killed = true;
    return { kind: 'ClientDies', when: this.#point.when };
  }
}

/** Runs a path. Deterministic. */
export async function play(path: Path, point: KillPoint | null): Promise<End> {
  const chance = new Chance(1);
  const cluster = new Cluster(chance);
  for (const component of ['chat', 'realtime', 'voice']) {
    cluster.kubelet.brokenImages.add(image(component, BROKEN));
    cluster.metrics.badImages.add(image(component, BAD));
  }
  const weather = new Weather();
  const invariants = new InvariantWatch(cluster, SUBJECT, weather);
  const network = new KillSwitch(point);
  const people = new People(cluster.server, () => (weather.editedAt = cluster.clock.now()));
  const fleet = new Fleet({
    ...{ cluster, network, chance: chance.part('operators'), replicas: 1, election: false },
    onFailure: (message) => invariants.report(0, message),
  });
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= SLICE_MS) {
      await cluster.clock.advance(Math.min(SLICE_MS, left));
      invariants.moment();
    }
  };
  const quiet = async (): Promise<void> => {
    let last = invariants.writes;
    for (let still = 0, left = QUIET_WITHIN_MS; still < QUIET_MS; still += 1000, left -= 1000) {
      await pass(1000);
      if (invariants.writes !== last) still = -1000;
      last = invariants.writes;
      if (left <= 0) {
        invariants.report(8, `still writing after ${QUIET_WITHIN_MS / 1000} s`);
        return;
      }
    }
  };
  if (path.fromNothing !== true) {
    people.create(STRATEGIES[path.strategy ?? 'canary']);
    await pass(INSTALL_MS);
  }
  network.counting = true;
  await path.story(people, { pass, quiet });
  for (const process of fleet.processes) process.kill();
  return {
    state: stateOf(cluster, people),
    writes: network.writes,
    violations: invariants.violations,
    killed: network.killed,
  };
}

function stateOf(cluster: Cluster, people: People): Record<string, unknown> {
  const status = (people.subject?.status ?? {}) as Status;
  const { metadata } = people.subject ?? {};
  const all = <T extends KubeObject>(type: ResourceType<T>): T[] => ownedBy(cluster, type, SUBJECT);
  const specs = <T extends KubeObject>(type: ResourceType<T>): Record<string, unknown> =>
    Object.fromEntries(
      all(type).map((object) => [object.metadata.name, timeless((object as unknown as Tree)['spec'])]),
    );
  return {
    subject:
      people.subject === undefined
        ? null
        : { finalizers: metadata?.finalizers, annotations: timeless(metadata?.annotations ?? {}) },
    status: timeless(without(status as Tree, 'observedGeneration')),
    deployments: specs(deployments),
    draining: all(deployments).map((object) => [
      object.metadata.name,
      Object.keys(object.metadata.annotations ?? {}).sort(),
    ]),
    services: specs(services),
    budgets: specs(podDisruptionBudgets),
    routes: specs(httpRoutes),
    revisions: Object.fromEntries(
      all(controllerRevisions).map(({ metadata: { name }, revision, data }) => [
        name,
        { revision, data: timeless(data) },
      ]),
    ),
    secrets: all(secrets).map((secret) => secret.metadata.name),
    configMaps: Object.fromEntries(all(configMaps).map((map) => [map.metadata.name, map.data])),
    pods: all(pods)
      .filter((pod) => pod.metadata.deletionTimestamp === undefined)
      .map(
        ({ metadata: { labels = {} } }) =>
          `${labels['assistant-platform.io/component']} ${labels['assistant-platform.io/revision']}`,
      )
      .sort(),
    traffic: cluster.gateway
      .routes()
      .map((route) => [route, cluster.gateway.shares(route).filter(({ weight }) => weight > 0)]),
  };
}

/** Fields that tell times or how many people happen to be connected. */
const PASSING = new Set(['sockets', 'busy', 'observed', 'connections', 'value', 'stableValue', 'samples']);
const TIME = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;
/** What Kubernetes says of pods that do not become ready: at a deadline it may not have come to it yet. */
const TROUBLE = /(?<=pods ready); [A-Z]\w+: .*?(?=; retry it|$)/g;

/** The value without what differs from run to run: times, counts of sessions, and what is wrong with a pod. */
export function timeless(value: unknown): unknown {
  if (typeof value === 'string')
    return value
      .replaceAll(TIME, '(time)')
      .replaceAll(TROUBLE, '')
      .replaceAll(/generation \d+/g, 'generation (n)');
  if (Array.isArray(value)) return value.map(timeless);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !PASSING.has(name))
      .map(([name, member]) => [name, timeless(member)]),
  );
}
