// How a new revision gets its traffic: canary steps or blue-green, the drain of the old one, and the deadlines.
import { z } from 'zod';
import { listAtomic, listSet, rules } from './rules.ts';
import { dnsLabel, duration, objectName } from './scalars.ts';
import { featureName } from './flags.ts';

const metricNames = z
  .array(dnsLabel('a metric'))
  .min(1)
  .max(16)
  .meta({ description: 'Names from spec.metrics.', ...listSet });

/** Looks can be neither rarer than the whole analysis, nor more frequent than Prometheus scrapes usefully. */
const intervalFits = {
  rule: 'duration(self.interval) <= duration(self.duration)',
  message: 'the interval is longer than the duration: write an interval that fits into it several times',
  fieldPath: '.interval',
} as const;

const interval = duration({ min: '1s', max: '1h' });
const windowLength = duration({ min: '1s', max: '24h' });

const timedAnalysis = (what: string) =>
  z
    .object({
      metrics: metricNames,
      duration: windowLength.default('2m').describe('How long it looks before it passes.'),
      interval: interval.default('15s').describe('Time between two looks.'),
    })
    .meta({ description: what, ...rules(intervalFits) });

const stepMembers = {
  setWeight: z.int().min(0).max(100).meta({
    format: 'int32',
    description: 'Share of new conversations and requests that the new revision gets, in percent.',
  }),
  pause: z
    .object({
      duration: duration({ min: '1s', max: '168h' })
        .optional()
        .describe('How long; without it until somebody promotes.'),
    })
    .describe('Waits.'),
  analysis: timedAnalysis('Judges the new revision by metrics; a failing one aborts the rollout.'),
  setFlag: z
    .object({
      feature: featureName().describe('The feature; it must be declared in spec.flags.'),
      rollout: z
        .int()
        .min(0)
        .max(100)
        .meta({ format: 'int32', description: 'Share of conversations that see it, in percent.' }),
    })
    .describe(
      'Moves the rollout of a feature in Unleash. Not carried out yet: the rollout holds here with StepKindNotSupported until somebody promotes.',
    ),
  chaos: z
    .object({
      experiment: objectName('the experiment').describe(
        'Name of a ChaosExperiment with spec.template: true, in the same namespace. That kind does not exist yet.',
      ),
    })
    .describe(
      'Breaks the new revision, and only it, and demands that the steady state holds. Not carried out yet: the rollout holds here with StepKindNotSupported until somebody promotes.',
    ),
} as const;

type StepShape = { [K in keyof typeof stepMembers]: z.output<(typeof stepMembers)[K]> };
type StepInputShape = { [K in keyof typeof stepMembers]: z.input<(typeof stepMembers)[K]> };
/** Exactly one member of T. */
type OneOf<T> = { [K in keyof T]: { [L in K]: T[L] } & { [L in Exclude<keyof T, K>]?: never } }[keyof T];

const STEP_RULE = 'write exactly one of setWeight, pause, analysis, setFlag, chaos; make a step of its own for each';

const step = z
  .object({
    setWeight: stepMembers.setWeight.optional(),
    pause: stepMembers.pause.optional(),
    analysis: stepMembers.analysis.optional(),
    setFlag: stepMembers.setFlag.optional(),
    chaos: stepMembers.chaos.optional(),
  })
  .refine((value) => Object.keys(value).length === 1, STEP_RULE)
  .meta({
    description: 'One step; it has exactly one member.',
    ...rules({
      rule: '[has(self.setWeight), has(self.pause), has(self.analysis), has(self.setFlag), has(self.chaos)].filter(x, x).size() == 1',
      message: `a step does one thing: ${STEP_RULE}`,
    }),
    // The refinement above makes the closed union true; zod cannot infer it.
  }) as unknown as z.ZodType<OneOf<StepShape>, OneOf<StepInputShape>>;

const canary = z
  .object({
    steps: z
      .array(step)
      .min(1)
      .max(50)
      .meta({
        description: 'What happens one after the other. After the last one the new revision gets all traffic.',
        ...listAtomic,
        ...rules({
          rule: 'self.filter(s, has(s.setWeight)).map(s, s.setWeight).isSorted()',
          message:
            'weights only rise: order the setWeight steps from the smallest to the largest (going back is what abort does)',
        }),
      }),
    stickiness: z
      .object({
        by: z
          .enum(['Bucket', 'None'])
          .default('Bucket')
          .describe(
            'Bucket: a conversation stays where it is while the weight rises; None: every request is drawn anew.',
          ),
      })
      .default({ by: 'Bucket' })
      .describe('What decides which revision answers a conversation.'),
    analysis: z
      .object({ metrics: metricNames, interval: interval.default('15s').describe('Time between two looks.') })
      .optional()
      .describe('Judges the new revision in the background of every step.'),
  })
  .describe('Traffic moves step by step.');

const blueGreen = z
  .object({
    autoPromote: z
      .boolean()
      .default(true)
      .describe('Traffic switches by itself; false: it waits at the preview until somebody promotes.'),
    autoPromoteAfter: duration({ min: '0s', max: '168h' })
      .optional()
      .describe('How long the preview stands before traffic switches by itself; at once when absent.'),
    scaleDownDelay: duration({ min: '0s', max: '24h' })
      .default('30s')
      .describe(
        'How long the old revision stays untouched after the new one has become stable, so that going back to it is one route change.',
      ),
    prePromotion: timedAnalysis('Judges the preview before traffic switches.').optional(),
    postPromotion: timedAnalysis(
      'Judges after the switch; failing: traffic goes back to the old revision, as long as that is healthy.',
    ).optional(),
  })
  .meta({
    description: 'The new revision stands complete beside the old one, then all traffic switches.',
    ...rules({
      rule: 'self.autoPromote || !has(self.autoPromoteAfter)',
      message: 'autoPromoteAfter has no effect while autoPromote is false: remove it, or write autoPromote: true',
      fieldPath: '.autoPromoteAfter',
    }),
  });

export const strategy = z
  .object({
    type: z.enum(['Canary', 'BlueGreen']).describe('How traffic moves to a new revision.'),
    canary: canary.optional(),
    blueGreen: blueGreen.optional(),
    drain: z
      .object({
        deadline: duration({ min: '0s', max: '24h' })
          .default('10m')
          .describe(
            'How long a revision that leaves may keep its open sessions; then they are closed and counted as forced.',
          ),
        closePerSecond: z.int().min(1).max(10_000).default(50).meta({
          format: 'int32',
          description: 'How many sessions of a pod are asked to move in a second, idle ones first.',
        }),
      })
      .prefault({})
      .describe('How open sessions leave an old revision.'),
    progressDeadline: duration({ min: '1s', max: '24h' })
      .default('10m')
      .describe('No progress for this long, outside pauses and analysis, is a failure.'),
    abortOnDeadline: z
      .boolean()
      .default(true)
      .describe('What such a failure does: true aborts the rollout, false reports and goes on waiting.'),
    rollbackWindow: z
      .object({
        revisions: z
          .int()
          .min(0)
          .max(50)
          .default(0)
          .meta({ format: 'int32', description: 'How many earlier revisions; 0: none.' }),
      })
      .default({ revisions: 0 })
      .describe('Going back to one of the latest promoted revisions skips the steps.'),
  })
  .meta({
    description: 'How a new revision gets its traffic.',
    ...rules(
      {
        rule: "(self.type == 'Canary') == has(self.canary)",
        message: 'canary is there exactly when type is Canary: write canary.steps, or remove canary, or change type',
        fieldPath: '.canary',
      },
      {
        rule: "(self.type == 'BlueGreen') == has(self.blueGreen)",
        message:
          'blueGreen is there exactly when type is BlueGreen: write blueGreen: {}, or remove blueGreen, or change type',
        fieldPath: '.blueGreen',
      },
    ),
  });
