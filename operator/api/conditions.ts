// The closed vocabularies of status: phases, conditions with their reasons, outcomes and states.

export const PHASES = ['Healthy', 'Progressing', 'Paused', 'Degraded', 'RollingBack', 'Terminating'] as const;
export type Phase = (typeof PHASES)[number];

/** Types of `status.conditions`. Ready is what `kubectl wait` and Pulumi look at: the wanted revision is stable and verified. */
export const CONDITION_TYPES = ['Ready', 'Progressing', 'Degraded', 'Paused', 'Draining', 'FlagDrift'] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];

/** Reasons of conditions that others may rely upon; the operator may have more. */
export const CONDITION_REASONS = {
  /** Progressing=False: the rollout was aborted; the spec is left as it is. */
  RolloutAborted: 'RolloutAborted',
  /** Progressing=True: a step is under way. */
  RolloutProgressing: 'RolloutProgressing',
  /** Progressing=False, Ready=True: the wanted revision is stable. */
  RolloutCompleted: 'RolloutCompleted',
  /** Paused=True: a step waits for time or for a person. */
  RolloutPaused: 'RolloutPaused',
  /** Degraded=True: no progress within `strategy.progressDeadline`. */
  ProgressDeadlineExceeded: 'ProgressDeadlineExceeded',
} as const;

export const HISTORY_OUTCOMES = ['Promoted', 'FastPromoted', 'Aborted', 'Superseded', 'RolledBack'] as const;
export type HistoryOutcome = (typeof HISTORY_OUTCOMES)[number];

export const ABORT_SOURCES = ['User', 'Metric', 'Deadline', 'KillSwitch', 'Chaos'] as const;
export type AbortSource = (typeof ABORT_SOURCES)[number];

export const VERDICTS = ['Passing', 'Failing', 'NotYetSure', 'NoData', 'SourceError'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const FLAG_STATES = ['InSync', 'Drift', 'Unavailable'] as const;
export type FlagState = (typeof FLAG_STATES)[number];
