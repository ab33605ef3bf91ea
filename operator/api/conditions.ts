// The closed vocabularies of status: phases, conditions with their reasons, outcomes and states.

export const PHASES = ['Healthy', 'Progressing', 'Paused', 'Degraded', 'RollingBack', 'Terminating'] as const;
export type Phase = (typeof PHASES)[number];

/**
 * Types of `status.conditions`. Ready is what `kubectl wait` and Pulumi look at: the wanted revision is stable and verified. FieldsIgnored names what the spec
 * asks for and this version does not act on. FlagDrift does not occur yet: flags are among the ignored fields.
 */
export const CONDITION_TYPES = [
  'Ready',
  'Progressing',
  'Degraded',
  'Paused',
  'Draining',
  'FieldsIgnored',
  'FlagDrift',
] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];

/** Reasons of conditions that others may rely upon; the operator may have more. */
export const CONDITION_REASONS = {
  /** Progressing=False: the rollout was aborted; the spec is left as it is. */
  RolloutAborted: 'RolloutAborted',
  /** Progressing=True: a step is under way. */
  RolloutProgressing: 'RolloutProgressing',
  /** Progressing=False, Ready=True: the wanted revision is stable. */
  RolloutCompleted: 'RolloutCompleted',
  /** Progressing=False, Degraded=True: no progress within `strategy.progressDeadline`. */
  ProgressDeadlineExceeded: 'ProgressDeadlineExceeded',
} as const;

export const HISTORY_OUTCOMES = ['Promoted', 'FastPromoted', 'Aborted', 'Superseded', 'RolledBack'] as const;
export type HistoryOutcome = (typeof HISTORY_OUTCOMES)[number];

/** Who or what aborted a rollout. KillSwitch and Chaos do not occur yet. */
export const ABORT_SOURCES = ['User', 'Metric', 'Deadline', 'KillSwitch', 'Chaos'] as const;
export type AbortSource = (typeof ABORT_SOURCES)[number];

export const VERDICTS = ['Passing', 'Failing', 'NotYetSure', 'NoData', 'SourceError'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const FLAG_STATES = ['InSync', 'Drift', 'Unavailable'] as const;
export type FlagState = (typeof FLAG_STATES)[number];
