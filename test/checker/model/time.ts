// Time passes: every stored time moves into the past, and ends at an age beyond which nothing differs any more.
import { ORDER_ANNOTATION } from '../../../operator/rollout/names.ts';
import type { DrainWindow, PodDrain } from '../../../operator/rollout/snapshot.ts';
import type { BlockedBy, Status } from '../../../operator/rollout/state.ts';
import { OLDEST_MS, timesThatCount, type Spec } from './specs.ts';
import { T0, type State } from './state.ts';

const older = (time: number, ms: number): number => Math.max(time - ms, T0 - OLDEST_MS);
const olderText = (text: string, ms: number): string => new Date(older(Date.parse(text), ms)).toISOString();

/** Reasons whose clock decides nothing: since when they last is only told. */
const TOLD_ONLY = new Set([
  'SpecPaused',
  'Aborted',
  'StepKindNotSupported',
  'DrainBeforeDeletion',
  'ReferenceMissing',
  'WriteRefused',
]);
const PAUSES = new Set(['CanaryPauseStep', 'BlueGreenPause']);
/** Reasons that say when they are looked at again by another clock than `since`. */
const OWN_CLOCK = new Set(['AnalysisRunning', 'MetricFailing', 'MetricNoData', 'MetricSourceError']);

/** The same state `ms` milliseconds later. */
export function pass(state: State, ms: number): State {
  const { subject } = state;
  return {
    ...state,
    subject: subject === null ? null : { ...subject, status: olderStatus(subject.status, subject.spec, ms) },
    workloads: state.workloads.map((each) => ({ ...each, drain: olderWindow(each.drain, ms) })),
    pods: state.pods.map((pod) => (pod.drain === null ? pod : { ...pod, drain: olderWindow(pod.drain, ms) })),
    measurements: state.measurements.map((each) => ({
      ...each,
      since: older(each.since, ms),
      at: older(each.at, ms),
    })),
  };
}

function olderWindow<T extends DrainWindow | PodDrain>(window: T | null, ms: number): T | null {
  if (window === null) return null;
  return { ...window, startedAt: older(window.startedAt, ms), deadline: older(window.deadline, ms) };
}

function olderStatus(status: Status, spec: Spec, ms: number): Status {
  const counts = timesThatCount(spec);
  const { step, pauseConditions, blockedBy, draining, analysis, history } = status;
  return {
    ...status,
    ...(step?.startedAt === undefined || !counts.steps
      ? {}
      : { step: { ...step, startedAt: olderText(step.startedAt, ms) } }),
    ...(pauseConditions === undefined || !counts.pauses
      ? {}
      : {
          pauseConditions: pauseConditions.map((each) => ({ ...each, startTime: olderText(each.startTime, ms) })),
        }),
    ...(blockedBy === undefined ? {} : { blockedBy: blockedBy.map((entry) => olderWait(entry, counts.pauses, ms)) }),
    ...(draining === undefined
      ? {}
      : {
          draining: draining.map((each) => ({
            ...each,
            startedAt: olderText(each.startedAt, ms),
            deadline: olderText(each.deadline, ms),
          })),
        }),
    ...(analysis === undefined
      ? {}
      : {
          analysis: analysis.map((entry) => ({
            ...entry,
            ...(entry.since === undefined ? {} : { since: olderText(entry.since, ms) }),
            ...(entry.checkedAt === undefined ? {} : { checkedAt: olderText(entry.checkedAt, ms) }),
          })),
        }),
    ...(history === undefined || !counts.history
      ? {}
      : { history: history.map((entry) => ({ ...entry, finishedAt: olderText(entry.finishedAt, ms) })) }),
  };
}

/** `nextCheckAt` keeps its distance from `since`, from which it was made. */
function olderWait(entry: BlockedBy, pausesCount: boolean, ms: number): BlockedBy {
  if (TOLD_ONLY.has(entry.reason) || (PAUSES.has(entry.reason) && !pausesCount)) return entry;
  const since = olderText(entry.since, ms);
  if (entry.nextCheckAt === undefined) return { ...entry, since };
  const next = Date.parse(entry.nextCheckAt);
  const moved = OWN_CLOCK.has(entry.reason) ? older(next, ms) : next + Date.parse(since) - Date.parse(entry.since);
  return { ...entry, since, nextCheckAt: new Date(moved).toISOString() };
}

/** An order to retry an abort that is no more: which one does not matter, as long as it is not the next one. */
export function withoutOldOrder(annotations: Readonly<Record<string, string>>, abortedAt: string | undefined) {
  const text = annotations[ORDER_ANNOTATION];
  if (text === undefined) return annotations;
  const order = JSON.parse(text) as { verb: string; abortedAt?: string };
  if (order.verb !== 'retry' || order.abortedAt === abortedAt || order.abortedAt === 'done') return annotations;
  return { ...annotations, [ORDER_ANNOTATION]: JSON.stringify({ ...order, abortedAt: 'done' }) };
}
