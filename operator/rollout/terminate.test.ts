// Deletion, step by step: what is looked at again, and when.
import { FINALIZER } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import { sampleRelease } from './releases.ts';
import { terminate } from './terminate.ts';
import { factsOf, NOW, podOf, sessions, snapshotOf, workloadOf } from './worldSituations.ts';

it('a deletion that meets a drain under way begins the others, and looks again at once', () => {
  const release = sampleRelease('1.0.0');
  const { subject } = snapshotOf({}, release);
  const drain = { startedAt: NOW - 1000, deadline: NOW + 60_000 };
  const f = factsOf(
    {
      subject: { ...subject, deleting: true, finalizers: [FINALIZER] },
      routes: [],
      workloads: [workloadOf('a', 'chat', { drain }), workloadOf('b', 'chat')],
      pods: [podOf('a', 'chat', { sessions: sessions(3, 0, true) }), podOf('b', 'chat', { sessions: sessions(2) })],
    },
    release,
  );
  const { writes, lookAgainAt } = terminate(f, () => NOW, NOW);
  expect(writes.map((write) => (write.kind === 'PatchWorkload' ? [write.name, write.replicas] : write.kind))).toEqual([
    ['chat-b', 1],
  ]);
  expect(lookAgainAt).toBe(NOW);
});

describe('a deletion', () => {
  const release = sampleRelease('1.0.0');
  const { subject } = snapshotOf({}, release);
  const step = (change: Parameters<typeof factsOf>[0], finalizers: readonly string[] = [FINALIZER]) => {
    const f = factsOf({ subject: { ...subject, deleting: true, finalizers }, routes: [], ...change }, release);
    return terminate(f, () => 0, NOW);
  };
  const drain = { startedAt: NOW - 1000, deadline: NOW + 60_000 };

  it('that others still hold up, when ours is done, is none of our business', () => {
    expect(step({}, ['example.com/other'])).toMatchObject({ writes: [], waits: [] });
  });

  it('waits for pods that are still there when their Deployments want none, and counts who is known to be on them', () => {
    const pods = [
      podOf('a', 'chat', { sessions: sessions(3, 0, true) }),
      podOf('a', 'chat', { name: 'silent', sessions: { kind: 'unknown' } }),
      podOf('a', 'chat', { name: 'going', terminating: true, sessions: sessions(5) }),
    ];
    const workloads = [workloadOf('a', 'chat', { replicas: 0, drain })];
    expect(step({ workloads, pods })).toMatchObject({
      writes: [],
      waits: [
        {
          reason: 'DrainBeforeDeletion',
          message: 'the deletion goes on after the drain of 2 pods with 3 open sessions',
          nextCheckAt: drain.deadline,
        },
      ],
    });
    const left = step({ workloads, pods: pods.filter(({ terminating }) => terminating) });
    expect(left.writes).toContainEqual({ kind: 'Delete', ref: { kind: 'Deployment', name: 'chat-a' } });
  });

  it('tells whom it cuts off at the deadline, and nothing of pods that are empty', () => {
    const past = { startedAt: NOW - 60_000, deadline: NOW };
    const workloads = [workloadOf('a', 'chat', { drain: past })];
    const open = podOf('a', 'chat', { sessions: sessions(3, 0, true) });
    expect(step({ workloads, pods: [open] })).toMatchObject({
      writes: [{ kind: 'PatchWorkload', replicas: 0 }],
      notes: [{ reason: 'DrainForced', type: 'Warning', cutOff: 3 }],
    });
    const empty = podOf('a', 'chat', { sessions: sessions(0, 0, true) });
    expect(step({ workloads, pods: [empty] }).notes).toEqual([]);
  });

  it('takes pods that never ran away at once, if all of them are known', () => {
    const never = podOf('a', 'chat', { running: false, ready: false });
    const replicas = (podCount: number) =>
      step({ workloads: [workloadOf('a', 'chat', { replicas: 1, podCount })], pods: [never] }).writes;
    expect(replicas(1)).toMatchObject([{ kind: 'PatchWorkload', replicas: 0 }]);
    expect(replicas(2)).toMatchObject([{ kind: 'PatchWorkload', replicas: 1 }]);
  });
});
