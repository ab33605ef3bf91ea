/**
 * A trace for each rollout, a span for each step. Spans are made from two statuses when a step or a rollout has ended, with the times that stand in them: nothing
 * about them lives in memory. The ids follow from the object, the revision and the begin, so that every operator that has a part in a rollout adds to one trace.
 */
import { createHash } from 'node:crypto';
import { type Attributes, ROOT_CONTEXT, SpanStatusCode, trace, TraceFlags, type Tracer } from '@opentelemetry/api';
import type { Strategy } from '../rollout/release.ts';
import { stagesOf } from '../rollout/stages.ts';
import type { Status } from '../rollout/state.ts';
import { describe } from '../rollout/walk.ts';

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

/** The rollout that was under way before. */
export interface Ended {
  readonly hash: string;
  readonly startedAt: string;
  readonly spans: readonly EndedSpan[];
}

/** The spans that ended with `after`; null when none did. Pure. */
export function endedBetween(before: Status, after: Status, strategy: Strategy, now: number): Ended | null {
  const update = before.updateRevision;
  if (update?.startedAt === undefined || update.hash === before.stableRevision?.hash) return null;
  const { hash, startedAt } = update;
  const entry = after.history?.[0];
  const isNew = entry !== undefined && JSON.stringify(entry) !== JSON.stringify(before.history?.[0]);
  const over = isNew && entry.hash === hash && entry.startedAt === startedAt ? entry : null;
  const failure = over === null || over.outcome.endsWith('Promoted') ? null : (after.abort?.reason ?? over.outcome);
  const spans = [
    ...stepSpans(before, after, strategy, over === null ? null : Date.parse(over.finishedAt), failure, now),
    ...(over === null
      ? []
      : [
          {
            kind: 'Rollout',
            name: `rollout ${over.release}`,
            start: Date.parse(over.startedAt),
            end: Date.parse(over.finishedAt),
            attributes: {
              'assistant.outcome': over.outcome,
              'assistant.release': over.release,
              'assistant.revision': hash,
            },
            failure,
          } as const,
        ]),
  ];
  return spans.length === 0 ? null : { hash, startedAt, spans };
}

function stepSpans(
  { step, weight }: Status,
  after: Status,
  strategy: Strategy,
  overAt: number | null,
  failure: string | null,
  now: number,
): EndedSpan[] {
  if (step?.startedAt === undefined) return [];
  const left = after.step?.index !== step.index || after.step.stepsHash !== step.stepsHash;
  if (overAt === null && !left) return [];
  const stage = stagesOf(strategy)[step.index];
  const name = stage === undefined ? 'all traffic' : describe(stage);
  const end = overAt ?? (after.step?.startedAt === undefined ? now : Date.parse(after.step.startedAt));
  const attributes = {
    'assistant.step': Math.min(step.index + 1, step.count),
    'assistant.steps': step.count,
    'assistant.weight': weight?.requested ?? 0,
  };
  return [
    {
      kind: 'Step',
      name,
      start: Date.parse(step.startedAt),
      end: Math.max(end, Date.parse(step.startedAt)),
      attributes,
      failure,
    },
  ];
}

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
