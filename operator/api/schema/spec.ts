// The spec of an AssistantDeployment: the one definition behind the CRD, the TypeScript types and the defaults.
import { z } from 'zod';
import { component } from './component.ts';
import { flag } from './flags.ts';
import { metric } from './metrics.ts';
import { listMap, listSet, rules } from './rules.ts';
import { characters, decimal, dnsLabel, duration, objectName, port, text } from './scalars.ts';
import { strategy } from './strategy.ts';

/** With a slash at the end: gateways take /a and /a/ for the same prefix. */
const pathOf = (name: string): string =>
  `(has(self[${name}].path) ? (self[${name}].path.endsWith('/') ? self[${name}].path : self[${name}].path + '/') : (${name} == 'chat' ? '/' : (${name} == 'realtime' ? '/ws/' : '/' + ${name} + '/')))`;

const components = z.record(z.string(), component).meta({
  description:
    'The parts of the assistant, by name; they are released in lockstep. The names chat and realtime have built-in knowledge.',
  minProperties: 1,
  maxProperties: 4,
  ...rules(
    {
      rule: "self.all(name, name.size() <= 20 && name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$'))",
      message:
        'a component is named by a DNS label of at most 20 characters: write lower-case letters, digits and dashes, beginning with a letter, such as chat',
    },
    {
      rule: `self.all(a, self.all(b, a == b || ${pathOf('a')} != ${pathOf('b')}))`,
      message: 'two components have the same path: write another path for one of them',
    },
    {
      rule: "self.all(a, self.all(b, a != b + '-preview'))",
      message: 'a component is named like the preview Service of another: write a name that is not <other>-preview',
    },
  ),
});

const gateway = z
  .object({
    parentRef: z
      .object({
        name: objectName('the Gateway').describe('Name of the Gateway.'),
        namespace: dnsLabel('a namespace').optional().describe('Its namespace; that of this object when absent.'),
        sectionName: objectName('the listener').optional().describe('One listener of it; all that fit when absent.'),
        port: port().optional().describe('Only listeners on this port.'),
      })
      .describe('The Gateway (Gateway API) that the routes attach to.'),
    hostnames: z
      .array(
        text({
          pattern: '^([*][.])?[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
          maxLength: 253,
          message:
            'write a host name without scheme, port or path, in lower case, such as support.example.com or *.example.com',
        }),
      )
      .max(16)
      .default([])
      .meta({ description: 'Host names of the routes; all when empty.', ...listSet }),
  })
  .describe('Where traffic comes from.');

const slo = z
  .object({
    availability: decimal({ above: 0, below: 1, message: 'write a share between 0 and 1, such as "0.999" for 99.9 %' })
      .optional()
      .describe('Share of requests that must succeed, e.g. "0.999".'),
    latencyP95: duration({ min: '1ms', max: '1h' }).optional().describe('95 of 100 requests must be faster.'),
  })
  .meta({
    description: 'Objectives, for burn-rate alert rules. Not acted on yet: the condition FieldsIgnored names it.',
    ...rules({
      rule: 'has(self.availability) || has(self.latencyP95)',
      message: 'an empty slo has no effect: write availability or latencyP95, or remove slo',
    }),
  });

const declaredMetrics = (list: string): string =>
  `${list}.all(m, has(self.metrics) && self.metrics.exists(d, d.name == m))`;
const undeclaredMetric =
  'an analysis refers to a metric that spec.metrics does not declare: add it there, or correct the name';

export const spec = z
  .object({
    release: characters(63)
      .default('')
      .describe('A label for people, such as "1.1.0". What makes a new revision is a change of the components.'),
    components,
    gateway,
    strategy,
    metrics: z
      .array(metric)
      .max(16)
      .default([])
      .meta({ description: 'What revisions are judged by, for analyses to refer to.', ...listMap('name') }),
    flags: z
      .array(flag)
      .max(16)
      .default([])
      .meta({
        description:
          'Features in Unleash that move with a rollout. Not acted on yet: the condition FieldsIgnored names it.',
        ...listMap('feature'),
      }),
    slo: slo.optional(),
    paused: z
      .boolean()
      .default(false)
      .describe(
        'Holds a rollout where it is: no step is passed, no weight rises, no other release begins. The way back stays open: an abort, a metric that fails, and the spec of the stable release take effect.',
      ),
    revisionHistoryLimit: z
      .int()
      .min(0)
      .max(50)
      .default(5)
      .meta({ format: 'int32', description: 'How many old revisions are remembered, to go back to.' }),
  })
  .meta({
    description: 'What should run, and how it gets there.',
    ...rules(
      {
        rule: `!has(self.strategy.canary) || self.strategy.canary.steps.all(s, !has(s.analysis) || ${declaredMetrics('s.analysis.metrics')})`,
        message: undeclaredMetric,
        fieldPath: '.strategy.canary.steps',
      },
      {
        rule: `!has(self.strategy.canary) || !has(self.strategy.canary.analysis) || ${declaredMetrics('self.strategy.canary.analysis.metrics')}`,
        message: undeclaredMetric,
        fieldPath: '.strategy.canary.analysis.metrics',
      },
      ...(['prePromotion', 'postPromotion'] as const).map((member) => ({
        rule: `!has(self.strategy.blueGreen) || !has(self.strategy.blueGreen.${member}) || ${declaredMetrics(`self.strategy.blueGreen.${member}.metrics`)}`,
        message: undeclaredMetric,
        fieldPath: `.strategy.blueGreen.${member}.metrics`,
      })),
      {
        rule: '!has(self.strategy.canary) || self.strategy.canary.steps.all(s, !has(s.setFlag) || (has(self.flags) && self.flags.exists(f, f.feature == s.setFlag.feature)))',
        message: 'a setFlag step moves a feature that spec.flags does not declare: add it there, or correct the name',
        fieldPath: '.strategy.canary.steps',
      },
    ),
  });
