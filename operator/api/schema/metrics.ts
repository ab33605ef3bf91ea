// What a revision is judged by: where a value comes from, and which values are good.
import { z } from 'zod';
import { rules } from './rules.ts';
import { characters, decimal, dnsLabel } from './scalars.ts';

export const PRESETS = [
  'ErrorRate',
  'LatencyP95',
  'TimeToFirstChunkP95',
  'TokensPerSecond',
  'FallbackRate',
  'StreamAbortRate',
  'CostPerAnswer',
  'SessionResumeRate',
] as const;
/** Presets whose value is a share of events, 0 to 1. */
export const SHARE_PRESETS = ['ErrorRate', 'FallbackRate', 'StreamAbortRate', 'SessionResumeRate'] as const;

const plainDecimal = () =>
  decimal({ message: 'write a decimal in quotes, without percent sign or exponent, such as "0.01"' });
const share = `self.preset in [${SHARE_PRESETS.map((preset) => `'${preset}'`).join(', ')}]`;
const shareRule = (member: 'max' | 'min') => ({
  rule: `!has(self.preset) || !(${share}) || !has(self.${member}) || (double(self.${member}) >= 0.0 && double(self.${member}) <= 1.0)`,
  message: `this preset is a share from 0 to 1: write ${member}: "0.01" for 1 %`,
  fieldPath: `.${member}`,
});

export const metric = z
  .object({
    name: dnsLabel('a metric').describe('Name that steps and analyses refer to.'),
    preset: z
      .enum(PRESETS)
      .optional()
      .describe(
        'A value that the pod contract offers. Rates are shares from 0 to 1, latencies are seconds, TokensPerSecond is tokens a second, CostPerAnswer is US dollars. Instead of prometheus.',
      ),
    prometheus: z
      .object({
        query: characters(4096, 1).describe(
          'PromQL that gives one number, with {{name}}, {{namespace}}, {{component}} and {{revision}}.',
        ),
      })
      .optional()
      .describe('A query of your own. Instead of preset.'),
    max: plainDecimal().optional().describe('A value above it fails, e.g. "0.01".'),
    min: plainDecimal().optional().describe('A value below it fails.'),
    comparedTo: z
      .object({
        stable: z
          .object({
            maxRatio: decimal({
              above: 0,
              message: 'write the largest good ratio as a decimal above 0, such as "1.2"',
            }).describe('Largest good ratio of new to stable, e.g. "1.2".'),
            confidence: decimal({
              min: 0.5,
              below: 1,
              message: 'write a confidence from 0.5 to below 1, such as "0.99"',
            })
              .default('0.99')
              .describe(
                'How sure a verdict must be, over all looks of the analysis together. CostPerAnswer and a query of your own have failureLimit instead.',
              ),
          })
          .describe('The stable revision in the same window.'),
      })
      .optional()
      .describe('Compares with another revision by a sequential test, which may be looked at every interval.'),
    minSamples: z.int().min(0).max(1_000_000_000).default(50).meta({
      format: 'int32',
      description:
        'Fewer events than this are no data. Not for prometheus: a query of your own has no count of events.',
    }),
    onNoData: z
      .enum(['Wait', 'Pass', 'Fail'])
      .default('Wait')
      .describe('What no data means: wait and say so in blockedBy, pass, or fail.'),
    failureLimit: z.int().min(0).max(1000).default(1).meta({
      format: 'int32',
      description:
        'Failing checks allowed before it aborts. The comparison with stable has its confidence instead, but for CostPerAnswer and a query of your own.',
    }),
    consecutiveErrorLimit: z.int().min(0).max(1000).default(4).meta({
      format: 'int32',
      description: 'Errors of the source in a row that are allowed; beyond them it counts as no data.',
    }),
  })
  .meta({
    description: 'One value that a revision is judged by.',
    ...rules(
      {
        rule: 'has(self.preset) != has(self.prometheus)',
        message: 'a metric has one source: write either preset or prometheus.query',
      },
      {
        rule: 'has(self.max) || has(self.min) || has(self.comparedTo)',
        message: 'nothing says which values are good: write max, min or comparedTo.stable.maxRatio',
      },
      {
        rule: '!has(self.min) || !has(self.max) || double(self.min) <= double(self.max)',
        message: 'min is above max: write a min that is at most max',
        fieldPath: '.min',
      },
      shareRule('max'),
      shareRule('min'),
    ),
  });
