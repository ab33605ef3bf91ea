// Strategies, drawn: canary steps of every kind, blue-green, drain, deadlines. They refer only to metrics and flags that are there.
import type { AssistantDeploymentSpec, CanaryStep } from '@assistant-platform/api';
import { parseDuration } from '../../../operator/api/durations.ts';
import type { Chance } from '../../simulator/random.ts';
import { maybe, type Richness } from './pods.ts';
import { drawDuration, drawObjectName } from './texts.ts';

type Strategy = AssistantDeploymentSpec['strategy'];

/** What a strategy may refer to. */
export interface Declared {
  readonly metrics: readonly string[];
  readonly flags: readonly string[];
}

export function drawStrategy(chance: Chance, rich: Richness, declared: Declared): Strategy {
  return {
    ...(chance.happens(0.6)
      ? { type: 'Canary', canary: drawCanary(chance, rich, declared) }
      : { type: 'BlueGreen', blueGreen: drawBlueGreen(chance, rich, declared) }),
    ...maybe(chance, rich, 'drain', () => ({
      ...maybe(chance, rich, 'deadline', () => drawDuration(chance, '0s', '24h')),
      ...maybe(chance, rich, 'closePerSecond', () => chance.pick([1, 50, 10_000])),
    })),
    ...maybe(chance, rich, 'progressDeadline', () => drawDuration(chance, '1s', '24h')),
    ...maybe(chance, rich, 'abortOnDeadline', () => chance.happens(0.5)),
    ...maybe(chance, rich, 'rollbackWindow', () => ({
      ...maybe(chance, rich, 'revisions', () => chance.pick([0, 3, 50])),
    })),
  };
}

function drawMetricNames(chance: Chance, { metrics }: Declared): string[] {
  const chosen = metrics.filter(() => chance.happens(0.6));
  return chosen.length > 0 ? chosen : [chance.pick(metrics)];
}

/** An analysis whose interval fits into its duration, the defaults (2m and 15s) included. */
function drawAnalysis(chance: Chance, rich: Richness, declared: Declared) {
  const duration = chance.happens(rich) ? drawDuration(chance, '1s', '24h') : undefined;
  const longest = parseDuration(duration ?? '2m');
  const most = `${Math.max(1, Math.min(3600, Math.floor(longest / 1000)))}s`;
  const needed = longest < 15_000;
  const interval = needed || chance.happens(rich) ? drawDuration(chance, '1s', most) : undefined;
  return {
    metrics: drawMetricNames(chance, declared),
    ...(duration === undefined ? {} : { duration }),
    ...(interval === undefined ? {} : { interval }),
  };
}

function drawCanary(chance: Chance, rich: Richness, declared: Declared): NonNullable<Strategy['canary']> {
  const count = chance.weighted({ few: 9, many: 1 }) === 'few' ? chance.integer(1, 8) : chance.integer(9, 50);
  const kinds = [
    'setWeight',
    'pause',
    'chaos',
    ...(declared.metrics.length > 0 ? (['analysis'] as const) : []),
    ...(declared.flags.length > 0 ? (['setFlag'] as const) : []),
  ] as const;
  const drawn = Array.from({ length: count }, () => chance.pick(kinds));
  const weights = drawn
    .map(() => chance.pick([0, 100, chance.integer(0, 100), chance.integer(0, 100)]))
    .sort((a, b) => a - b);
  const steps = drawn.map((kind, index): CanaryStep => {
    switch (kind) {
      case 'setWeight':
        return { setWeight: weights[index] ?? 100 };
      case 'pause':
        return { pause: { ...maybe(chance, 0.7, 'duration', () => drawDuration(chance, '1s', '168h')) } };
      case 'analysis':
        return { analysis: drawAnalysis(chance, rich, declared) };
      case 'setFlag':
        return { setFlag: { feature: chance.pick(declared.flags), rollout: chance.pick([0, 25, 100]) } };
      case 'chaos':
        return { chaos: { experiment: drawObjectName(chance) } };
    }
  });
  return {
    steps,
    ...maybe(chance, rich, 'stickiness', () => ({
      ...maybe(chance, rich, 'by', () => chance.pick(['Bucket', 'None'] as const)),
    })),
    ...(declared.metrics.length > 0
      ? maybe(chance, rich, 'analysis', () => ({
          metrics: drawMetricNames(chance, declared),
          ...maybe(chance, rich, 'interval', () => drawDuration(chance, '1s', '1h')),
        }))
      : {}),
  };
}

function drawBlueGreen(chance: Chance, rich: Richness, declared: Declared): NonNullable<Strategy['blueGreen']> {
  const choices: readonly { readonly autoPromote?: boolean }[] = [
    {},
    { autoPromote: true },
    { autoPromote: true },
    { autoPromote: false },
  ];
  const { autoPromote } = chance.pick(choices);
  const analysis = (member: 'prePromotion' | 'postPromotion') =>
    declared.metrics.length > 0 ? maybe(chance, rich, member, () => drawAnalysis(chance, rich, declared)) : {};
  return {
    ...(autoPromote === undefined ? {} : { autoPromote }),
    ...(autoPromote === false ? {} : maybe(chance, rich, 'autoPromoteAfter', () => drawDuration(chance, '0s', '168h'))),
    ...maybe(chance, rich, 'scaleDownDelay', () => drawDuration(chance, '0s', '24h')),
    ...analysis('prePromotion'),
    ...analysis('postPromotion'),
  };
}
