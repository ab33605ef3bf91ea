/**
 * A trace for each rollout, a span for each step. Spans are made from two statuses when a step or a rollout has ended, with the times that stand in them: nothing
 * about them lives in memory. The ids follow from the object, the revision and the begin, so that every operator that has a part in a rollout adds to one trace.
 */
import { createHash } from 'node:crypto';
import { underWay } from '@assistant-platform/api';
import { type Attributes, ROOT_CONTEXT, SpanStatusCode, trace, TraceFlags, type Tracer } from '@opentelemetry/api';
import { isSame } from '../rollout/digest.ts';
import { isPromoted } from '../rollout/history.ts';
import type { Strategy } from '../rollout/release.ts';
import { stagesHash, stagesOf } from '../rollout/stages.ts';
import type { HistoryEntry, RevisionRef, Status, StepStatus } from '../rollout/state.ts';
import { describe } from '../rollout/walk.ts';
import { endedSince } from './ended.ts';

/** Ids of a rollout's trace and of the span that holds all others; hexadecimal, as W3C Trace Context has them. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** Derives the ids. @param startedAt updateRevision.startedAt */
export function traceIdsOf(uid: string, hash: string, startedAt: string): TraceIds {
  const digest = createHash('sha256').update(`${uid}/${hash}/${startedAt}`).digest('hex');
  return { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48) };
}

/** What has ended between two statuses. Times are epoch ms. */
export interface EndedSpan {
  readonly kind: 'Rollout' | 'Step';
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  /** Why it ended badly; null: it did not. */
  readonly failure: string | null;
}

/** What ended of one rollout. */
export interface Ended {
  readonly hash: string;
  readonly startedAt: string;
  readonly spans: readonly EndedSpan[];
}

/** The rollouts of which spans ended with `after`, in the order of their ends. Pure. */
export function endedBetween(before: Status, after: Status, strategy: Strategy, now: number): Ended[] {
  const own = notEnded(before);
  const ends = own !== null && isDeleted(before, after) ? [deletedAt(own, now)] : endedSince(before, after);
  const isOwn = ({ hash, startedAt }: End): boolean => hash === own?.hash && startedAt === own.startedAt;
  const rest = own === null || ends.some(isOwn) ? [] : stepSpans(before, after, strategy, null, now);
  return [
    ...ends.map((end) => ({
      hash: end.hash,
      startedAt: end.startedAt,
      spans: [...(isOwn(end) ? stepSpans(before, after, strategy, end, now) : []), rolloutSpan(end, after)],
    })),
    ...(own === null || rest.length === 0 ? [] : [{ ...own, spans: rest }]),
  ];
}

/** How a rollout ended: as the history has it, or with its AssistantDeployment. */
type End = Omit<HistoryEntry, 'outcome'> & { readonly outcome: HistoryEntry['outcome'] | 'Deleted' };

type Begun = RevisionRef & { readonly startedAt: string };

/** The rollout that has not ended yet; one that was aborted has. */
function notEnded(status: Status): Begun | null {
  const { updateRevision, abort, phase } = status;
  if (updateRevision?.startedAt === undefined || !underWay(status)) return null;
  const { hash, release, startedAt } = updateRevision;
  return abort !== undefined || phase === 'Terminating' ? null : { hash, release, startedAt };
}

const isDeleted = (before: Status, after: Status): boolean =>
  before.phase !== 'Terminating' && after.phase === 'Terminating';

const deletedAt = (own: Begun, now: number): End => ({
  ...own,
  outcome: 'Deleted',
  finishedAt: new Date(now).toISOString(),
});

function failureOf(end: End, { abort }: Status): string | null {
  const { outcome } = end;
  if (isPromoted(end)) return null;
  return outcome === 'Aborted' && abort !== undefined ? abort.reason : outcome;
}

function rolloutSpan(end: End, after: Status): EndedSpan {
  const { hash, release, outcome, startedAt, finishedAt } = end;
  return {
    kind: 'Rollout',
    name: `rollout ${release}`,
    start: Date.parse(startedAt),
    end: notBefore(startedAt, Date.parse(finishedAt)),
    attributes: { 'assistant.outcome': outcome, 'assistant.release': release, 'assistant.revision': hash },
    failure: failureOf(end, after),
  };
}

/** @param over the end of the rollout; null: it goes on. */
function stepSpans(
  { step, weight, updateRevision }: Status,
  after: Status,
  strategy: Strategy,
  over: End | null,
  now: number,
): EndedSpan[] {
  if (step?.startedAt === undefined) return [];
  const goesOn = isSame(after.updateRevision, updateRevision);
  if (over === null && (!goesOn || isSame(after.step, step))) return [];
  const end =
    over !== null ? Date.parse(over.finishedAt) : after.step?.startedAt ? Date.parse(after.step.startedAt) : now;
  return [
    {
      kind: 'Step',
      name: nameOf(step, strategy),
      start: Date.parse(step.startedAt),
      end: notBefore(step.startedAt, end),
      attributes: {
        'assistant.step': Math.min(step.index + 1, step.count),
        'assistant.steps': step.count,
        'assistant.weight': weight?.requested ?? 0,
      },
      failure: over === null ? null : failureOf(over, after),
    },
  ];
}

/** In the words of the spec; of steps that were edited since, nobody knows them. */
function nameOf({ index, stepsHash }: StepStatus, strategy: Strategy): string {
  if (stepsHash !== stagesHash(strategy)) return `step ${index + 1} before the steps were edited`;
  const stage = stagesOf(strategy)[index];
  return stage === undefined ? 'all traffic' : describe(stage);
}

/** The clock of the node that began it may have been ahead. */
const notBefore = (startedAt: string, end: number): number => Math.max(end, Date.parse(startedAt));

/** Gives the next root span its ids; the SDK asks its generator for them (see telemetry.ts). */
export interface RootIds {
  next: TraceIds | null;
}

/** Hands the spans to the tracer. Without an SDK behind it this does nothing. */
export function emit(
  tracer: Tracer,
  roots: RootIds,
  subject: { uid: string; namespace: string; name: string },
  ended: Ended,
): void {
  const ids = traceIdsOf(subject.uid, ended.hash, ended.startedAt);
  const inside = trace.setSpanContext(ROOT_CONTEXT, { ...ids, traceFlags: TraceFlags.SAMPLED, isRemote: true });
  for (const { kind, name, start, end, attributes, failure } of ended.spans) {
    const options = {
      startTime: start,
      attributes: { 'k8s.namespace.name': subject.namespace, 'assistant.name': subject.name, ...attributes },
    };
    roots.next = kind === 'Rollout' ? ids : null;
    const span = tracer.startSpan(
      name,
      { ...options, root: kind === 'Rollout' },
      kind === 'Rollout' ? ROOT_CONTEXT : inside,
    );
    roots.next = null;
    if (failure !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    span.end(end);
  }
}

/** The ids of the next root span of this process. */
export const rootIds: RootIds = { next: null };
