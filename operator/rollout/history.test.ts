// What is remembered of a rollout, and what a status without memory means.
import { VERBS } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import { remember } from './history.ts';
import { canary } from './releases.ts';
import { atRest, readProgress, type HistoryEntry, type RevisionRef, type StepStatus } from './state.ts';
import { installed, release } from './test-rollouts.ts';
import type { WorldRun } from './worldRun.ts';
import { NOW, progressOf } from './worldSituations.ts';

const FINISHED = new Date(NOW).toISOString();
const update = (startedAt?: string) => ({ hash: 'b', release: '1.1.0', startedAt });
const step = { index: 0, count: 1, stepsHash: 's', startedAt: 'the step' };

describe('the history', () => {
  it('has when a rollout began: its own time, else that of its step, else its end', () => {
    const began = (of: RevisionRef, at: StepStatus | null): string | undefined =>
      remember({ ...progressOf({ step: at }), update: of }, 'Promoted', 5, NOW).history[0]?.startedAt;
    expect(began(update('the release'), step)).toBe('the release');
    expect(began(update(), step)).toBe('the step');
    expect(began(update(), null)).toBe(FINISHED);
  });

  it('has the newest first, and keeps so many and one more', () => {
    const older = ['x', 'y', 'z'].map(
      (hash): HistoryEntry => ({
        ...{ hash, release: hash, outcome: 'Promoted', startedAt: '', finishedAt: '' },
      }),
    );
    const { history } = remember({ ...progressOf({ history: older }), update: update('then') }, 'Aborted', 2, NOW);
    expect(history.map(({ hash }) => hash)).toEqual(['b', 'x', 'y']);
    expect(history[0]).toEqual({ ...update('then'), outcome: 'Aborted', finishedAt: FINISHED });
  });
});

describe('the way back', () => {
  const quick = canary([{ setWeight: 30 }]);
  const promoted = (run: WorldRun, version: string): void => {
    release(run, version);
    run.run(60_000);
    expect(run.world.status).toMatchObject({ phase: 'Healthy', stableRevision: { release: version } });
  };
  const recorded = (run: WorldRun): string[] => [...run.world.records.values()].map((record) => record.release).sort();

  it('to what was stable before is not lost by attempts that failed, however many', () => {
    const run = installed(quick);
    for (const version of ['1.1.0', '1.2.0', '1.3.0', '1.4.0']) {
      release(run, version);
      run.run(1500);
      run.world.annotate({ [VERBS.abort]: 'wrong answers' });
      run.run(30_000);
      expect(run.world.status).toMatchObject({ phase: 'Degraded', updateRevision: { release: version } });
    }
    promoted(run, '1.5.0');
    expect(recorded(run)).toEqual(['1.0.0', '1.4.0', '1.5.0']);
    expect(run.world.status.history?.map((entry) => entry.release)).toEqual(['1.5.0', '1.4.0', '1.3.0', '1.0.0']);
    release(run, '1.0.0');
    run.run(1000);
    expect(run.world.status.step).toMatchObject({ index: 1, count: 1 }); // the steps are skipped
  });

  it('leads to what was stable last, not to what was made last', () => {
    const run = installed(quick);
    for (const version of ['1.1.0', '1.2.0', '1.0.0', '1.3.0']) promoted(run, version);
    expect(recorded(run)).toEqual(['1.0.0', '1.2.0', '1.3.0']);
  });
});

it('a status without memory is the begin of everything', () => {
  expect(readProgress({})).toEqual({
    ...{ stable: null, update: null, step: null, requested: 0, routed: 0 },
    ...{ pauses: [], analysis: [], abort: null, history: [] },
  });
  expect(atRest(readProgress({}))).toBe(false);
});
