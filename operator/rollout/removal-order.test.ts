// Which of several leaving pods a smaller `replicas` takes away: only what Kubernetes' order is sure of.
import { describe, expect, it } from 'vitest';
import { releasable } from './drain.ts';
import { isFollowed, isLeaving, type Unit } from './facts.ts';
import type { Pod, PodDrain, Workload } from './snapshot.ts';

const NOW = Date.UTC(2026, 0, 1);
const LEAVING: PodDrain = { startedAt: NOW - 1000, deadline: NOW + 60_000 };
const RELEASED: PodDrain = { ...LEAVING, released: true };

const pod = (name: string, open: number, drain: PodDrain | null): Pod => ({
  ...{ name, uid: name, component: 'chat', revision: 'a', ip: '198.18.0.1', running: true, ready: drain === null },
  phase: 'Running',
  ...{ terminating: false, removal: null, createdAt: NOW - 60_000, trouble: null, drain },
  sessions: { kind: 'known', open, busy: 0, draining: drain !== null },
});

const unit = (...pods: Pod[]): Unit => ({
  ...{ component: 'chat', revision: 'a', workload: null, available: 1, sockets: 0, socketsKnown: true },
  pods,
  leaving: pods.filter(isLeaving),
});

describe('how many leaving pods may go by a smaller number of replicas [R-307]', () => {
  it('none while an equal one is still in use: which of them Kubernetes would take is not known', () => {
    expect(releasable(unit(pod('a', 0, LEAVING), pod('b', 3, LEAVING), pod('c', 1, null)), NOW)).toBe(0);
  });

  it('those that were noted as released, before the others', () => {
    expect(releasable(unit(pod('a', 0, RELEASED), pod('b', 3, LEAVING), pod('c', 1, null)), NOW)).toBe(1);
  });

  it('none while one in use has not lost its readiness yet: it may have by the time that one is taken', () => {
    const told = { ...pod('b', 3, LEAVING), ready: true };
    expect(releasable(unit(pod('a', 0, LEAVING), told, pod('c', 1, null)), NOW)).toBe(0);
    expect(releasable(unit(pod('a', 0, RELEASED), told, pod('c', 1, null)), NOW)).toBe(1);
  });

  it('none while a released one is still ready: one in use that is not goes before it', () => {
    const ready = { ...pod('a', 0, RELEASED), ready: true };
    expect(releasable(unit(ready, pod('b', 3, LEAVING), pod('c', 1, null)), NOW)).toBe(0);
    expect(releasable(unit(ready, pod('c', 1, null)), NOW)).toBe(1);
  });

  it('all of a class whose pods are all empty', () => {
    expect(releasable(unit(pod('a', 0, LEAVING), pod('b', 0, LEAVING), pod('c', 1, null)), NOW)).toBe(2);
  });

  it('none while one that stays would go first', () => {
    const starting: Pod = { ...pod('c', 0, null), running: false, phase: 'Pending', ready: false };
    expect(releasable(unit(pod('a', 0, RELEASED), starting), NOW)).toBe(0);
  });

  it('none whose container is down while another is in use: for Kubernetes both run', () => {
    const down = { ...pod('a', 0, LEAVING), running: false, ready: false };
    expect(releasable(unit(down, pod('b', 3, LEAVING), pod('c', 1, null)), NOW)).toBe(0);
    const noted = { ...down, drain: RELEASED };
    expect(releasable(unit(noted, pod('b', 3, LEAVING), pod('c', 1, null)), NOW)).toBe(1);
  });

  it('those that have not begun, before one that has; one that stays and has no node yet goes before them', () => {
    const begun = pod('b', 3, LEAVING);
    const pending: Pod = { ...pod('a', 0, LEAVING), running: false, phase: 'Pending', ready: false };
    expect(releasable(unit(pending, begun, pod('c', 1, null)), NOW)).toBe(1);
    const homeless: Pod = { ...pod('c', 0, null), running: false, phase: 'Unscheduled', ready: false };
    expect(releasable(unit(pending, begun, homeless), NOW)).toBe(0);
  });

  it('those past their deadline, whoever is on them', () => {
    const late = { ...LEAVING, deadline: NOW };
    expect(releasable(unit(pod('a', 5, late), pod('b', 3, LEAVING)), NOW)).toBe(0);
    expect(releasable(unit(pod('a', 5, { ...late, released: true }), pod('b', 3, LEAVING)), NOW)).toBe(1);
  });
});

describe('whether the pods that we know are those that there are', () => {
  const workload = (replicas: number, podCount: number): Workload => ({
    ...{
      name: 'w',
      component: 'chat',
      revision: 'a',
      replicas,
      podCount,
      drain: null,
      digest: '',
      resourceVersion: '1',
    },
  });
  const withWorkload = (replicas: number, podCount: number, ...pods: Pod[]): Unit => ({
    ...unit(...pods),
    workload: workload(replicas, podCount),
  });
  const [a, b] = [pod('a', 0, null), pod('b', 0, null)];

  it.each([
    ['as many as are counted, or fewer than wanted', withWorkload(3, 2, a, b), true],
    ['a pod that should be gone', withWorkload(1, 2, a, b), false],
    ['a pod that is counted and that we have not heard of', withWorkload(2, 2, a), false],
    ['a pod that we have not heard the end of', withWorkload(2, 1, a, b), false],
    ['nothing to count', unit(a), true],
  ])('%s', (_what, known, expected) => {
    expect(isFollowed(known)).toBe(expected);
  });
});
