// How a comparison with stable reads.
import { withDefaults, type MetricSpec } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import { comparisonText } from './texts.ts';

function text(spec: Omit<MetricSpec, 'name'>, counted: boolean, low: number, high: number): string {
  const [metric] = withDefaults({
    components: { chat: { image: 'a' } },
    gateway: { parentRef: { name: 'public' } },
    strategy: { type: 'BlueGreen', blueGreen: {} },
    metrics: [{ name: 'm', comparedTo: { stable: { maxRatio: '2' } }, ...spec }],
  }).metrics;
  return comparisonText(metric!, counted, low, high);
}

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
