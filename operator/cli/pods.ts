// The pods of an assistant, as far as the tree shows them. Parsed from what the API server sends.
import { LABELS } from '@assistant-platform/api';

/** One pod. */
export interface PodRow {
  readonly name: string;
  readonly component: string;
  readonly revision: string;
  readonly ready: boolean;
  /** One word: Running, Pending, ImagePullBackOff, Terminating, ... */
  readonly state: string;
  readonly restarts: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** The part of corev1.Pod that is read here. */
export interface RawPod {
  readonly metadata?: {
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: Date | string;
    readonly deletionTimestamp?: Date | string;
  };
  readonly spec?: {
    readonly containers?: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly state?: {
        readonly waiting?: { readonly reason?: string };
        readonly terminated?: { readonly reason?: string };
      };
    }[];
  };
}

/** Reads a pod. */
export function podRow({ metadata, status }: RawPod): PodRow {
  const containers = status?.containerStatuses ?? [];
  const trouble = containers
    .map(({ state }) => state?.waiting?.reason ?? state?.terminated?.reason)
    .find((reason) => reason !== undefined);
  const state = metadata?.deletionTimestamp === undefined ? (trouble ?? status?.phase ?? 'Unknown') : 'Terminating';
  return {
    name: metadata?.name ?? '',
    component: metadata?.labels?.[LABELS.component] ?? '',
    revision: metadata?.labels?.[LABELS.revision] ?? '',
    ready: (status?.conditions ?? []).some(({ type, status: value }) => type === 'Ready' && value === 'True'),
    state,
    restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    createdAt: new Date(metadata?.creationTimestamp ?? 0).getTime(),
  };
}
