// Metrics of the rollouts themselves (api.md section 4). Gauges are computed from the cache when they are scraped, so they never lag or leak.
import type { HistoryEntry, Status } from '../rollout/state.ts';
import { computedGauge, type Registry } from '@assistant-platform/runtime';
import { Histogram } from 'prom-client';
import type { StoredAssistantDeployment } from './resources.ts';

export interface RolloutMetrics {
  /** Called after a status was stored. */
  stored(before: Status, after: Status): void;
}

// From a blue-green switch of seconds to canaries of days.
const DURATION_BUCKETS = [5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400, 259_200];

/** Registers the families. @param list gives all AssistantDeployments. */
export function rolloutMetrics(registry: Registry, list: () => readonly StoredAssistantDeployment[]): RolloutMetrics {
  const each = (use: (names: { namespace: string; name: string }, object: StoredAssistantDeployment) => void): void => {
    for (const object of list())
      use({ namespace: object.metadata.namespace ?? '', name: object.metadata.name }, object);
  };
  computedGauge(
    registry,
    'assistant_rollout_info',
    'One for each AssistantDeployment: where its release stands.',
    ['namespace', 'name', 'strategy', 'phase', 'stable', 'update', 'release'],
    (set) =>
      each((names, { spec, status }) =>
        set(
          {
            ...names,
            strategy: spec.strategy.type,
            phase: status?.phase ?? 'Progressing',
            stable: status?.stableRevision?.hash ?? '',
            update: status?.updateRevision?.hash ?? '',
            release: status?.updateRevision?.release ?? '',
          },
          1,
        ),
      ),
  );
  computedGauge(
    registry,
    'assistant_rollout_weight',
    'Share of the update revision in percent: requested, routed (verified), observed (open sessions).',
    ['namespace', 'name', 'kind'],
    (set) =>
      each((names, { status }) => {
        for (const [kind, value] of Object.entries(status?.weight ?? {})) {
          if (typeof value === 'number') set({ ...names, kind }, value);
        }
      }),
  );
  computedGauge(
    registry,
    'assistant_rollout_blocked',
    'One for each reason that a rollout waits for.',
    ['namespace', 'name', 'reason'],
    (set) =>
      each((names, { status }) => {
        for (const { reason } of status?.blockedBy ?? []) set({ ...names, reason }, 1);
      }),
  );
  const duration = new Histogram({
    name: 'assistant_rollout_duration_seconds',
    help: 'Time from the begin of a rollout to its end, by outcome.',
    labelNames: ['outcome'],
    buckets: DURATION_BUCKETS,
    registers: [registry],
  });
  return {
    stored: (before, after) => {
      const ended = after.history?.[0];
      if (ended === undefined || isSame(before.history?.[0], ended)) return;
      duration.observe({ outcome: ended.outcome }, (Date.parse(ended.finishedAt) - Date.parse(ended.startedAt)) / 1000);
    },
  };
}

const isSame = (a: HistoryEntry | undefined, b: HistoryEntry): boolean =>
  a?.hash === b.hash && a.finishedAt === b.finishedAt;
