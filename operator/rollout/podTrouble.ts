// What keeps a unit from being ready, in one wait: the most telling reason its pods give, or else what keeps it from having pods.
import type { Unit } from './facts.ts';
import type { Wait, WaitReason } from './waits.ts';

/** Kubernetes' own reasons, brought to the ones we speak of. A pull error and its back-off alternate; they are one trouble. */
const REASONS: Readonly<Record<string, WaitReason>> = {
  ErrImagePull: 'ImagePullBackOff',
  ImagePullBackOff: 'ImagePullBackOff',
  ErrImageNeverPull: 'ImagePullBackOff',
  InvalidImageName: 'ImagePullBackOff',
  ImageInspectError: 'ImagePullBackOff',
  CrashLoopBackOff: 'CrashLoopBackOff',
  Error: 'CrashLoopBackOff',
  OOMKilled: 'CrashLoopBackOff',
  CreateContainerConfigError: 'ContainerConfigError',
  CreateContainerError: 'ContainerConfigError',
  RunContainerError: 'ContainerConfigError',
  Unschedulable: 'PodUnschedulable',
};

/** The wait for a unit that has fewer available pods than it needs. */
export function capacityWait(unit: Unit, needed: number, release: string, progressDeadlineMs: number): Wait {
  const seen =
    needed === 0
      ? `${unit.component} of release ${release} has no pod to send traffic to; set spec.components.${unit.component}.replicas to 1 or more`
      : `${unit.component} of release ${release}: ${unit.available} of ${needed} pods ready`;
  const troubled = unit.pods.find((pod) => pod.trouble !== null && REASONS[pod.trouble.reason] !== undefined);
  const others = [...unit.pods, unit.workload].flatMap((each) => each?.trouble ?? []);
  const trouble = troubled?.trouble ?? others[0] ?? null;
  return {
    reason: (trouble === null ? undefined : REASONS[trouble.reason]) ?? 'PodsNotReady',
    message: trouble === null ? seen : `${seen}; ${trouble.reason}: ${trouble.message}`,
    lastsMs: progressDeadlineMs,
  };
}
