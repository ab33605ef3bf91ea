// Both strategies as stages, and what each takes.
import type { StrategySpec } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import { blueGreen, canary, SAMPLE_METRICS, sampleRelease } from './releases.ts';
import { capacityFor, stagesHash, stagesOf, weightAt } from './stages.ts';
import { describe as inWords } from './walk.ts';

const strategyOf = (strategy: StrategySpec) => sampleRelease('1', strategy, ['chat'], SAMPLE_METRICS).strategy;
const words = (strategy: StrategySpec): string[] => stagesOf(strategyOf(strategy)).map(inWords);
const look = { metrics: ['errors'], duration: '30s', interval: '10s' };

describe('the stages of blue-green', () => {
  it('are the preview, the wait, and the switch', () => {
    expect(words(blueGreen({ autoPromoteAfter: '2s' }))).toEqual(['weight 0 %', 'pause of 2 s', 'weight 100 %']);
    expect(words(blueGreen({ autoPromote: false }))).toEqual(['weight 0 %', 'pause until promoted', 'weight 100 %']);
    expect(words(blueGreen({ autoPromoteAfter: '0s' }))).toEqual(['weight 0 %', 'weight 100 %']);
    expect(words(blueGreen({ autoPromoteAfter: '1ms' }))).toEqual(['weight 0 %', 'pause of 0.001 s', 'weight 100 %']);
  });

  it('have an analysis before and after the switch', () => {
    expect(words(blueGreen({ autoPromote: false, prePromotion: look, postPromotion: look }))).toEqual([
      ...['weight 0 %', 'analysis before promotion of errors over 30 s', 'pause until promoted'],
      ...['weight 100 %', 'analysis after promotion of errors over 30 s'],
    ]);
  });
});

it('the stages of a canary are its steps; what this version cannot carry out stays a stage', () => {
  const steps = [
    { setWeight: 5 },
    { pause: {} },
    { analysis: look },
    { setFlag: { feature: 'memory', rollout: 5 } },
    { chaos: { experiment: 'kill' } },
  ];
  expect(words(canary(steps))).toEqual([
    ...['weight 5 %', 'pause until promoted', 'analysis of errors over 30 s'],
    ...['step "setFlag memory"', 'step "chaos kill"'],
  ]);
});

it('the weight at a stage is the highest one set so far', () => {
  const weights = (strategy: StrategySpec): number[] => {
    const stages = stagesOf(strategyOf(strategy));
    return [...stages, null].map((_, index) => weightAt(stages, index));
  };
  expect(weights(canary([{ pause: {} }, { setWeight: 5 }, { pause: {} }, { setWeight: 60 }]))).toEqual([
    0, 5, 5, 60, 100,
  ]);
  expect(weights(blueGreen({ autoPromote: false, postPromotion: look }))).toEqual([0, 0, 100, 100, 100]);
});

it('other stages have another hash', () => {
  const hash = (weight: number): string => stagesHash(strategyOf(canary([{ setWeight: weight }])));
  expect(hash(5)).toBe(hash(5));
  expect(hash(5)).not.toBe(hash(6));
});

it('a canary has pods by its share, blue-green all of them; a component that is not there has none', () => {
  const pods = (strategy: StrategySpec, weight: number, component = 'chat'): number =>
    capacityFor(sampleRelease('1', strategy), component, weight);
  expect([pods(canary(), 0), pods(canary(), 51), pods(canary(), 100)]).toEqual([1, 2, 2]);
  expect([pods(blueGreen(), 0), pods(blueGreen(), 100)]).toEqual([2, 2]);
  expect([pods(canary(), 50, 'gone'), pods(blueGreen(), 50, 'gone')]).toEqual([0, 0]);
});
