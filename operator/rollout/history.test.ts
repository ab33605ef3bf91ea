// What is remembered of a rollout, and what a status without memory means.
import { describe, expect, it } from 'vitest';
import { remember } from './history.ts';
import { atRest, readProgress, type HistoryEntry, type RevisionRef, type StepStatus } from './state.ts';
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

it('a status without memory is the begin of everything', () => {
  expect(readProgress({})).toEqual({
    ...{ stable: null, update: null, step: null, requested: 0, routed: 0 },
    ...{ pauses: [], analysis: [], abort: null, history: [] },
  });
  expect(atRest(readProgress({}))).toBe(false);
});
