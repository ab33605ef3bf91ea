// What a revision is judged by, and what moves with it, drawn: metrics, flags, objectives.
import type { AssistantDeploymentSpec } from '@assistant-platform/api';
import { PRESETS, SHARE_PRESETS } from '../../../operator/api/schema/metrics.ts';
import type { Chance } from '../../simulator/random.ts';
import { maybe, type Richness } from './pods.ts';
import {
  contextFieldForm,
  dnsLabelForm,
  drawDecimal,
  drawDistinct,
  drawDuration,
  drawText,
  featureForm,
} from './texts.ts';

type Metric = NonNullable<AssistantDeploymentSpec['metrics']>[number];
type Flag = NonNullable<AssistantDeploymentSpec['flags']>[number];
type Slo = NonNullable<AssistantDeploymentSpec['slo']>;

export const drawMetrics = (chance: Chance, rich: Richness, count: number): Metric[] =>
  drawDistinct(chance, count, () => drawText(chance, dnsLabelForm)).map((name) => drawMetric(chance, rich, name));

function drawMetric(chance: Chance, rich: Richness, name: string): Metric {
  const preset = chance.happens(0.7) ? chance.pick(PRESETS) : null;
  const share = preset !== null && (SHARE_PRESETS as readonly string[]).includes(preset);
  const [least, most] = share ? [0, 1] : [chance.pick([-1000, 0]), chance.pick([1, 100, 99_999_999])];
  const middle = least + (most - least) * chance.next();
  const criteria = {
    ...maybe(chance, rich, 'min', () => drawDecimal(chance, least, middle)),
    ...maybe(chance, rich, 'max', () => drawDecimal(chance, middle, most)),
    ...maybe(chance, rich, 'comparedTo', () => ({
      stable: {
        maxRatio: drawDecimal(chance, 0.000_001, 20),
        ...maybe(chance, rich, 'confidence', () => drawDecimal(chance, 0.5, 0.999_999)),
      },
    })),
  };
  return {
    name,
    ...(preset === null
      ? { prometheus: { query: chance.pick(['up{revision="{{revision}}"}', 'x'.repeat(4096), '1']) } }
      : { preset }),
    ...(Object.keys(criteria).length > 0 ? criteria : { max: drawDecimal(chance, middle, most) }),
    ...maybe(chance, rich, 'minSamples', () => chance.pick([0, 1, 50, 1_000_000_000])),
    ...maybe(chance, rich, 'onNoData', () => chance.pick(['Wait', 'Pass', 'Fail'] as const)),
    ...maybe(chance, rich, 'failureLimit', () => chance.pick([0, 1, 1000])),
    ...maybe(chance, rich, 'consecutiveErrorLimit', () => chance.pick([0, 4, 1000])),
  };
}

export const drawFlags = (chance: Chance, rich: Richness, count: number): Flag[] =>
  drawDistinct(chance, count, () => drawText(chance, featureForm)).map((feature) => ({
    feature,
    environment: drawText(chance, featureForm),
    ...maybe(chance, rich, 'follow', () => chance.pick(['Weight', 'Promotion', 'Steps'] as const)),
    ...maybe(chance, rich, 'stickiness', () => drawText(chance, contextFieldForm)),
    ...maybe(chance, rich, 'onRollback', () => chance.pick(['Restore', 'Disable', 'Keep'] as const)),
    ...maybe(chance, rich, 'killSwitch', () => chance.pick(['Abort', 'Pause', 'None'] as const)),
  }));

export function drawSlo(chance: Chance): Slo {
  const availability = drawDecimal(chance, 0.000_001, 0.999_999);
  const latencyP95 = drawDuration(chance, '1ms', '1h');
  return chance.pick<Slo>([{ availability }, { latencyP95 }, { availability, latencyP95 }]);
}
