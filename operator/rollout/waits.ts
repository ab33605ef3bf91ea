// Why a rollout waits: a closed list of reasons. Each wait says what was seen, what is needed, since when, and when it is looked at again.
import type { BlockedBy } from './state.ts';

/** What a reason is about. Waits of one family follow upon each other without the clock of the progress deadline starting anew. */
type Family = 'Capacity' | 'Route' | 'Metric' | 'Person' | 'Drain' | 'Input';

const FAMILY = {
  PodsNotReady: 'Capacity',
  ImagePullBackOff: 'Capacity',
  CrashLoopBackOff: 'Capacity',
  ContainerConfigError: 'Capacity',
  PodUnschedulable: 'Capacity',
  RouteUpdating: 'Route',
  RouteNotAccepted: 'Route',
  RouteSettling: 'Route',
  StableUnavailable: 'Route',
  AnalysisRunning: 'Metric',
  MetricFailing: 'Metric',
  MetricNoData: 'Metric',
  MetricSourceError: 'Metric',
  CanaryPauseStep: 'Person',
  BlueGreenPause: 'Person',
  SpecPaused: 'Person',
  Aborted: 'Person',
  StepKindNotSupported: 'Person',
  DrainBeforeDeletion: 'Drain',
  ReferenceMissing: 'Input',
  SpecRefused: 'Input',
  WriteRefused: 'Input',
} as const satisfies Record<string, Family>;

export type WaitReason = keyof typeof FAMILY;
export const WAIT_REASONS = Object.keys(FAMILY) as WaitReason[];

/** A wait without its clock. */
export interface Wait {
  readonly reason: WaitReason;
  readonly message: string;
  /** Overrides the clock: the wait began at this time (epoch ms). */
  readonly since?: number;
  /** It ends, or changes, this long after it began. */
  readonly lastsMs?: number;
  /** Instead of lastsMs: when it is looked at again, epoch ms. */
  readonly nextCheckAt?: number;
}

/** Everything stays where it is, until a person says otherwise. */
export const SPEC_PAUSED: Wait = { reason: 'SpecPaused', message: 'spec.paused is true; set it to false to go on' };

/** What the pause of a person keeps from happening: "1.1.0 waits to begin". */
export const heldByPause = (release: string, what = 'begin'): Wait => ({
  reason: 'SpecPaused',
  message: `spec.paused is true: ${release} waits to ${what}`,
});

export const isWaitReason = (reason: string): reason is WaitReason => Object.hasOwn(FAMILY, reason);

const familyOf = (reason: string): Family | null => (isWaitReason(reason) ? FAMILY[reason] : null);

/** Waits whose length counts against progressDeadline: something is expected to happen by itself. */
export const countsAsStuck = (reason: WaitReason): boolean =>
  FAMILY[reason] === 'Capacity' || FAMILY[reason] === 'Route';

/**
 * Since when a wait lasts: continues the clock of an earlier one of the same reason; where a deadline hangs on it, of the same family. RouteSettling only
 * that of the very same one, because its message names the generations that were accepted.
 * @param before blockedBy as stored; empty when the step has changed since.
 * @returns epoch milliseconds.
 */
export function waitingSince(wait: Wait, before: readonly BlockedBy[], now: number): number {
  if (wait.since !== undefined) return wait.since;
  const earlier = before.filter((entry) =>
    wait.reason === 'RouteSettling'
      ? entry.reason === wait.reason && entry.message === wait.message
      : countsAsStuck(wait.reason)
        ? familyOf(entry.reason) === FAMILY[wait.reason]
        : entry.reason === wait.reason,
  );
  return Math.min(now, ...earlier.map((entry) => Date.parse(entry.since)));
}

/** The wait with its clock, as it stands in status.blockedBy. */
export function blockedBy(wait: Wait, before: readonly BlockedBy[], now: number): BlockedBy {
  const since = waitingSince(wait, before, now);
  const end = wait.lastsMs === undefined ? undefined : since + wait.lastsMs;
  // An end that has passed says of no next look: a change is waited for.
  const next = wait.nextCheckAt ?? (end !== undefined && end > now ? end : undefined);
  return {
    reason: wait.reason,
    message: wait.message,
    since: new Date(since).toISOString(),
    ...(next === undefined ? {} : { nextCheckAt: new Date(next).toISOString() }),
  };
}
