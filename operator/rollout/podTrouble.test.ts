// The wait of a unit that has too few pods: the most telling reason that its pods give.
import { describe, expect, it } from 'vitest';
import { capacityWaits } from './capacity.ts';
import { capacityWait } from './podTrouble.ts';
import { withReplicas, sampleRelease } from './releases.ts';
import type { Pod } from './snapshot.ts';
import { factsOf, podOf, progressOf, workloadOf } from './worldSituations.ts';

const seen = (...reasons: (string | null)[]): [string, string] => {
  const pods = reasons.map((reason) =>
    podOf('a', 'chat', { trouble: reason === null ? null : { reason, message: 'as told' } }),
  );
  const { reason, message } = capacityWait({ ...factsOf().unit('a', 'chat'), pods, available: 1 }, 3, '1.0.0', 60_000);
  return [reason, message];
};
const AT = 'chat of release 1.0.0: 1 of 3 pods ready';

describe('too few pods', () => {
  it.each([
    ['ErrImagePull', 'ImagePullBackOff'],
    ['ImagePullBackOff', 'ImagePullBackOff'],
    ['ErrImageNeverPull', 'ImagePullBackOff'],
    ['InvalidImageName', 'ImagePullBackOff'],
    ['ImageInspectError', 'ImagePullBackOff'],
    ['CrashLoopBackOff', 'CrashLoopBackOff'],
    ['Error', 'CrashLoopBackOff'],
    ['OOMKilled', 'CrashLoopBackOff'],
    ['CreateContainerConfigError', 'ContainerConfigError'],
    ['CreateContainerError', 'ContainerConfigError'],
    ['RunContainerError', 'ContainerConfigError'],
    ['Unschedulable', 'PodUnschedulable'],
  ])('%s is %s', (reason, wait) => {
    expect(seen(null, reason)).toEqual([wait, `${AT}; ${reason}: as told`]);
  });

  it('for no reason are just not ready; a reason that we do not know is told as it is', () => {
    expect(seen(null)).toEqual(['PodsNotReady', AT]);
    expect(seen(null, 'Completed')).toEqual(['PodsNotReady', `${AT}; Completed: as told`]);
    expect(seen('Completed', 'Unschedulable')[0]).toBe('PodUnschedulable');
  });

  it('that cannot be made are told with the words of Kubernetes, unless a pod that is there says more', () => {
    const trouble = { reason: 'FailedCreate', message: 'exceeded quota' };
    const unit = { ...factsOf().unit('a', 'chat'), workload: workloadOf('a', 'chat', { trouble }), available: 1 };
    const told = (pods: Pod[]) => capacityWait({ ...unit, pods }, 3, '1.0.0', 60_000);
    expect(told([podOf('a', 'chat')])).toMatchObject({
      reason: 'PodsNotReady',
      message: `${AT}; FailedCreate: exceeded quota`,
    });
    const crashing = podOf('a', 'chat', { trouble: { reason: 'CrashLoopBackOff', message: 'as told' } });
    expect(told([crashing]).reason).toBe('CrashLoopBackOff');
  });

  it('are a wait for each component that lacks them, and one pod is the least', () => {
    const pods = [podOf('b', 'chat', { ready: false }), podOf('b', 'realtime')];
    const waits = (replicas: number, requested: number) =>
      capacityWaits(progressOf({ requested }), factsOf({ pods }, withReplicas(sampleRelease('1'), replicas)));
    expect(waits(2, 50).map(({ message }) => message)).toEqual(['chat of release 1.1.0: 0 of 1 pods ready']);
    expect(waits(2, 100)).toHaveLength(2);
    expect(waits(0, 50)).toHaveLength(1);
    expect(capacityWaits(progressOf({ update: null, requested: 50 }), factsOf({ pods }))).toEqual([]);
  });
});
