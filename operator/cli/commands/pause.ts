// `pause` and `resume`: spec.paused, so that everybody who looks at the object sees it.
import { underWay } from '@assistant-platform/api';
import type { Assistants } from '../assistants.ts';
import { CommandError } from '../errors.ts';
import type { Io } from '../io.ts';
import { outcomeOf } from '../render/outcome.ts';
import { presentStep } from '../render/steps.ts';
import { report, type ReportOptions } from './report.ts';

/** Holds a rollout where it is, and keeps the next one from beginning. */
export async function pause(assistants: Assistants, name: string, io: Io, options: ReportOptions): Promise<number> {
  const object = await assistants.read(name);
  const { spec, status = {} } = object;
  if (spec.paused === true) throw new CommandError('NothingToDo', `${name} is paused already: resume ends it`);
  await assistants.change(object, { spec: { paused: true } });
  const at = status.weight === undefined ? '' : ` at ${status.weight.routed} %`;
  const message =
    underWay(status) && status.abort === undefined
      ? `release ${status.updateRevision?.release ?? ''} is held${at}; kubectl assistant resume ${name} goes on`
      : `nothing is rolled out now; the next change waits until kubectl assistant resume ${name}`;
  const changes = [{ path: 'spec.paused', before: spec.paused, after: true }];
  return report(io, outcomeOf(object, { verb: 'pause', message, changes }), options);
}

/** Ends a pause that `pause` (or spec.paused) began. Pauses that are steps of the strategy are gates: `promote` passes them. */
export async function resume(assistants: Assistants, name: string, io: Io, options: ReportOptions): Promise<number> {
  const object = await assistants.read(name);
  const { spec, status = {} } = object;
  if (spec.paused !== true) {
    const step = (status.pauseConditions ?? []).length > 0 ? presentStep(object) : null;
    throw new CommandError(
      'NothingToDo',
      step === null
        ? `${name} is not paused; kubectl assistant why ${name} says what it waits for`
        : `spec.paused is not set: it waits at a step of its strategy (${step}); kubectl assistant promote ${name} passes it`,
    );
  }
  await assistants.change(object, { spec: { paused: false } });
  const message = underWay(status)
    ? `release ${status.updateRevision?.release ?? ''} goes on`
    : 'the next change begins at once';
  const changes = [{ path: 'spec.paused', before: spec.paused, after: false }];
  return report(io, outcomeOf(object, { verb: 'resume', message, changes }), options);
}
