// Pods of the model world.
import type { DrainWindow, Workload } from './snapshot.ts';

export interface WorldPod {
  readonly name: string;
  readonly component: string;
  readonly revision: string;
  readonly createdAt: number;
  running: boolean;
  ready: boolean;
  /** Its image cannot be had. */
  readonly broken: boolean;
  /** Runs, but does not become ready. */
  sick: boolean;
  /** Was told to drain: refuses new sessions. */
  draining: boolean;
  /** Annotation of the operator. */
  drain: DrainWindow | null;
  sockets: number;
  nextLeave: number;
}

export const isActiveReplica = (pod: WorldPod, workload: Workload): boolean =>
  pod.component === workload.component && pod.revision === workload.revision;
