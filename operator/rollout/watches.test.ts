// Which metrics are watched at a stage, and what they say together.
import type { CanaryStep, StrategySpec } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import type { AnalysisEntry } from './analysis/judge.ts';
import { canary, SAMPLE_METRICS, sampleRelease } from './releases.ts';
import { judgementOf, measurementOrders, watchesOf } from './watches.ts';
import { factsOf, NOW, progressOf } from './worldSituations.ts';

const STARTED = new Date(NOW).toISOString();
const analysis = (...metrics: string[]): CanaryStep => ({ analysis: { metrics, duration: '30s', interval: '10s' } });
const factsWith = (strategy: StrategySpec) =>
  factsOf({}, sampleRelease('1.1.0', strategy, ['chat', 'realtime'], SAMPLE_METRICS));
const at = (index: number, entries: readonly AnalysisEntry[] = []) =>
  progressOf({ step: { index, count: 2, stepsHash: 's', startedAt: STARTED }, analysis: entries });
const BACKGROUND: StrategySpec = {
  type: 'Canary',
  canary: { steps: [{ pause: {} }, analysis('ratio')], analysis: { metrics: ['ratio'], interval: '20s' } },
};

describe('the metrics of a stage', () => {
  it('are those of an analysis, with its end', () => {
    expect(watchesOf(at(0), factsWith(canary([analysis('errors')])))).toMatchObject([
      { metric: { name: 'errors' }, since: NOW, intervalMs: 10_000, endsAt: NOW + 30_000, errorProbability: 1 },
    ]);
  });

  it('are looked at once at least: an interval beyond the end is the whole time', () => {
    const step = { analysis: { metrics: ['errors'], duration: '30s', interval: '1h' } };
    expect(watchesOf(at(0), factsWith(canary([step])))).toMatchObject([{ intervalMs: 30_000 }]);
  });

  it('are those of the background at every stage, which share the error that their confidence leaves', () => {
    const f = factsWith(BACKGROUND);
    const [watch] = watchesOf(at(0), f);
    expect(watch).toMatchObject({ metric: { name: 'ratio' }, intervalMs: 20_000, endsAt: null });
    const whole = 1 - (watch?.metric.comparedToStable?.confidence ?? 0);
    expect(watchesOf(at(1), f)).toMatchObject([{ endsAt: NOW + 30_000 }]);
    // Behind the two steps, at all traffic, it is tested as well.
    expect(watchesOf(at(2), f)).toMatchObject([{ metric: { name: 'ratio' }, endsAt: null }]);
    const all = [0, 1, 2].flatMap((index) => watchesOf(at(index), f).map(({ errorProbability }) => errorProbability));
    expect(all).toEqual([whole / 3, whole / 3, whole / 3]);
  });

  it('are none without a step, without an update, and after an abort', () => {
    const f = factsWith(canary([analysis('errors')]));
    expect(watchesOf(progressOf(), f)).toEqual([]);
    expect(watchesOf({ ...at(0), update: null }, f)).toEqual([]);
    expect(watchesOf({ ...at(0), abort: { at: STARTED, reason: 'bad', by: 'User' } }, f)).toEqual([]);
  });

  it('are measured on the new revision beside the stable one, where there are two', () => {
    const f = factsWith(canary([analysis('errors')]));
    expect(measurementOrders(at(0), f)).toEqual([
      {
        ...{ metric: 'errors', since: NOW, revision: 'b', stableRevision: 'a' },
        ...{ components: ['chat', 'realtime'], dueAt: NOW + 10_000, againstPast: false },
      },
    ]);
    // Where the new revision has all new traffic, stable has only its past.
    const whole = { ...at(0), requested: 100 };
    expect(measurementOrders(whole, f)).toMatchObject([{ stableRevision: 'a', againstPast: true }]);
    // Nobody is judged on the first installation and at rest.
    expect(measurementOrders({ ...at(0), stable: null }, f)).toEqual([]);
    expect(measurementOrders({ ...at(0), stable: { hash: 'b', release: '' } }, f)).toEqual([]);
    expect(measurementOrders({ ...at(0), update: null }, f)).toEqual([]);
  });
});

describe('metrics together', () => {
  const entry = (metric: string, change: Partial<AnalysisEntry>): AnalysisEntry => ({
    ...{ metric, since: STARTED, verdict: 'Passing', message: `${metric} as told`, checks: 1, checkedAt: STARTED },
    ...change,
  });
  const SURE = { ratioLow: '0.1', ratioHigh: '0.2' };
  const judged = (entries: AnalysisEntry[], over = false, ...metrics: string[]) =>
    judgementOf(at(0, entries), factsWith(canary([analysis(...metrics)])), over, NOW + 1000);

  it('are sure when all are, and never when there are none', () => {
    expect(judged([entry('ratio', SURE)], false, 'ratio')).toEqual({ failure: null, waits: [], sure: true });
    expect(judged([entry('ratio', SURE), entry('errors', {})], true, 'ratio', 'errors').sure).toBe(false);
    const behindTheLast = judgementOf(at(5), factsWith(canary([analysis('errors')])), true, NOW);
    expect(behindTheLast).toEqual({ failure: null, waits: [], sure: false });
  });

  it('fail when one does, with all reasons', () => {
    const failing = { verdict: 'Failing', failures: 2 } as const;
    const { failure } = judged([entry('ratio', failing), entry('errors', failing)], false, 'ratio', 'errors');
    expect(failure).toBe(
      'errors as told (2 of 1 checks failed, 1 allowed); ratio as told (2 of 1 checks failed, 1 allowed)',
    );
  });

  it('wait for the worst first, until the next check', () => {
    const entries = [entry('errors', { verdict: 'NotYetSure' }), entry('ratio', { verdict: 'SourceError', errors: 1 })];
    const { waits } = judged(entries, false, 'ratio', 'errors');
    expect(waits.map(({ reason }) => reason)).toEqual(['MetricSourceError', 'AnalysisRunning']);
    expect(waits.map(({ nextCheckAt, since }) => [nextCheckAt, since])).toEqual([
      [NOW + 10_000, undefined],
      [NOW + 10_000, NOW],
    ]);
    const late = judgementOf(at(0, entries), factsWith(canary([analysis('errors')])), false, NOW + 15_000);
    expect(late.waits).toMatchObject([{ nextCheckAt: NOW + 15_000 }]);
  });
});
