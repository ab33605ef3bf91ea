// The status of an AssistantDeployment: what the operator observed and decided. Only the operator writes it, so it has types but
// hardly any limits: a status that is refused would stop a rollout.
import { z } from 'zod';
import { ABORT_SOURCES, FLAG_STATES, HISTORY_OUTCOMES, PHASES, VERDICTS } from '../conditions.ts';
import { listAtomic, listMap } from './rules.ts';
import { time } from './scalars.ts';

const count = () => z.int().meta({ format: 'int32' });
const optionalText = () => z.string().optional();

const revision = z.object({
  hash: z
    .string()
    .describe('Names the revision, also in the names of its objects and in the header x-assistant-revision.'),
  release: z.string().describe('Its label for people.'),
  startedAt: time().optional().describe('When its rollout began.'),
});

const side = z.object({
  replicas: count().describe('Pods.'),
  ready: count().describe('Pods that take traffic.'),
  sockets: count().describe('Open sessions, as the pods say.'),
});

const draining = z.object({
  hash: z.string().describe('The revision that leaves.'),
  component: z.string().describe('Its component.'),
  sockets: count().describe('Sessions still open.'),
  busy: count().describe('Of these, in the middle of an answer.'),
  startedAt: time().describe('When the drain began.'),
  deadline: time().describe('When what is still open is closed.'),
  forced: z.boolean().describe('Sessions were closed at the deadline.'),
});

const blocked = z.object({
  reason: z.string().describe('What kind of wait, one word.'),
  message: z.string().describe('What was seen, against what is needed.'),
  since: time().describe('Since when.'),
  nextCheckAt: time().optional().describe('When the operator looks again, where that is known.'),
});

const analysis = z.object({
  metric: z.string().describe('Name from spec.metrics.'),
  value: optionalText().describe('Last value of the new revision.'),
  stableValue: optionalText().describe('Value of the stable revision in the same window.'),
  ratioLow: optionalText().describe('Lower end of the interval of the ratio.'),
  ratioHigh: optionalText().describe('Upper end of the interval of the ratio.'),
  samples: count().optional().describe('Events behind the value.'),
  verdict: z.enum(VERDICTS).describe('What follows.'),
  message: optionalText().describe('The last check in words.'),
  since: time().optional().describe('Begin of the window that is looked at.'),
  checkedAt: time().optional().describe('When the last check was made.'),
  checks: count().optional().describe('Checks so far.'),
  failures: count().optional().describe('Failing checks so far.'),
  errors: count().optional().describe('Errors of the source in a row.'),
});

const condition = z.object({
  type: z.string().max(316).describe('Ready, Progressing, Degraded, Paused, Draining or FieldsIgnored.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  observedGeneration: z.int().optional().meta({ format: 'int64', description: 'Generation of the spec it speaks of.' }),
  lastTransitionTime: time().describe('When status last changed.'),
  reason: z.string().max(1024).describe('One word.'),
  message: z.string().max(32_768).describe('For people.'),
});

const summary = z.object({
  step: optionalText().describe('Such as 2/7.'),
  weight: optionalText().describe('Routed share of the new revision, such as 10%.'),
  ready: optionalText().describe('Ready pods of all pods, such as 4/5.'),
  connections: count().optional().describe('Open sessions of all revisions.'),
  flag: optionalText().describe('Flags and their rollout, such as new-memory=10%. Not filled yet.'),
  chaos: optionalText().describe('The running experiment. Not filled yet.'),
});

export const status = z
  .object({
    observedGeneration: z
      .int()
      .optional()
      .meta({ format: 'int64', description: 'Generation of the spec that this status speaks of.' }),
    phase: z.enum(PHASES).optional().describe('Where it stands, in one word.'),
    message: optionalText().describe('Where it stands, in one sentence.'),
    stableRevision: revision.optional().describe('The revision that everybody gets, or would after an abort.'),
    updateRevision: revision
      .optional()
      .describe('The revision that the spec asks for; equal to stableRevision when nothing is under way.'),
    step: z
      .object({
        index: count().describe('Steps done, and the index of the present one.'),
        count: count().describe('Steps in all.'),
        stepsHash: z.string().describe('Names the list of steps; an edited list starts at 0.'),
        startedAt: time().optional().describe('When the present step began.'),
      })
      .optional()
      .describe('Progress through the steps.'),
    weight: z
      .object({
        requested: count().describe('Share that the steps ask for, in percent.'),
        routed: count().describe('Share as verified on all HTTPRoutes, in percent.'),
        observed: z.number().optional().describe('Share of the open sessions, in percent.'),
      })
      .optional()
      .describe('Share of the new revision.'),
    components: z
      .record(
        z.string(),
        z.object({
          stable: side.optional().describe('Of the stable revision.'),
          update: side.optional().describe('Of the new revision, while there is one.'),
        }),
      )
      .optional()
      .describe('Pods and sessions by component.'),
    draining: z
      .array(draining)
      .optional()
      .meta({ description: 'Revisions that leave, with the sessions they still have.', ...listAtomic }),
    flags: z
      .array(
        z.object({
          feature: z.string().describe('Name of the feature.'),
          rollout: count().describe('Its share now, in percent.'),
          state: z.enum(FLAG_STATES).describe('Whether Unleash shows what the rollout asks for.'),
        }),
      )
      .optional()
      .meta({ description: 'Features that move with the rollout. Not filled yet.', ...listMap('feature') }),
    chaos: z
      .object({
        experiment: z.string().describe('Name of the experiment.'),
        phase: z.string().describe('Its phase.'),
      })
      .optional()
      .describe('The experiment of the present step. Not filled yet.'),
    pauseConditions: z
      .array(z.object({ reason: z.string().describe('Why.'), startTime: time().describe('Since when.') }))
      .optional()
      .meta({ description: 'Why it is paused.', ...listAtomic }),
    blockedBy: z
      .array(blocked)
      .optional()
      .meta({ description: 'What it waits for: always filled while it waits.', ...listAtomic }),
    analysis: z
      .array(analysis)
      .optional()
      .meta({ description: 'The metrics of the present step.', ...listMap('metric') }),
    abort: z
      .object({
        at: time().describe('When.'),
        reason: z.string().describe('Why, for people.'),
        by: z.enum(ABORT_SOURCES).describe('Who or what. KillSwitch and Chaos do not occur yet.'),
      })
      .optional()
      .describe('Absent unless the rollout was aborted.'),
    conditions: z
      .array(condition)
      .optional()
      .meta({ description: 'metav1.Condition.', ...listMap('type') }),
    replicas: count()
      .optional()
      .describe(
        'Pods of the stable revision of realtime, or of the first component without one: the scale subresource.',
      ),
    selector: optionalText().describe('Label selector of these pods.'),
    history: z
      .array(
        z.object({
          hash: z.string().describe('The revision.'),
          release: z.string().describe('Its label for people.'),
          outcome: z.enum(HISTORY_OUTCOMES).describe('How its rollout ended.'),
          startedAt: time().describe('When it began.'),
          finishedAt: time().describe('When it ended.'),
        }),
      )
      .optional()
      .meta({ description: 'Rollouts that ended, the latest first.', ...listAtomic }),
    summary: summary.optional().describe('Short texts for the columns of kubectl get.'),
  })
  .describe('What the operator observed and decided.');
