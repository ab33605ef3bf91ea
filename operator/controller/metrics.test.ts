// The gauges follow what the informer tells: what changes is told anew, what is gone is not told any more.
import { type Change, type ChangeHandler, Registry } from '@assistant-platform/runtime';
import { expect, it } from 'vitest';
import type { Status } from '../rollout/state.ts';
import type { Note } from '../rollout/decide.ts';
import { rolloutMetrics } from './metrics.ts';
import type { StoredAssistantDeployment } from './resources.ts';

const assistant = (name: string, status: object) =>
  ({
    metadata: { namespace: 'assistants', name },
    spec: { strategy: { type: 'Canary' } },
    status,
  }) as unknown as StoredAssistantDeployment;

function scraped() {
  const registry = new Registry();
  const handlers: ChangeHandler<StoredAssistantDeployment>[] = [];
  const metrics = rolloutMetrics(registry, { addHandler: (handler) => (handlers.push(handler), () => undefined) });
  return {
    stored: (before: Status, after: Status) => metrics.stored(before, after),
    told: (notes: readonly Note[]) => metrics.told(notes),
    forced: async () =>
      (await registry.metrics()).split('\n').filter((line) => line.startsWith('assistant_drain_forced')),
    /** Of the histogram: how many rollouts, and their seconds, by outcome. */
    durations: async () =>
      (await registry.metrics())
        .split('\n')
        .filter((line) => /^assistant_rollout_duration_seconds_(count|sum)/.test(line) && !line.endsWith(' 0')),
    counts: async () =>
      (await registry.metrics())
        .split('\n')
        .filter((line) => line.startsWith('assistant_rollout_duration_seconds_count')),
    tell: (change: Change<StoredAssistantDeployment>) => {
      for (const handler of handlers) handler(change);
    },
    lines: async () =>
      (await registry.metrics()).split('\n').filter((line) => /^assistant_rollout_(info|weight|blocked)/.test(line)),
  };
}

const revision = (hash: string, release: string) => ({ hash, release, createdAt: '2026-01-01T00:00:00Z' });
const underWay = {
  phase: 'Progressing',
  stableRevision: revision('aaaa', '1.0.0'),
  updateRevision: revision('bbbb', '1.1.0'),
  weight: { requested: 20, routed: 10 },
  blockedBy: [{ reason: 'PodsNotReady', message: '', since: '2026-01-01T00:00:00Z' }],
};

it('an assistant is told with its weights and what it waits for', async () => {
  const { tell, lines } = scraped();
  tell({ type: 'Added', object: assistant('support', underWay), initial: true });
  expect(await lines()).toEqual([
    'assistant_rollout_info{namespace="assistants",name="support",strategy="Canary",phase="Progressing",stable="aaaa",update="bbbb",release="1.1.0"} 1',
    'assistant_rollout_weight{namespace="assistants",name="support",kind="requested"} 20',
    'assistant_rollout_weight{namespace="assistants",name="support",kind="routed"} 10',
    'assistant_rollout_blocked{namespace="assistants",name="support",reason="PodsNotReady"} 1',
  ]);
});

it('one that has no status yet is told, too', async () => {
  const { tell, lines } = scraped();
  const { status: _none, ...fresh } = assistant('fresh', {});
  tell({ type: 'Added', object: fresh, initial: false });
  expect(await lines()).toEqual([
    'assistant_rollout_info{namespace="assistants",name="fresh",strategy="Canary",phase="Progressing",stable="",update="",release=""} 1',
  ]);
});

it('what is over is not told any more, nor an assistant that is gone', async () => {
  const { tell, lines } = scraped();
  const [before, after] = [
    assistant('support', underWay),
    assistant('support', { phase: 'Healthy', weight: { requested: 100 } }),
  ];
  tell({ type: 'Added', object: before, initial: true });
  tell({ type: 'Updated', old: before, object: after });
  expect(await lines()).toEqual([
    'assistant_rollout_info{namespace="assistants",name="support",strategy="Canary",phase="Healthy",stable="",update="",release=""} 1',
    'assistant_rollout_weight{namespace="assistants",name="support",kind="requested"} 100',
  ]);
  tell({ type: 'Deleted', object: after });
  expect(await lines()).toEqual([]);
});

it('the end of a rollout is counted once, with its time and its outcome', async () => {
  const { stored, durations } = scraped();
  const ended = (outcome: 'Promoted' | 'Aborted', minute: number) => ({
    ...{ hash: 'bbbb', release: '1.1.0', outcome },
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: `2026-01-01T00:0${minute}:00Z`,
  });
  const [aborted, promoted] = [ended('Aborted', 2), ended('Promoted', 5)];
  expect(await durations()).toEqual([]);
  stored({}, { phase: 'Progressing' });
  stored({ phase: 'Progressing' }, { phase: 'Degraded', history: [aborted] });
  stored({ history: [aborted] }, { phase: 'Degraded', history: [aborted] });
  // Tried again: the same revision has an end of its own.
  stored({ history: [aborted] }, { history: [promoted, aborted] });
  stored({ history: [promoted, aborted] }, { history: [promoted, aborted] });
  expect(await durations()).toEqual([
    'assistant_rollout_duration_seconds_sum{outcome="Promoted"} 300',
    'assistant_rollout_duration_seconds_count{outcome="Promoted"} 1',
    'assistant_rollout_duration_seconds_sum{outcome="Aborted"} 120',
    'assistant_rollout_duration_seconds_count{outcome="Aborted"} 1',
  ]);
});

it('two rollouts that end at one look are both counted', async () => {
  const { stored, durations } = scraped();
  const entry = (hash: string, outcome: 'Superseded' | 'Aborted', from: number, to: number) => ({
    ...{ hash, release: hash, outcome },
    startedAt: `2026-01-01T00:0${from}:00Z`,
    finishedAt: `2026-01-01T00:0${to}:00Z`,
  });
  stored({}, { history: [entry('cccc', 'Aborted', 2, 3), entry('bbbb', 'Superseded', 0, 2)] });
  expect(await durations()).toEqual([
    'assistant_rollout_duration_seconds_sum{outcome="Aborted"} 60',
    'assistant_rollout_duration_seconds_count{outcome="Aborted"} 1',
    'assistant_rollout_duration_seconds_sum{outcome="Superseded"} 120',
    'assistant_rollout_duration_seconds_count{outcome="Superseded"} 1',
  ]);
});

it('every outcome is there before the first rollout ends, so that its first end is an increase', async () => {
  const { counts } = scraped();
  expect(await counts()).toEqual(
    ['Promoted', 'FastPromoted', 'Aborted', 'Superseded', 'RolledBack'].map(
      (outcome) => `assistant_rollout_duration_seconds_count{outcome="${outcome}"} 0`,
    ),
  );
});

it('a rollout that another clock began later than it ended took no time: its counter does not go back', async () => {
  const { stored, durations } = scraped();
  const times = { startedAt: '2026-01-01T00:00:05Z', finishedAt: '2026-01-01T00:00:03Z' };
  stored({}, { history: [{ hash: 'bbbb', release: '1.1.0', outcome: 'Superseded', ...times }] });
  expect(await durations()).toEqual(['assistant_rollout_duration_seconds_count{outcome="Superseded"} 1']);
});

it('[R-307] sessions that a drain cut off at its deadline are counted', async () => {
  const { told, forced } = scraped();
  expect(await forced()).toEqual(['assistant_drain_forced_sessions_total 0']);
  const note = { type: 'Warning', reason: 'DrainForced', message: 'm' } as const;
  told([
    { ...note, cutOff: 3 },
    { type: 'Normal', reason: 'StepCompleted', message: 'm' },
  ]);
  told([{ ...note, cutOff: 2 }]);
  expect(await forced()).toEqual(['assistant_drain_forced_sessions_total 5']);
});
