// The snapshot seen through the questions of the decision.
import { describe, expect, it } from 'vitest';
import { gatherFacts, isEmpty, openSockets } from './facts.ts';
import { sampleRelease } from './releases.ts';
import { targetOf } from './revision.ts';
import type { Pod } from './snapshot.ts';
import { factsOf, podOf, recordOf, routeOf, sessions, snapshotOf, workloadOf } from './worldSituations.ts';

const DRAIN = { startedAt: 0, deadline: 1 };

describe('the components of a revision', () => {
  it('are those of its record, in order, whatever runs', () => {
    const f = factsOf({ records: [recordOf('a', ['realtime', 'chat'])], workloads: [workloadOf('a', 'other')] });
    expect(f.components('a')).toEqual(['chat', 'realtime']);
  });

  it('without a record are those of the spec, if it is the one that the spec asks for', () => {
    const release = sampleRelease('1.0.0', undefined, ['realtime', 'chat']);
    const target = targetOf(release, {});
    const hash = target.kind === 'Known' ? target.hash : '';
    expect(factsOf({ records: [], workloads: [workloadOf(hash, 'old')] }, release).components(hash)).toEqual([
      'chat',
      'realtime',
    ]);
  });

  it('without either are those that have Deployments', () => {
    const workloads = [workloadOf('x', 'realtime'), workloadOf('x', 'chat'), workloadOf('y', 'search')];
    expect(factsOf({ records: [], workloads }).components('x')).toEqual(['chat', 'realtime']);
    expect(factsOf({ records: [], workloads }).components('nobody')).toEqual([]);
  });
});

it('revisions are all that have a record or an object: the unknown ones first, then by age', () => {
  const f = factsOf({
    records: [recordOf('young', ['chat'], 9), recordOf('old', ['chat'], 2)],
    workloads: [workloadOf('young', 'chat'), workloadOf('stray', 'chat')],
    pods: [podOf('lost', 'chat'), podOf('old', 'chat')],
  });
  expect(f.revisions).toEqual(['lost', 'stray', 'old', 'young']);
});

it('what is not there is null, and a unit without anything', () => {
  const f = gatherFacts(snapshotOf({ records: [], pods: [], workloads: [], routes: [routeOf('chat', {})] }));
  expect([f.record('a'), f.route('realtime'), f.route('chat')?.name]).toEqual([null, null, 'support-chat']);
  expect(f.unit('a', 'chat')).toEqual({
    ...{ component: 'chat', revision: 'a', workload: null, pods: [], leaving: [], available: 0 },
    ...{ sockets: 0, socketsKnown: true },
  });
});

describe('a unit', () => {
  const unit = (...pods: Partial<Pod>[]) =>
    factsOf({ pods: pods.map((change, index) => podOf('a', 'chat', { name: `pod-${index}`, ...change })) }).unit(
      'a',
      'chat',
    );

  it('counts as available what is ready, not leaving and not told to drain', () => {
    expect(unit({}, {}, { ready: false }, { drain: DRAIN }, { sessions: sessions(0, 0, true) }).available).toBe(2);
  });

  it('of a revision that is drained has only those that say that they accept: others may have been told before we looked', () => {
    const pods = [sessions(2), sessions(0, 0, true), { kind: 'unknown' } as const, { kind: 'unsupported' } as const];
    const available = (drain: typeof DRAIN | null): number =>
      factsOf({
        workloads: [workloadOf('a', 'chat', { drain, replicas: pods.length })],
        pods: pods.map((said, index) => podOf('a', 'chat', { name: `pod-${index}`, sessions: said })),
      }).unit('a', 'chat').available;
    expect([available(DRAIN), available(null)]).toEqual([1, 3]);
  });

  it('does not have pods that are being deleted', () => {
    expect(unit({}, { terminating: true }).pods.map(({ name }) => name)).toEqual(['pod-0']);
  });

  it('has its pods by name, and those that leave', () => {
    const { pods, leaving } = unit({ name: 'c' }, { name: 'a' }, { name: 'b', drain: DRAIN });
    expect([pods, leaving].map((each) => each.map(({ name }) => name))).toEqual([['a', 'b', 'c'], ['b']]);
  });

  it('sums open sessions, and knows when that is a lower bound', () => {
    const silent = { sessions: { kind: 'unknown' } } as const;
    expect(unit({ sessions: sessions(3) }, { sessions: sessions(4) })).toMatchObject({
      sockets: 7,
      socketsKnown: true,
    });
    expect(unit({ sessions: sessions(3) }, silent)).toMatchObject({ sockets: 3, socketsKnown: false });
    expect(unit(silent, silent)).toMatchObject({ sockets: 0, socketsKnown: false });
    expect(unit({ sessions: sessions(3) }, { ...silent, running: false })).toMatchObject({
      sockets: 3,
      socketsKnown: true,
    });
    expect(unit({ sessions: { kind: 'unsupported' } })).toMatchObject({ sockets: 0, socketsKnown: true });
  });
});

it('a pod that does not run holds no sessions, whatever it said before', () => {
  expect(openSockets(podOf('a', 'chat', { sessions: sessions(3) }))).toBe(3);
  expect(openSockets(podOf('a', 'chat', { sessions: sessions(3), running: false }))).toBe(0);
  expect(isEmpty(podOf('a', 'chat', { sessions: sessions(3), running: false }))).toBe(true);
});
