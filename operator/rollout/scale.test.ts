// How many pods a revision is wanted to have, and what gets it there.
import { describe, expect, it } from 'vitest';
import { sampleRelease, withReplicas } from './releases.ts';
import { scaleActive, wantedPods } from './scale.ts';
import type { Pod } from './snapshot.ts';
import { factsOf, NOW, podOf, progressOf, sessions, workloadOf } from './worldSituations.ts';

describe('pods that stable should have of a component that the spec has no longer', () => {
  const release = sampleRelease('1.0.0', undefined, ['realtime']);
  const wanted = (change: Parameters<typeof factsOf>[0]) => {
    const f = factsOf(change, release);
    return wantedPods(progressOf({ stable: { hash: 'a', release: '1' } }), f, f.unit('a', 'chat'));
  };

  it('are those that it has', () => {
    expect(wanted({ workloads: [workloadOf('a', 'chat', { replicas: 3 })] })).toBe(3);
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
