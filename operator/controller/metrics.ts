// Metrics of the rollouts themselves (docs/reference/metrics.md). Gauges are made anew at each scrape from what the informer told last, so they never lag or leak.
import { HISTORY_OUTCOMES } from '@assistant-platform/api';
import type { Status } from '../rollout/state.ts';
import { computedGauge, objectKey, type Registry, type WatchSource } from '@assistant-platform/runtime';
import { Counter, Histogram } from 'prom-client';
import type { Note } from '../rollout/decide.ts';
import { endedSince } from './ended.ts';
import type { StoredAssistantDeployment } from './resources.ts';

export interface RolloutMetrics {
  /** Called after a status was stored. */
  stored(before: Status, after: Status): void;
  /** Called with what was told after it was carried out. */
  told(notes: readonly Note[]): void;
}

// From a blue-green switch of seconds to canaries of days.
const DURATION_BUCKETS = [5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400, 259_200];

/** What the gauges tell of one AssistantDeployment: little, as every one of them is kept. */
interface Figures {
  readonly labels: Readonly<Record<(typeof INFO_LABELS)[number], string>>;
  readonly weights: readonly (readonly [kind: string, percent: number])[];
  readonly reasons: readonly string[];
}

const INFO_LABELS = ['namespace', 'name', 'strategy', 'phase', 'stable', 'update', 'release'] as const;

function figuresOf({ metadata, spec, status }: StoredAssistantDeployment): Figures {
  return {
    labels: {
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      strategy: spec.strategy.type,
      phase: status?.phase ?? 'Progressing',
      stable: status?.stableRevision?.hash ?? '',
      update: status?.updateRevision?.hash ?? '',
      release: status?.updateRevision?.release ?? '',
    },
    weights: Object.entries(status?.weight ?? {}).flatMap(([kind, value]) =>
      typeof value === 'number' ? [[kind, value] as const] : [],
    ),
    reasons: (status?.blockedBy ?? []).map(({ reason }) => reason),
  };
}

/** Registers the families. @param assistants tells of all AssistantDeployments. */
export function rolloutMetrics(registry: Registry, assistants: WatchSource<StoredAssistantDeployment>): RolloutMetrics {
  const all = new Map<string, Figures>();
  assistants.addHandler(({ type, object }) => {
    if (type === 'Deleted') all.delete(objectKey(object.metadata));
    else all.set(objectKey(object.metadata), figuresOf(object));
  });
  computedGauge(
    registry,
    'assistant_rollout_info',
    'One for each AssistantDeployment: where its release stands.',
    INFO_LABELS,
    (set) => all.forEach(({ labels }) => set(labels, 1)),
  );
  computedGauge(
    registry,
    'assistant_rollout_weight',
    'Share of the update revision in percent: requested, routed (verified), observed (open sessions).',
    ['namespace', 'name', 'kind'],
    (set) =>
      all.forEach(({ labels: { namespace, name }, weights }) => {
        for (const [kind, value] of weights) set({ namespace, name, kind }, value);
      }),
  );
  computedGauge(
    registry,
    'assistant_rollout_blocked',
    'One for each reason that a rollout waits for.',
    ['namespace', 'name', 'reason'],
    (set) =>
      all.forEach(({ labels: { namespace, name }, reasons }) => {
        for (const reason of reasons) set({ namespace, name, reason }, 1);
      }),
  );
  const duration = new Histogram({
    name: 'assistant_rollout_duration_seconds',
    help: 'Time from the begin of a rollout to its end, by outcome.',
    labelNames: ['outcome'],
    buckets: DURATION_BUCKETS,
    registers: [registry],
  });
  // All are there from the start: the first abort after a restart would not be an increase otherwise.
  for (const outcome of HISTORY_OUTCOMES) duration.zero({ outcome });
  const forced = new Counter({
    name: 'assistant_drain_forced_sessions_total',
    help: 'Open sessions that were cut off because the deadline of a drain had passed.',
    registers: [registry],
  });
  return {
    told: (notes) => {
      for (const { cutOff = 0 } of notes) forced.inc(cutOff);
    },
    stored: (before, after) => {
      for (const { outcome, startedAt, finishedAt } of endedSince(before, after)) {
        // The clock of the node that began it may have been ahead of this one.
        duration.observe({ outcome }, Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
      }
    },
  };
}
