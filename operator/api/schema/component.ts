// One component of the release set: what runs, how much of it, where it listens, how it scales.
import { z } from 'zod';
import { nestsDeeper, TEMPLATE_LEVELS } from '../nesting.ts';
import { listMap, rules } from './rules.ts';
import { env, envFrom, resources } from './podParts.ts';
import { characters, decimal, duration, port, text } from './scalars.ts';

export const AUTOSCALING_METRICS = [
  'Connections',
  'RequestsPerSecond',
  'CPU',
  'QueueDepth',
  'TokensPerSecond',
  'Prometheus',
] as const;

/** Characters of one part of a URL path (RFC 3986 pchar). */
const PATH_PART = '[-a-zA-Z0-9._~%!$&()*+,;=:@]+';

const autoscalingMetric = z
  .object({
    type: z
      .enum(AUTOSCALING_METRICS)
      .describe('What loads a pod: open sockets, requests, CPU, waiting work, tokens, or a query of your own.'),
    targetPerPod: z.int().min(1).max(10_000_000).optional().meta({
      format: 'int32',
      description: 'How much of it one pod should carry; for CPU: percent of the requested CPU. Not for Prometheus.',
    }),
    query: characters(4096, 1)
      .optional()
      .describe(
        'Only for Prometheus: the query, with {{name}}, {{namespace}}, {{component}} and {{revision}}. Its result is divided by target.',
      ),
    target: decimal({ above: 0, message: 'write the target per pod as a decimal above 0, such as "250"' })
      .optional()
      .describe('Only for Prometheus: what one pod should carry of the result, as a decimal string.'),
  })
  .meta({
    description: 'One reason to scale; the one that asks for most pods wins.',
    ...rules(
      {
        rule: "self.type != 'Prometheus' || (has(self.query) && has(self.target) && !has(self.targetPerPod))",
        message: 'type Prometheus needs query and target, and no targetPerPod',
      },
      {
        rule: "self.type == 'Prometheus' || (has(self.targetPerPod) && !has(self.query) && !has(self.target))",
        message: 'this type needs targetPerPod, and neither query nor target (those belong to type Prometheus)',
      },
    ),
  });

export const autoscaling = z
  .object({
    min: z
      .int()
      .min(1)
      .max(1000)
      .default(1)
      .meta({ format: 'int32', description: 'Fewest pods of a revision in service.' }),
    max: z.int().min(1).max(1000).meta({ format: 'int32', description: 'Most pods of a revision.' }),
    metrics: z
      .array(autoscalingMetric)
      .min(1)
      .max(6)
      .meta({ description: 'What it scales by.', ...listMap('type') }),
    scaleIn: z
      .object({
        drainTimeout: duration({ min: '0s', max: '24h' })
          .default('10m')
          .describe('How long a pod that is scaled in may keep its open sessions.'),
        freezeDuringRollout: z
          .boolean()
          .default(true)
          .describe('No scaling in while a rollout is under way, so that both revisions are judged at the same size.'),
      })
      .optional()
      .describe('Scaling in is a drain, not a kill.'),
  })
  .meta({
    description:
      'Scales every revision of the component by its own load. Instead of replicas. Not acted on yet: min pods run, and the condition FieldsIgnored says so.',
    ...rules({
      rule: 'self.min <= self.max',
      message: 'min is above max: write a min that is at most max',
      fieldPath: '.min',
    }),
  });

export const component = z
  .object({
    image: characters(1024, 1).meta({
      description: 'Container image, with tag or digest. A change makes a new revision.',
      ...rules({
        rule: "self.matches('^[a-zA-Z0-9][-a-zA-Z0-9._:/@]*$')",
        message: 'write an image reference without spaces, such as registry.example.com/chat:1.1.0',
      }),
    }),
    replicas: z.int().min(0).max(1000).optional().meta({
      format: 'int32',
      description:
        'Pods of a revision in full service; 1 when absent. Not together with autoscaling. `kubectl scale` writes that of the component realtime.',
    }),
    port: port().default(8080).describe('Port of the traffic, in the container and on the Service.'),
    adminPort: port().default(9090).describe('Port of metrics, sessions and drain (pod contract); not routed.'),
    path: text({
      pattern: `^/(${PATH_PART}(/${PATH_PART})*/?)?$`,
      maxLength: 256,
      message: 'a path begins with "/" and has no spaces or empty parts: write / or /ws',
    })
      .optional()
      .describe(
        'Path prefix of its HTTPRoute. By default / for chat, /ws for realtime, and / with the name of the component for others.',
      ),
    env: env.default([]),
    envFrom: envFrom.default([]),
    resources: resources.default({}),
    template: z
      .record(z.string(), z.unknown())
      // No rule of the API server can say it: what may hold anything is nothing that rules can read.
      .refine((template) => !nestsDeeper(template, TEMPLATE_LEVELS), `write at most ${TEMPLATE_LEVELS} levels`)
      .default({})
      .meta({
        'x-kubernetes-preserve-unknown-fields': true,
        description:
          'Strategic-merge patch on the pod template (corev1.PodTemplateSpec) for everything else: affinity, volumes, further containers. The main container is named after the component. At most 32 levels deep.',
      }),
    autoscaling: autoscaling.optional(),
  })
  .meta({
    description: 'A part of the assistant that is released together with the others.',
    ...rules(
      {
        rule: '!(has(self.replicas) && has(self.autoscaling))',
        message:
          'replicas and autoscaling exclude each other: remove replicas and write the bounds in autoscaling.min and autoscaling.max',
        fieldPath: '.replicas',
      },
      {
        rule: 'self.port != self.adminPort',
        message: 'port and adminPort are the same: write another adminPort (9090 by default)',
        fieldPath: '.adminPort',
      },
    ),
  });
