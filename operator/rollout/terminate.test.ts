// Deletion, step by step: what is looked at again, and when.
import { FINALIZER } from '@assistant-platform/api';
import { expect, it } from 'vitest';
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
