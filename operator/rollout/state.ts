// The status of an AssistantDeployment, and the part of it that is memory: what was decided. All progress lives here, with absolute times.
import type { HistoryOutcome } from '@assistant-platform/api';
import type { AnalysisEntry } from './analysis/judge.ts';

export interface RevisionRef {
  readonly hash: string;
  readonly release: string;
  /** On updateRevision: when its rollout began. */
  readonly startedAt?: string | undefined;
}

export interface StepStatus {
  readonly index: number;
  readonly count: number;
  readonly stepsHash: string;
  readonly startedAt?: string | undefined;
}

export interface PauseCondition {
  readonly reason: string;
  readonly startTime: string;
}

export type AbortedBy = 'User' | 'Metric' | 'Deadline' | 'KillSwitch' | 'Chaos';

export interface Abort {
  readonly at: string;
  readonly reason: string;
  readonly by: AbortedBy;
}

export interface HistoryEntry {
  readonly hash: string;
  readonly release: string;
  readonly outcome: HistoryOutcome;
  readonly startedAt: string;
  readonly finishedAt: string;
}

export interface BlockedBy {
  readonly reason: string;
  readonly message: string;
  readonly since: string;
  readonly nextCheckAt?: string | undefined;
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number | undefined;
}

export interface SideStatus {
  readonly replicas: number;
  readonly ready: number;
  readonly sockets: number;
}

export interface ComponentStatus {
  readonly stable?: SideStatus | undefined;
  readonly update?: SideStatus | undefined;
}

export interface DrainingStatus {
  readonly hash: string;
  readonly component: string;
  readonly sockets: number;
  readonly busy: number;
  readonly startedAt: string;
  readonly deadline: string;
  readonly forced: boolean;
}

export type Phase = 'Healthy' | 'Progressing' | 'Paused' | 'Degraded' | 'RollingBack' | 'Terminating';

/** status of the custom resource, as this package reads and writes it (docs/reference/assistantdeployment.md). */
export interface Status {
  readonly observedGeneration?: number;
  readonly phase?: Phase;
  readonly message?: string;
  readonly stableRevision?: RevisionRef;
  readonly updateRevision?: RevisionRef;
  readonly step?: StepStatus;
  readonly weight?: { readonly requested: number; readonly routed: number; readonly observed?: number | undefined };
  readonly components?: Readonly<Record<string, ComponentStatus>>;
  readonly draining?: readonly DrainingStatus[];
  readonly pauseConditions?: readonly PauseCondition[];
  readonly analysis?: readonly AnalysisEntry[];
  readonly blockedBy?: readonly BlockedBy[];
  readonly abort?: Abort;
  readonly conditions?: readonly Condition[];
  readonly replicas?: number;
  readonly selector?: string;
  readonly history?: readonly HistoryEntry[];
  /** Short texts for printed columns. */
  readonly summary?: Readonly<Record<string, string | number | undefined>>;
}

/** What was decided so far: read from status, changed by decide(), stored before anything acts upon it. */
export interface Progress {
  readonly stable: RevisionRef | null;
  readonly update: RevisionRef | null;
  readonly step: StepStatus | null;
  /** Share of the update revision that is wanted now, 0..100. 100 at rest (update is stable then). */
  readonly requested: number;
  /** Share that was last verified on all routes. */
  readonly routed: number;
  readonly pauses: readonly PauseCondition[];
  /** Checks of the metrics of the present step. */
  readonly analysis: readonly AnalysisEntry[];
  readonly abort: Abort | null;
  readonly history: readonly HistoryEntry[];
}

/** Progress with a revision that is, or was, released. */
export interface Begun extends Progress {
  readonly update: RevisionRef;
}

/** Progress behind the first installation: there is a stable revision to go back to. */
export interface Installed extends Begun {
  readonly stable: RevisionRef;
}

export function readProgress(status: Status): Progress {
  return {
    stable: status.stableRevision ?? null,
    update: status.updateRevision ?? null,
    step: status.step ?? null,
    requested: status.weight?.requested ?? 0,
    routed: status.weight?.routed ?? 0,
    pauses: status.pauseConditions ?? [],
    analysis: status.analysis ?? [],
    abort: status.abort ?? null,
    history: status.history ?? [],
  };
}

/** Nothing is under way: what is wanted runs and is the only one that gets traffic. */
export function atRest(p: Progress): boolean {
  return p.stable !== null && p.update?.hash === p.stable.hash;
}
