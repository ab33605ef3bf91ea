// How many pods a revision is wanted to have.
import { describe, expect, it } from 'vitest';
import { sampleRelease } from './releases.ts';
import { wantedPods } from './scale.ts';
import { factsOf, progressOf, workloadOf } from './worldSituations.ts';

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
