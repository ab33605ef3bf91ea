// How many pods a revision is wanted to have, and what gets it there.
import { describe, expect, it } from 'vitest';
import { sampleRelease, withReplicas } from './releases.ts';
import { scaleActive, scaleRetired, wantedPods } from './scale.ts';
import type { Pod } from './snapshot.ts';
import { factsOf, NOW, podOf, progressOf, recordOf, sessions, workloadOf } from './worldSituations.ts';

describe('pods that stable should have of a component that the spec has no longer', () => {
  const release = sampleRelease('1.0.0', undefined, ['realtime']);
  const wanted = (change: Parameters<typeof factsOf>[0]) => {
    const f = factsOf(change, release);
    return wantedPods(progressOf({ stable: { hash: 'a', release: '1' } }), f, f.unit('a', 'chat'));
  };

  it('are those that it has', () => {
    expect(wanted({ workloads: [workloadOf('a', 'chat', { replicas: 3 })] })).toBe(3);
  });

  it('are those that its revision was released with when somebody has deleted its Deployment: it serves until the rollout is over', () => {
    const released = (chat: object) => {
      const source = { release: '1', components: { chat } };
      return wanted({ workloads: [], records: [{ ...recordOf('a', ['chat', 'realtime']), source }] });
    };
    expect(released({ replicas: 3 })).toBe(3);
    expect(released({ autoscaling: { min: 2, max: 4 } })).toBe(2);
    expect(released({})).toBe(1);
  });

  it('are none when it has none: a Deployment that is gone, or drains', () => {
    expect(wanted({ workloads: [] })).toBe(0);
    const drain = { startedAt: 0, deadline: 1 };
    expect(wanted({ workloads: [workloadOf('a', 'chat', { replicas: 3, drain })] })).toBe(0);
  });
});

describe('a revision of which one pod goes and another is still to be made', () => {
  it('lets none go yet: a smaller number would only unmake the pod to come', () => {
    const drain = { startedAt: NOW - 1000, deadline: NOW + 60_000, released: true };
    const gone = podOf('a', 'chat', { sessions: sessions(0, 0, true), drain });
    const workload = workloadOf('a', 'chat', { replicas: 2 });
    const release = withReplicas(sampleRelease('1.0.0'), 1);
    const writes = (pods: Pod[]) => {
      const f = factsOf({ workloads: [workload], pods }, release);
      const p = progressOf({ stable: { hash: 'a', release: '1' } });
      return scaleActive(p, f, f.unit('a', 'chat'), NOW).writes;
    };
    expect(writes([gone])).toEqual([]);
    expect(writes([gone, podOf('a', 'chat', { name: 'fresh' })])).toMatchObject([
      { kind: 'PatchWorkload', replicas: 1 },
    ]);
  });
});

describe('a revision that grows while single pods of it still drain', () => {
  it('tells them again: what they were told may be lost', () => {
    const drain = { startedAt: NOW - 1000, deadline: NOW + 60_000 };
    const pods = [podOf('a', 'chat', { drain, sessions: sessions(3) })];
    const f = factsOf({ workloads: [workloadOf('a', 'chat', { replicas: 1 })], pods }, sampleRelease('1.0.0'));
    const { writes } = scaleActive(progressOf({ stable: { hash: 'a', release: '1' } }), f, f.unit('a', 'chat'), NOW);
    expect(writes).toMatchObject([{ kind: 'DrainPod' }, { kind: 'PatchWorkload', replicas: 3 }]);
  });
});

describe('a revision that serves', () => {
  const p = progressOf({ stable: { hash: 'a', release: '1' } });
  const scaled = (change: Parameters<typeof factsOf>[0], replicas = 2) => {
    const f = factsOf(change, withReplicas(sampleRelease('1.0.0'), replicas));
    return scaleActive(p, f, f.unit('a', 'chat'), NOW);
  };

  it('cannot be made again without its record', () => {
    expect(scaled({ workloads: [] }).writes).toMatchObject([{ kind: 'Apply', object: { kind: 'Deployment' } }]);
    expect(scaled({ workloads: [], records: [] })).toEqual({ writes: [], notes: [], lookAgainAt: null });
  });

  it('lets a pod that drains though nobody told it leave by the same way as the others', () => {
    const stray = podOf('a', 'chat', { name: 'stray', sessions: sessions(1, 0, true) });
    const pods = [stray, podOf('a', 'chat', { name: 'other' })];
    const { writes, lookAgainAt } = scaled({ workloads: [workloadOf('a', 'chat', { replicas: 2 })], pods });
    expect(writes).toEqual([{ kind: 'MarkPod', pod: stray, drain: { startedAt: NOW, deadline: NOW + 20_000 } }]);
    expect(lookAgainAt).toBe(NOW);
  });

  it('tells a pod that is to leave also in the moment in which another one goes', () => {
    const drain = { startedAt: NOW - 1000, deadline: NOW + 60_000 };
    const gone = podOf('a', 'chat', {
      name: 'gone',
      ready: false,
      sessions: sessions(0, 0, true),
      drain: { ...drain, released: true },
    });
    const untold = podOf('a', 'chat', { name: 'untold', sessions: sessions(3), drain });
    const pods = [gone, untold, podOf('a', 'chat', { name: 'stays' })];
    expect(scaled({ workloads: [workloadOf('a', 'chat', { replicas: 3 })], pods }, 1).writes).toMatchObject([
      { kind: 'DrainPod', pod: { name: 'untold' } },
      { kind: 'PatchWorkload', replicas: 2 },
    ]);
  });

  it('unmakes pods that are still to come before it drains one that is there', () => {
    const pods = ['one', 'two'].map((name) => podOf('a', 'chat', { name }));
    const to = (replicas: number, from = 4) =>
      scaled({ workloads: [workloadOf('a', 'chat', { replicas: from })], pods }, replicas);
    expect(to(2, 3).writes).toMatchObject([{ kind: 'PatchWorkload', replicas: 2 }]);
    expect(to(3).writes).toMatchObject([{ kind: 'PatchWorkload', replicas: 3 }]);
    expect(to(1).writes).toMatchObject([{ kind: 'PatchWorkload', replicas: 2 }]);
  });
});

describe('a revision that was being drained and is wanted again', () => {
  const drain = { startedAt: NOW - 1000, deadline: NOW + 60_000 };
  const p = progressOf({ stable: { hash: 'a', release: '1' } });
  const back = (...pods: ReturnType<typeof podOf>[]) => {
    const f = factsOf({ workloads: [workloadOf('a', 'chat', { replicas: 2, drain })], pods });
    return scaleActive(p, f, f.unit('a', 'chat'), NOW).writes;
  };

  it('first marks the pods that were told to drain, then goes on with those that were not', () => {
    const [told, untold] = [
      podOf('a', 'chat', { name: 'told', sessions: sessions(3, 0, true) }),
      podOf('a', 'chat', { name: 'untold' }),
    ];
    expect(back(told, untold)).toEqual([{ kind: 'MarkPod', pod: told, drain }]);
    expect(back(untold)).toMatchObject([{ kind: 'PatchWorkload', drain: null }]);
    expect(back({ ...told, drain }, untold)).toMatchObject([{ kind: 'PatchWorkload', drain: null }]);
  });
});

describe('a revision that is retired', () => {
  it('keeps its drain until the last of its pods is gone', () => {
    const drain = { startedAt: NOW - 1000, deadline: NOW + 20_000 };
    const scaled = (pods: Pod[]) => {
      const f = factsOf({ workloads: [workloadOf('a', 'chat', { replicas: 0, drain })], pods });
      const p = progressOf({ stable: { hash: 'b', release: '2' }, requested: 100, routed: 100 });
      return scaleRetired(p, f, { kind: 'Verified', share: 100 }, f.unit('a', 'chat'), NOW);
    };
    expect(scaled([podOf('a', 'chat')]).writes).toEqual([]);
    expect(scaled([]).writes).toMatchObject([{ kind: 'PatchWorkload', replicas: 0, drain: null }]);
  });
});
