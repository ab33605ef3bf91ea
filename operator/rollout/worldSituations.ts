// Single situations for tests: a snapshot put together from what matters, without a run that leads there. Two revisions, `a` (stable) and `b` (update).
import { gatherFacts, type Facts } from './facts.ts';
import { sampleRelease } from './releases.ts';
import type { Release } from './release.ts';
import type { Pod, RevisionRecord, Route, RouteAcceptance, Sessions, Snapshot, Workload } from './snapshot.ts';
import type { Progress, Status } from './state.ts';
import { World } from './world.ts';

export const NOW = Date.UTC(2026, 0, 1, 12);

const ACCEPTED: RouteAcceptance = { kind: 'Accepted' };

/** A record of a revision with these components. */
export const recordOf = (hash: string, components: readonly string[], sequence = 1): RevisionRecord => ({
  ...{ hash, release: `release ${hash}`, sequence, references: {}, source: null },
  components: Object.fromEntries(components.map((name) => [name, { port: 8080, adminPort: 9090, template: {} }])),
});

/** A ready pod that has said how many sessions are open. */
export const podOf = (revision: string, component: string, change: Partial<Pod> = {}): Pod => ({
  ...{ name: `${component}-${revision}`, uid: 'u', component, revision, ip: '198.18.0.1', running: true, ready: true },
  ...({ phase: change.running === false ? 'Pending' : 'Running' } as const),
  ...{ terminating: false, removal: null, createdAt: NOW - 60_000, drain: null, trouble: null },
  sessions: sessions(0),
  ...change,
});

export const sessions = (open: number, busy = 0, draining = false): Sessions => ({
  kind: 'known',
  open,
  busy,
  draining,
});

export const workloadOf = (revision: string, component: string, change: Partial<Workload> = {}): Workload => ({
  ...{ name: `${component}-${revision}`, component, revision, replicas: 1, drain: null, digest: '' },
  resourceVersion: '1',
  ...change,
});

/** A route with weights by revision. */
export const routeOf = (
  component: string,
  weights: Readonly<Record<string, number>>,
  acceptance: RouteAcceptance = ACCEPTED,
): Route => ({
  ...{ component, name: `support-${component}`, generation: 2, resourceVersion: '1', acceptance },
  intent: {
    ...{ component, path: '/', parentRef: { name: 'public', namespace: 'gateway-system' }, hostnames: [] },
    backends: Object.entries(weights).map(([revision, weight]) => ({ revision, weight, port: 8080 })),
    byHeader: [],
    stickiness: { by: 'None' },
  },
});

/** A snapshot in which `a` and `b` have chat and realtime, one ready pod each. */
export function snapshotOf(change: Partial<Snapshot> = {}, release: Release = sampleRelease('1.0.0')): Snapshot {
  const empty = new World(release, {}, NOW).snapshot();
  const units = ['a', 'b'].flatMap((revision) => ['chat', 'realtime'].map((component) => ({ revision, component })));
  return {
    ...empty,
    records: [recordOf('a', ['chat', 'realtime'], 1), recordOf('b', ['chat', 'realtime'], 2)],
    pods: units.map(({ revision, component }) => podOf(revision, component)),
    workloads: units.map(({ revision, component }) => workloadOf(revision, component)),
    ...change,
  };
}

export const factsOf = (change: Partial<Snapshot> = {}, release?: Release): Facts =>
  gatherFacts(snapshotOf(change, release));

/** The rollout of `b` at 20 %, verified. */
export const progressOf = (change: Partial<Progress> = {}): Progress => ({
  stable: { hash: 'a', release: '1.0.0' },
  update: { hash: 'b', release: '1.1.0' },
  step: null,
  ...{ requested: 20, routed: 20, pauses: [], analysis: [], abort: null, history: [] },
  ...change,
});

/** A snapshot whose status is this. */
export const withStatus = (snapshot: Snapshot, status: Status): Snapshot => ({
  ...snapshot,
  subject: { ...snapshot.subject, status },
});
