/**
 * What every pod of the stack has in common: the security settings that the `restricted` Pod Security Standard wants,
 * a read-only root file system, and labels.
 */
import type { types } from '@pulumi/kubernetes';

type Container = types.input.core.v1.Container;
type PodSpec = types.input.core.v1.PodSpec;

/** A container before it is hardened; its mounts are known, so that more can be added. */
export interface PlainContainer extends Omit<Container, 'volumeMounts' | 'securityContext'> {
  readonly volumeMounts?: readonly types.input.core.v1.VolumeMount[];
}

/** A pod before it is hardened. */
export interface PlainPod extends Omit<PodSpec, 'containers' | 'initContainers' | 'volumes' | 'securityContext'> {
  readonly containers: readonly PlainContainer[];
  readonly initContainers?: readonly PlainContainer[];
  readonly volumes?: readonly types.input.core.v1.Volume[];
}

/** User and group of all images of this project. */
export const UID = 1000;

/** Pod-level security: never root, the runtime's seccomp filter, volumes writable for the group of {@link UID}. */
export const POD_SECURITY = {
  runAsNonRoot: true,
  runAsUser: UID,
  runAsGroup: UID,
  fsGroup: UID,
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
} as const satisfies types.input.core.v1.PodSecurityContext;

/** Container-level security: no new privileges, no capability, nothing written to the image. */
export const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const satisfies types.input.core.v1.SecurityContext;

/** The one writable place that every pod gets; kept in memory limits by its size. */
export const TMP_VOLUME = { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } } as const;

/** Mounts {@link TMP_VOLUME}. */
export const TMP_MOUNT = { name: 'tmp', mountPath: '/tmp' } as const;

/** Labels of an object: name of the program, its part in the platform, who manages it. */
export function labelsOf(name: string, component: string): Record<string, string> {
  return {
    ...selectorOf(name),
    'app.kubernetes.io/component': component,
    'app.kubernetes.io/part-of': 'assistant-platform',
    'app.kubernetes.io/managed-by': 'pulumi',
  };
}

/** The part of {@link labelsOf} that never changes, for selectors. */
export function selectorOf(name: string): Record<string, string> {
  return { 'app.kubernetes.io/name': name };
}

/** A container as given, with the security settings, a writable `/tmp`, and images taken from the node if they are there. */
export function hardened(container: PlainContainer): Container {
  return {
    imagePullPolicy: 'IfNotPresent',
    terminationMessagePolicy: 'FallbackToLogsOnError',
    ...container,
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [...(container.volumeMounts ?? []), TMP_MOUNT],
  };
}

/**
 * A pod whose containers are all {@link hardened}. It gets no service account token unless the pod spec asks for one,
 * and no environment variables for every Service of the namespace.
 */
export function hardenedPod(pod: PlainPod): PodSpec {
  const { containers, initContainers, volumes, ...rest } = pod;
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...rest,
    securityContext: POD_SECURITY,
    ...(initContainers === undefined ? {} : { initContainers: initContainers.map(hardened) }),
    containers: containers.map(hardened),
    volumes: [...(volumes ?? []), TMP_VOLUME],
  };
}

/** Requests and limits from one line: memory is a hard limit, CPU only a request, so that nothing is throttled when idle CPU exists. */
export function resources(cpu: string, memory: string, memoryLimit = memory): types.input.core.v1.ResourceRequirements {
  return { requests: { cpu, memory }, limits: { memory: memoryLimit } };
}
