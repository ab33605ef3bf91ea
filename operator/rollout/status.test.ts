// What is published: phase, message, conditions and counts of single situations.
import { describe, expect, it } from 'vitest';
import { mergeConditions, type ConditionValue } from './conditions.ts';
import { sampleRelease } from './releases.ts';
import { withRefusal } from './refusal.ts';
import { targetOf } from './revision.ts';
import type { Pod, Snapshot } from './snapshot.ts';
import type { Abort, BlockedBy, Condition, Progress, Status } from './state.ts';
import { publish } from './status.ts';
import { gatherFacts } from './facts.ts';
import type { Verification } from './routes.ts';
import { NOW, podOf, progressOf, sessions, snapshotOf, workloadOf } from './worldSituations.ts';

const VERIFIED: Verification = { kind: 'Verified', share: 20 };
const RELEASE = sampleRelease('1.1.0');
const target = targetOf(RELEASE, {});
const WANTED = target.kind === 'Known' ? target.hash : '';

interface Given {
  readonly snapshot: Partial<Snapshot>;
  readonly waits: readonly BlockedBy[];
  readonly routes: Verification;
  readonly before: Status;
  readonly deleting: boolean;
}

/** The status of a rollout to what the spec asks for. `b` stands for its revision. */
function published(
  change: Partial<Progress> = {},
  { snapshot = {}, waits = [], routes = VERIFIED, before = {}, deleting = false }: Partial<Given> = {},
): Status {
  const named = JSON.parse(JSON.stringify(snapshotOf(snapshot, RELEASE)).replaceAll('"b"', `"${WANTED}"`)) as Snapshot;
  const f = gatherFacts({ ...named, subject: { ...named.subject, status: before, deleting } });
  const p = progressOf(change);
  const update = p.update?.hash === 'b' ? { ...p.update, hash: WANTED } : p.update;
  const stable = p.stable?.hash === 'b' ? { ...p.stable, hash: WANTED } : p.stable;
  return publish({ p: { ...p, update, stable }, f, routes, blockedBy: waits, now: NOW });
}

const wait = (reason: string, message = 'seen', secondsAgo = 0): BlockedBy => ({
  ...{ reason, message },
  since: new Date(NOW - secondsAgo * 1000).toISOString(),
});
const AT_REST: Partial<Progress> = {
  stable: { hash: 'b', release: '1.1.0' },
  update: { hash: 'b', release: '1.1.0' },
  requested: 100,
  routed: 100,
};
const ABORT: Abort = { at: new Date(NOW).toISOString(), reason: 'bad', by: 'User' };
const condition = (status: Status, type: string): Condition | undefined =>
  status.conditions?.find((each) => each.type === type);
const unready = (...units: string[]): Pod[] =>
  ['a', 'b'].flatMap((revision) =>
    ['chat', 'realtime'].map((component) =>
      podOf(revision, component, { ready: !units.includes(`${revision}/${component}`) }),
    ),
  );

describe('the phase', () => {
  it.each<[string, Status]>([
    ['Progressing', published({ stable: null })],
    ['Progressing', published()],
    ['Paused', published({}, { waits: [wait('CanaryPauseStep')] })],
    ['Paused', published({}, { waits: [wait('MetricNoData'), wait('BlueGreenPause')] })],
    ['Paused', published({}, { waits: [wait('SpecPaused')] })],
    ['Progressing', published({}, { waits: [wait('PodsNotReady')] })],
    ['Healthy', published(AT_REST)],
    ['Progressing', published(AT_REST, { waits: [wait('PodsNotReady')] })],
    ['Paused', published(AT_REST, { waits: [wait('SpecPaused')] })],
    ['Degraded', published(AT_REST, { snapshot: { pods: unready('b/chat') } })],
    ['RollingBack', published({ abort: ABORT })],
    ['RollingBack', published({ abort: ABORT, routed: 0 })],
    ['RollingBack', published({ abort: ABORT }, { routes: { kind: 'Verified', share: 0 } })],
    [
      'RollingBack',
      published(
        { abort: ABORT, routed: 0 },
        { routes: { kind: 'Waiting', wait: { reason: 'RouteSettling', message: '' } } },
      ),
    ],
    ['Degraded', published({ abort: ABORT, routed: 0 }, { routes: { kind: 'Verified', share: 0 } })],
    [
      'RollingBack',
      published({ update: { hash: 'c', release: '1.0.5' }, routed: 0 }, { routes: { kind: 'Verified', share: 0 } }),
    ],
    ['Terminating', published(AT_REST, { deleting: true })],
  ])('%s', (phase, status) => {
    expect(status.phase).toBe(phase);
  });
});

describe('the message', () => {
  it.each<[string, Status]>([
    ['1.1.0 is stable and serves all traffic', published(AT_REST)],
    ['holding at 20 %: seen', published({}, { waits: [wait('PodsNotReady'), wait('RouteUpdating', 'other')] })],
    ['seen', published({ stable: null }, { waits: [wait('PodsNotReady')] })],
    ['seen', published({ abort: ABORT }, { waits: [wait('Aborted')] })],
    ['seen', published(AT_REST, { waits: [wait('PodsNotReady')] })],
    ['seen', published({}, { waits: [wait('DrainBeforeDeletion')], deleting: true })],
    ['Progressing', published()],
  ])('%s', (message, status) => {
    expect(status.message).toBe(message);
  });
});

describe('conditions', () => {
  const of = (status: Status, type: string) => {
    const { status: holds, reason, message } = condition(status, type) ?? {};
    return [holds, reason, message];
  };
  const stuck = (...waits: BlockedBy[]) => published({}, { waits });

  it('Ready: what the spec asks for is stable, has its pods, and its routes are verified', () => {
    expect(of(published(AT_REST), 'Ready')).toEqual([
      'True',
      'RolloutCompleted',
      '1.1.0 is stable and serves all traffic',
    ]);
    const waiting: Verification = { kind: 'Waiting', wait: { reason: 'RouteSettling', message: '' } };
    expect(of(published(AT_REST, { routes: waiting }), 'Ready').slice(0, 2)).toEqual(['False', 'Healthy']);
    const older = { stable: { hash: 'a', release: '1.0.0' }, update: { hash: 'a', release: '1.0.0' } };
    expect(of(published({ ...AT_REST, ...older }), 'Ready')[0]).toBe('False');
    expect(of(published(), 'Ready').slice(0, 2)).toEqual(['False', 'Progressing']);
  });

  it('Progressing: true while something goes on; false when it has ended, was aborted, or is stuck', () => {
    expect(of(published(), 'Progressing')).toEqual(['True', 'RolloutProgressing', '']);
    expect(of(published({ stable: null }), 'Progressing')[0]).toBe('True');
    expect(of(published(AT_REST), 'Progressing')).toEqual(['False', 'RolloutCompleted', '']);
    expect(of(published({}, { deleting: true }), 'Progressing')[0]).toBe('False');
    expect(of(published({ abort: ABORT }), 'Progressing')).toEqual(['False', 'RolloutAborted', 'bad']);
    expect(of(stuck(wait('PodsNotReady', 'seen', 60)), 'Progressing')).toEqual([
      ...['False', 'ProgressDeadlineExceeded', 'holding at 20 %: seen'],
    ]);
  });

  it('Degraded: stuck from the progress deadline on, by what should happen by itself', () => {
    expect(of(stuck(wait('PodsNotReady', 'seen', 59)), 'Degraded')).toEqual(['False', 'AsWanted', '']);
    expect(of(stuck(wait('CanaryPauseStep'), wait('RouteUpdating', '', 60)), 'Degraded').slice(0, 2)).toEqual([
      ...['True', 'ProgressDeadlineExceeded'],
    ]);
    expect(of(stuck(wait('CanaryPauseStep', '', 999), wait('Invented', '', 999)), 'Degraded')[0]).toBe('False');
    expect(of(published(AT_REST, { snapshot: { pods: unready('b/chat') } }), 'Degraded')).toEqual([
      ...['True', 'StableUnavailable', 'Degraded'],
    ]);
    const aborted = published({ abort: ABORT, routed: 0 }, { routes: { kind: 'Verified', share: 0 } });
    expect(of(aborted, 'Degraded')).toEqual(['True', 'RolloutAborted', 'Degraded']);
  });

  it('Paused: by whom', () => {
    expect(of(published({}, { waits: [wait('SpecPaused')] }), 'Paused')).toEqual([
      'True',
      'SpecPaused',
      'holding at 20 %: seen',
    ]);
    expect(of(published(), 'Paused')).toEqual(['False', 'NotPaused', '']);
  });

  it('Draining: while sessions are moved, and whether by time alone', () => {
    const drain = { startedAt: NOW - 1000, deadline: NOW + 1000 };
    const leaving = (change: Partial<Pod>) =>
      published({}, { snapshot: { pods: [podOf('a', 'chat', { drain, ...change })] } });
    expect(of(published(), 'Draining')).toEqual(['False', 'NothingDrains', '']);
    expect(of(leaving({}), 'Draining')).toEqual(['True', 'SessionsOpen', '']);
    expect(of(leaving({ sessions: { kind: 'unsupported' } }), 'Draining').slice(0, 2)).toEqual(['True', 'DrainByTime']);
    expect(of(leaving({ sessions: { kind: 'unsupported' }, ready: false }), 'Draining')[1]).toBe('SessionsOpen');
  });

  it('keep the time of their last change, and other people’s conditions', () => {
    const value: ConditionValue = { type: 'Ready', holds: true, reason: 'New', message: 'new' };
    const stored: Condition[] = [
      { type: 'Ready', status: 'True', reason: 'Old', message: 'old', lastTransitionTime: 'then' },
      { type: 'Theirs', status: 'Unknown', reason: 'R', message: 'm', lastTransitionTime: 'then' },
    ];
    expect(mergeConditions(stored, [value], 7, NOW)).toEqual([
      {
        type: 'Ready',
        status: 'True',
        reason: 'New',
        message: 'new',
        observedGeneration: 7,
        lastTransitionTime: 'then',
      },
      stored[1],
    ]);
    expect(mergeConditions(stored, [{ ...value, holds: false }], 7, NOW + 999)[0]).toMatchObject({
      ...{ status: 'False', lastTransitionTime: '2026-01-01T12:00:00Z' },
    });
  });
});

describe('counts', () => {
  const pods = (a: Pod['sessions'], b: Pod['sessions']): Partial<Snapshot> => ({
    pods: [podOf('a', 'chat', { sessions: a }), podOf('b', 'chat', { sessions: b })],
  });

  it('the share of open sessions, one decimal', () => {
    expect(published({}, { snapshot: pods(sessions(2), sessions(1)) }).weight).toEqual({
      requested: 20,
      routed: 20,
      observed: 33.3,
    });
    expect(published({}, { snapshot: pods(sessions(3), sessions(0)) }).weight?.observed).toBe(0);
  });

  it('none while a pod has not said, while nobody is there, and at rest', () => {
    expect(published({}, { snapshot: pods(sessions(2), { kind: 'unknown' }) }).weight?.observed).toBeUndefined();
    expect(published({}, { snapshot: pods(sessions(0), sessions(0)) }).weight?.observed).toBeUndefined();
    expect(published(AT_REST, { snapshot: pods(sessions(2), sessions(1)) }).weight?.observed).toBeUndefined();
    expect(published({ stable: null }, { snapshot: pods(sessions(2), sessions(1)) }).weight?.observed).toBeUndefined();
  });

  it('replicas and selector are those of realtime where there is one, for the autoscalers that read them', () => {
    const workloads = [workloadOf('b', 'realtime', { replicas: 7 }), workloadOf('b', 'chat', { replicas: 3 })];
    const { replicas, selector } = published(AT_REST, { snapshot: { workloads } });
    expect(replicas).toBe(7);
    expect(selector).toBe(
      `assistant-platform.io/name=support,assistant-platform.io/component=realtime,assistant-platform.io/revision=${WANTED}`,
    );
    expect(published(AT_REST, { snapshot: { workloads: [] } }).replicas).toBe(0);
    expect(published({ stable: null }).selector).toBeUndefined();
  });

  it('a drain past its deadline is forced while somebody is still there', () => {
    const drain = { startedAt: NOW - 2000, deadline: NOW };
    const drained = (open: Pod['sessions'], deadline = NOW, change: Partial<Pod> = {}) =>
      published(
        {},
        {
          snapshot: {
            pods: [podOf('a', 'chat', { sessions: open, ...change })],
            workloads: [workloadOf('a', 'chat', { drain: { ...drain, deadline } })],
          },
        },
      ).draining;
    expect(drained(sessions(2, 1, true))).toEqual([
      {
        ...{ hash: 'a', component: 'chat', sockets: 2, busy: 1, forced: true },
        startedAt: new Date(NOW - 2000).toISOString(),
        deadline: new Date(NOW).toISOString(),
      },
    ]);
    expect(drained(sessions(2, 1, true), NOW + 1)).toMatchObject([{ forced: false }]);
    expect(drained(sessions(0, 0, true))).toMatchObject([{ forced: false, sockets: 0 }]);
    expect(drained(sessions(2), NOW, { running: false })).toMatchObject([{ forced: false, sockets: 0, busy: 0 }]);
  });

  it('the windows of pods that leave one by one make one from the first to the last', () => {
    const leaving = (name: string, from: number, to: number) =>
      podOf('a', 'chat', { name, drain: { startedAt: NOW + from, deadline: NOW + to } });
    const { draining } = published({}, { snapshot: { pods: [leaving('x', -5000, 1000), leaving('y', -1000, 5000)] } });
    expect(draining).toMatchObject([
      { startedAt: new Date(NOW - 5000).toISOString(), deadline: new Date(NOW + 5000).toISOString() },
    ]);
  });
});

it('a message is as long as a condition may have it, and no character of it is halved', () => {
  const said = (message: string) =>
    withRefusal({}, { reason: 'WriteRefused', message }, 3, NOW).conditions?.[0]?.message ?? '';
  expect(said('x'.repeat(32_768))).toHaveLength(32_768);
  expect(said('x'.repeat(32_769))).toBe(`${'x'.repeat(32_767)}…`);
  expect(said(`${'x'.repeat(32_766)}😀😀`)).toBe(`${'x'.repeat(32_766)}…`);
});

describe('a refused write', () => {
  const refused = (message: string) => ({ reason: 'WriteRefused', message }) as const;
  const waits = [wait('WriteRefused', 'over quota', 30), wait('PodsNotReady')];

  it('stands before all other waits, since it was first refused so', () => {
    const again = withRefusal({ phase: 'Progressing', blockedBy: waits }, refused('over quota'), 3, NOW);
    expect(again.blockedBy).toEqual(waits);
    const other = withRefusal({ phase: 'Progressing', blockedBy: waits }, refused('forbidden'), 3, NOW);
    expect(other.blockedBy).toEqual([wait('WriteRefused', 'forbidden'), waits[1]]);
  });

  it('makes what was healthy degraded, and leaves the other phases', () => {
    const phase = (stored: Status) => withRefusal(stored, refused('forbidden'), 3, NOW).phase;
    expect([phase({}), phase({ phase: 'Healthy' }), phase({ phase: 'Paused' })]).toEqual([
      'Degraded',
      'Degraded',
      'Paused',
    ]);
  });

  it('takes Ready away, for this generation', () => {
    const status = withRefusal({}, refused('forbidden'), 3, NOW);
    expect(status).toMatchObject({ observedGeneration: 3, message: 'forbidden' });
    expect(status.conditions).toMatchObject([
      { type: 'Ready', status: 'False', reason: 'WriteRefused', observedGeneration: 3 },
    ]);
  });
});
