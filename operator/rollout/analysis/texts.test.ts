// How a comparison with stable reads.
import type { MetricSpec, ResolvedMetric } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import { resolvedMetrics } from './test-metrics.ts';
import { comparisonText, decimalText, valueText } from './texts.ts';

function metricOf(spec: Omit<MetricSpec, 'name'>): ResolvedMetric {
  const [metric] = resolvedMetrics([{ name: 'm', comparedTo: { stable: { maxRatio: '2' } }, ...spec }]);
  return metric!;
}

const text = (spec: Omit<MetricSpec, 'name'>, counted: boolean, low: number, high: number): string =>
  comparisonText(metricOf(spec), counted, low, high);

describe('a comparison with stable in words', () => {
  it('says what is known of the ratio', () => {
    const errors = (low: number, high: number) => text({ preset: 'ErrorRate' }, true, low, high);
    expect(errors(0, Infinity)).toBe('any number of times stable');
    expect(errors(1, Infinity)).toBe('more than 1 times stable');
    expect(errors(0, 1.1)).toBe('less than 1.1 times stable');
    expect(errors(0.9, 4)).toBe('0.9 to 4 times stable');
    expect(errors(2, 2)).toBe('2 times stable');
  });

  it('says what is counted: slow answers, gaps, or the value itself', () => {
    expect(text({ preset: 'LatencyP95' }, true, 2, 2)).toBe('slow 2 times as often as stable');
    expect(text({ preset: 'LatencyP95' }, false, 2, 2)).toBe('2 times stable');
    expect(text({ preset: 'TokensPerSecond' }, true, 2, 2)).toBe('slow 2 times as often as stable');
    expect(text({ preset: 'TokensPerSecond' }, false, 2, 2)).toBe('2 times as slow as stable');
    expect(text({ preset: 'SessionResumeRate' }, true, 2, 2)).toBe('with gaps 2 times as often as stable');
    expect(text({ prometheus: { query: 'vector(1)' } }, false, 2, 2)).toBe('2 times stable');
  });
});

describe('a value in words', () => {
  it.each<[Omit<MetricSpec, 'name'>, string]>([
    [{ preset: 'LatencyP95' }, '0.0123 s'],
    [{ preset: 'TimeToFirstChunkP95' }, '0.0123 s'],
    [{ preset: 'TokensPerSecond' }, '0.0123 tokens/s'],
    [{ preset: 'CostPerAnswer' }, '$0.0123'],
    [{ preset: 'ErrorRate' }, '1.23 %'],
    [{ preset: 'FallbackRate' }, '1.23 %'],
    [{ preset: 'StreamAbortRate' }, '1.23 %'],
    [{ preset: 'SessionResumeRate' }, '1.23 %'],
    [{ prometheus: { query: 'vector(1)' } }, '0.0123'],
  ])('has the unit of its metric: %o', (spec, wanted) => {
    expect(valueText(metricOf(spec), 0.01234)).toBe(wanted);
  });

  it('has six digits in the status, and a word where there is no number', () => {
    expect(decimalText(1.23456789)).toBe('1.23457');
    expect([decimalText(Infinity), decimalText(-Infinity)]).toEqual(['Infinity', '-Infinity']);
  });
});
