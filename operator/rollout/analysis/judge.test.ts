import type { MetricSpec, ResolvedMetric } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import { dueAt, entryOf, judge, standingOf, type AnalysisEntry, type Watch } from './judge.ts';
import type { Measurement, Reading } from './measurement.ts';
import { resolvedMetrics } from './test-metrics.ts';

const START = Date.UTC(2026, 0, 1);

function metric(change: Partial<MetricSpec>): ResolvedMetric {
  const [resolved] = resolvedMetrics([{ name: 'error-rate', preset: 'ErrorRate', ...change }]);
  return resolved!;
}

const watch = (change: Partial<MetricSpec> = { max: '0.01' }, endsAt: number | null = START + 60_000): Watch => ({
  metric: metric(change),
  since: START,
  intervalMs: 15_000,
  endsAt,
  errorProbability: 0.01,
});

const reading = (events: number, trials: number): Reading => ({
  value: trials === 0 ? null : events / trials,
  samples: trials,
  evidence: { events, trials },
});

type Answer = { update: Reading; stable?: Reading } | string;

/** The entry after answers, one every interval. */
function after(of: Watch, ...answers: Answer[]): AnalysisEntry {
  return answers.reduce<AnalysisEntry>(
    (entry, answer) => judge(of, entry, measured(of, entry, answer)),
    entryOf(of, []),
  );
}

function measured(of: Watch, entry: AnalysisEntry, answer: Answer): Measurement {
  const result: Measurement['result'] =
    typeof answer === 'string'
      ? { kind: 'Error', message: answer }
      : { kind: 'Reading', update: answer.update, stable: answer.stable ?? null };
  return { metric: of.metric.name, since: of.since, at: dueAt(of, entry), result };
}

const GOOD = { update: reading(1, 1000) };
const BAD = { update: reading(50, 1000) };
const FEW = { update: reading(0, 12) };

describe('a limit', () => {
  it('passes when the time is over, and not before', () => {
    const of = watch();
    const entry = after(of, GOOD);
    expect(entry).toMatchObject({ verdict: 'Passing', value: '0.001', samples: 1000, checks: 1, failures: 0 });
    expect(standingOf(of, entry, false)).toMatchObject({ kind: 'Waits', reason: 'AnalysisRunning' });
    expect(standingOf(of, entry, true)).toEqual({ kind: 'Good', sure: false });
  });

  it('fails when more checks fail than are allowed, with the figures', () => {
    const of = watch({ max: '0.01', failureLimit: 1 });
    expect(standingOf(of, after(of, GOOD, BAD), true)).toEqual({
      kind: 'Waits',
      reason: 'MetricFailing',
      message: 'error-rate 5 % > 1 % (1 of 2 checks failed, 1 allowed)',
    });
    expect(standingOf(of, after(of, GOOD, BAD, BAD), false)).toEqual({
      kind: 'Failed',
      reason: 'error-rate 5 % > 1 % (2 of 3 checks failed, 1 allowed)',
    });
  });

  it('is met at its very value, and by exactly as many samples as are wanted', () => {
    const of = watch({ max: '0.01', minSamples: 200 });
    expect(after(of, { update: reading(2, 200) })).toMatchObject({ verdict: 'Passing', value: '0.01', samples: 200 });
    expect(after(of, { update: reading(0, 199) })).toMatchObject({ verdict: 'NoData' });
    const least = watch({ preset: 'TokensPerSecond', min: '20' });
    expect(after(least, { update: { value: 20, samples: 1000, evidence: null } })).toMatchObject({
      verdict: 'Passing',
    });
  });

  it('that is missed by a hair is told in digits that show it', () => {
    const of = watch({ max: '0.01' });
    expect(after(of, { update: reading(10_004, 1_000_000) }).message).toBe('error-rate 1.0004 % > 1 %');
    const least = watch({ preset: 'TokensPerSecond', min: '20' });
    const slow = { value: 19.9987, samples: 100, evidence: null };
    expect(after(least, { update: slow }).message).toBe('error-rate 19.9987 tokens/s < 20 tokens/s');
  });

  it('has a lower side too', () => {
    const of = watch({ preset: 'TokensPerSecond', min: '20', failureLimit: 0 });
    const entry = after(of, { update: { value: 12.34, samples: 100, evidence: null } });
    expect(standingOf(of, entry, false)).toMatchObject({
      kind: 'Failed',
      reason: 'error-rate 12.3 tokens/s < 20 tokens/s (1 of 1 checks failed, 0 allowed)',
    });
  });

  it('judges a value without a sample count, as a query of one’s own has it', () => {
    const of = watch({ max: '3', preset: undefined, prometheus: { query: 'up' } });
    expect(after(of, { update: { value: 2, samples: null, evidence: null } })).toMatchObject({ verdict: 'Passing' });
  });
});

describe('no data [R-296]', () => {
  it.each([
    ['Wait', { kind: 'Waits', reason: 'MetricNoData', message: 'error-rate has 12 of 50 samples; onNoData is Wait' }],
    ['Pass', { kind: 'Good', sure: false }],
    ['Fail', { kind: 'Failed', reason: 'error-rate has 12 of 50 samples, and onNoData is Fail' }],
  ] as const)('at the end means what onNoData says: %s', (onNoData, expected) => {
    const of = watch({ max: '0.01', onNoData });
    const entry = after(of, FEW);
    expect(standingOf(of, entry, false)).toMatchObject({ kind: 'Waits', reason: 'MetricNoData' });
    expect(standingOf(of, entry, true)).toEqual(expected);
  });

  it('is not what a metric has that was never measured, whatever onNoData says', () => {
    for (const onNoData of ['Wait', 'Pass', 'Fail'] as const) {
      const of = watch({ max: '0.01', onNoData });
      expect(standingOf(of, entryOf(of, []), true)).toMatchObject({ kind: 'Waits', reason: 'AnalysisRunning' });
    }
  });

  it('is also a stable revision without any', () => {
    const of = watch({ comparedTo: { stable: { maxRatio: '1.2' } } });
    expect(after(of, GOOD)).toMatchObject({ verdict: 'NoData', message: expect.stringContaining('stable') as string });
  });
});

describe('a source that errs', () => {
  it.each(['Wait', 'Pass', 'Fail'] as const)('a few times is given time, with onNoData %s', (onNoData) => {
    const of = watch({ max: '0.01', onNoData, consecutiveErrorLimit: 2 });
    expect(standingOf(of, after(of, GOOD, 'refused', 'refused'), true)).toMatchObject({
      kind: 'Waits',
      reason: 'MetricSourceError',
      message: 'error-rate: refused (2 errors in a row, 2 allowed)',
    });
  });

  it.each([
    ['Wait', 'Waits'],
    ['Pass', 'Good'],
    ['Fail', 'Failed'],
  ] as const)('too often is no data: with onNoData %s it %s', (onNoData, kind) => {
    const of = watch({ max: '0.01', onNoData, consecutiveErrorLimit: 1 });
    expect(standingOf(of, after(of, GOOD, 'refused', 'refused'), true)).toMatchObject({ kind });
  });

  it('too often is not waited for to the end when onNoData is Fail', () => {
    const kinds = (['Wait', 'Pass', 'Fail'] as const).map((onNoData) => {
      const of = watch({ max: '0.01', onNoData, consecutiveErrorLimit: 1 });
      return standingOf(of, after(of, GOOD, 'refused', 'refused'), false).kind;
    });
    expect(kinds).toEqual(['Waits', 'Waits', 'Failed']);
  });

  it('is forgiven when it answers again', () => {
    const of = watch({ max: '0.01', consecutiveErrorLimit: 0 });
    expect(after(of, 'refused', GOOD)).toMatchObject({ verdict: 'Passing', errors: 0, checks: 2 });
  });
});

describe('a comparison with stable [R-295]', () => {
  const of = watch({ comparedTo: { stable: { maxRatio: '1.2' } } });

  it('fails at once when it is sure, whatever failureLimit says', () => {
    const entry = after(of, { update: reading(100, 1000), stable: reading(100, 10_000) });
    expect(entry.verdict).toBe('Failing');
    expect(Number(entry.ratioLow)).toBeGreaterThan(1.2);
    expect(standingOf(of, entry, false)).toMatchObject({
      kind: 'Failed',
      reason: expect.stringMatching(/^error-rate 10 %, [\d.]+ to [\d.]+ times stable > 1.2$/) as string,
    });
  });

  it('passes before its time when it is sure', () => {
    const entry = after(of, { update: reading(100, 10_000), stable: reading(400, 10_000) });
    expect(entry.verdict).toBe('Passing');
    expect(standingOf(of, entry, false)).toEqual({ kind: 'Good', sure: true });
    // A limit beside it wants the whole time.
    for (const limit of [{ max: '0.5' }, { min: '0.001' }]) {
      const limited = { ...of, metric: metric({ ...limit, comparedTo: { stable: { maxRatio: '1.2' } } }) };
      expect(standingOf(limited, entry, false)).toMatchObject({ kind: 'Waits', reason: 'AnalysisRunning' });
    }
  });

  it('is not yet sure until then, and passes when its time is over', () => {
    const entry = after(of, { update: reading(10, 1000), stable: reading(10, 1000) });
    expect(entry).toMatchObject({ verdict: 'NotYetSure', stableValue: '0.01' });
    expect(standingOf(of, entry, false)).toMatchObject({ kind: 'Waits', reason: 'AnalysisRunning' });
    expect(standingOf(of, entry, true)).toEqual({ kind: 'Good', sure: false });
  });

  it('of a query without counts takes the ratio as it is, with failureLimit', () => {
    const plain = watch({
      preset: undefined,
      prometheus: { query: 'x' },
      comparedTo: { stable: { maxRatio: '1.2' } },
    });
    const value = (number: number): Reading => ({ value: number, samples: null, evidence: null });
    const entry = after(plain, { update: value(3), stable: value(2) });
    expect(entry).toMatchObject({ verdict: 'Failing', ratioLow: '1.5', ratioHigh: '1.5' });
    expect(standingOf(plain, entry, false)).toMatchObject({ kind: 'Waits', reason: 'MetricFailing' });
    // Nothing beside nothing is the same, and something beside nothing more than any number of times as much.
    expect(after(plain, { update: value(0), stable: value(0) })).toMatchObject({ verdict: 'Passing', ratioHigh: '1' });
    expect(after(plain, { update: value(1), stable: value(0) })).toMatchObject({ ratioLow: 'Infinity' });
    // So is what Prometheus divided by nothing on both sides, or on one.
    const endless = value(Infinity);
    expect(after(plain, { update: endless, stable: endless })).toMatchObject({ verdict: 'Passing', ratioHigh: '1' });
    expect(after(plain, { update: endless, stable: value(1) })).toMatchObject({
      verdict: 'Failing',
      value: 'Infinity',
    });
    expect(after(plain, { update: value(1), stable: endless })).toMatchObject({ verdict: 'Passing', ratioHigh: '0' });
    // As much as is allowed is allowed.
    expect(after(plain, { update: value(1.2), stable: value(1) }).verdict).toBe('Passing');
    expect(standingOf(plain, after(plain, { update: value(2), stable: value(2) }), false)).toMatchObject({
      kind: 'Waits',
    });
  });

  it.each<[MetricSpec['preset'], number, RegExp]>([
    ['ErrorRate', 0.1, /^error-rate 10 %, [\d.]+ to [\d.]+ times stable > 1.2$/],
    ['LatencyP95', 2, /^error-rate 2 s, slow [\d.]+ to [\d.]+ times as often as stable > 1.2$/],
    ['TokensPerSecond', 20, /^error-rate 20 tokens\/s, slow [\d.]+ to [\d.]+ times as often as stable > 1.2$/],
    ['SessionResumeRate', 0.9, /^error-rate 90 %, with gaps [\d.]+ to [\d.]+ times as often as stable > 1.2$/],
  ])('of %s says what its ratio is one of', (preset, value, said) => {
    const compared = watch({ preset, comparedTo: { stable: { maxRatio: '1.2' } } });
    const entry = after(compared, { update: { ...reading(100, 1000), value }, stable: reading(100, 10_000) });
    expect(entry.message).toMatch(said);
  });

  it('of tokens a second without counts takes fewer for worse', () => {
    const speed = watch({ preset: 'TokensPerSecond', comparedTo: { stable: { maxRatio: '1.2' } } });
    const value = (number: number): Reading => ({ value: number, samples: 1000, evidence: null });
    expect(after(speed, { update: value(50), stable: value(20) })).toMatchObject({
      verdict: 'Passing',
      ratioHigh: '0.4',
    });
    expect(after(speed, { update: value(20), stable: value(50) })).toMatchObject({
      verdict: 'Failing',
      message: 'error-rate 20 tokens/s, 2.5 times as slow as stable > 1.2',
    });
  });

  it('without counts waits until stable, too, has as many samples as are wanted', () => {
    const speed = watch({ preset: 'TokensPerSecond', minSamples: 50, comparedTo: { stable: { maxRatio: '1.2' } } });
    const value = (samples: number): Reading => ({ value: 20, samples, evidence: null });
    expect(after(speed, { update: value(1000), stable: value(49) })).toMatchObject({
      verdict: 'NoData',
      message: 'error-rate: the stable revision has 49 of 50 samples to compare with',
    });
    expect(after(speed, { update: value(1000), stable: value(50) })).toMatchObject({ verdict: 'Passing' });
  });
});

describe('a check', () => {
  it('counts once, however often its measurement is seen', () => {
    const of = watch();
    const first = entryOf(of, []);
    const measurement = measured(of, first, BAD);
    const once = judge(of, first, measurement);
    expect(judge(of, once, measurement)).toBe(once);
    expect(once.failures).toBe(1);
  });

  it('is none when it was measured too early or for another analysis', () => {
    const of = watch();
    const first = entryOf(of, []);
    expect(judge(of, first, { ...measured(of, first, BAD), at: START + 14_999 })).toBe(first);
    expect(judge(of, first, { ...measured(of, first, BAD), since: START - 1 })).toBe(first);
    expect(judge(of, first, undefined)).toBe(first);
  });

  it('is due every interval and once at the end', () => {
    const of = { ...watch(), intervalMs: 25_000 };
    const times: number[] = [];
    let entry = entryOf(of, []);
    for (let check = 0; check < 4; check++) {
      times.push((dueAt(of, entry) - START) / 1000);
      entry = judge(of, entry, measured(of, entry, GOOD));
    }
    expect(times).toEqual([25, 50, 60, 85]);
  });
});
