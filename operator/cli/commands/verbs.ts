// `promote`, `abort`, `retry` and `restart`: verbs written as annotations, after a look at whether they mean anything now.
import { underWay, type AssistantDeployment, type Verb } from '@assistant-platform/api';
import type { Assistants } from '../assistants.ts';
import type { Change } from '../changes.ts';
import { CommandError } from '../errors.ts';
import type { Io } from '../io.ts';
import { outcomeOf, verbChange } from '../render/outcome.ts';
import { presentStep } from '../render/steps.ts';
import { report, type ReportOptions } from './report.ts';

/** Ends the present pause, or skips all that remains. */
export async function promote(
  assistants: Assistants,
  name: string,
  io: Io,
  options: ReportOptions & { readonly full: boolean },
): Promise<number> {
  const object = await assistants.read(name);
  const { status = {} } = object;
  const release = demandRollout(object, 'promote');
  if (status.abort !== undefined) {
    throw new CommandError(
      'NothingToDo',
      `the rollout of release ${release} is aborted (${status.abort.reason}): kubectl assistant retry ${name} begins it again; or correct the spec and apply it`,
    );
  }
  const changes = [await order(assistants, object, 'promote', options.full ? 'full' : 'step')];
  const present = presentStep(object);
  const what = options.full
    ? 'all remaining steps are skipped'
    : `the present step is passed${present === null ? '' : ` (${present})`}`;
  const deed = { verb: 'promote', message: `release ${release}: ${what}`, changes, waitsWhileHeld: true };
  return report(io, outcomeOf(object, deed), options);
}

/** Sends all traffic back to the stable revision. */
export async function abort(
  assistants: Assistants,
  name: string,
  io: Io,
  options: ReportOptions & { readonly reason: string },
): Promise<number> {
  if (options.reason.trim() === '')
    throw new CommandError('BadUsage', 'the reason is empty: write one that helps the next person');
  const object = await assistants.read(name);
  const { status = {} } = object;
  const release = demandRollout(object, 'abort');
  if (status.abort !== undefined) {
    throw new CommandError(
      'NothingToDo',
      `the rollout of release ${release} is aborted already: ${status.abort.reason}`,
    );
  }
  const changes = [await order(assistants, object, 'abort', options.reason)];
  const message = `release ${release} is aborted: all traffic goes back to release ${status.stableRevision?.release ?? ''}`;
  return report(io, outcomeOf(object, { verb: 'abort', message, changes }), options);
}

/** Begins an aborted rollout again, from its first step. */
export async function retry(assistants: Assistants, name: string, io: Io, options: ReportOptions): Promise<number> {
  const object = await assistants.read(name);
  const { abort: aborted, updateRevision, stableRevision } = object.status ?? {};
  if (unseen(object)) {
    throw new CommandError(
      'NothingToDo',
      `nothing to retry: the spec has changed since, and the operator takes it up by itself`,
    );
  }
  if (aborted === undefined) {
    throw new CommandError(
      'NothingToDo',
      `nothing to retry: no rollout is aborted, release ${stableRevision?.release ?? object.spec.release ?? ''} ${underWay(object.status ?? {}) ? 'is being replaced' : 'is stable'}`,
    );
  }
  const changes = [await order(assistants, object, 'retry', '')];
  const message = `release ${updateRevision?.release ?? ''} begins again at its first step`;
  return report(io, outcomeOf(object, { verb: 'retry', message, changes, waitsWhileHeld: true }), options);
}

/** Replaces all pods by new ones of the same spec, through the steps of the strategy. */
export async function restart(assistants: Assistants, name: string, io: Io, options: ReportOptions): Promise<number> {
  const object = await assistants.read(name);
  const { status = {} } = object;
  const release = status.stableRevision?.release ?? object.spec.release ?? '';
  if (status.abort !== undefined) {
    throw new CommandError(
      'NothingToDo',
      `the rollout of release ${status.updateRevision?.release ?? ''} is aborted: kubectl assistant retry ${name} begins it again, kubectl assistant undo ${name} takes it back`,
    );
  }
  if (unseen(object) || status.stableRevision === undefined || underWay(status)) {
    throw new CommandError(
      'NothingToDo',
      `release ${status.updateRevision?.release ?? release} is being rolled out, its pods are new: restart when it is stable`,
    );
  }
  const changes = [await order(assistants, object, 'restart', new Date(io.now()).toISOString())];
  const message = `all pods of release ${release} are replaced, step by step as its strategy says`;
  return report(io, outcomeOf(object, { verb: 'restart', message, changes, waitsWhileHeld: true }), options);
}

/** Writes a verb. @returns what that changes. */
async function order(assistants: Assistants, object: AssistantDeployment, verb: Verb, value: string): Promise<Change> {
  await assistants.change(object, { order: { verb, value } });
  return verbChange(object, verb, value);
}

/** The operator has not looked at the present spec yet. */
const unseen = ({ metadata, status }: AssistantDeployment): boolean =>
  (status?.observedGeneration ?? 0) < (metadata.generation ?? 0);

/**
 * The release that is being rolled out. A spec that the operator has not seen yet counts as one: the verb waits for it.
 * @throws CommandError NothingToDo, saying what is stable.
 */
function demandRollout(object: AssistantDeployment, verb: 'promote' | 'abort'): string {
  const { spec, status = {} } = object;
  const fresh = unseen(object);
  if (!fresh && status.stableRevision === undefined) {
    throw new CommandError('NothingToDo', `nothing to ${verb}: the first release takes no steps`);
  }
  if (!fresh && !underWay(status)) {
    throw new CommandError(
      'NothingToDo',
      `nothing to ${verb}: release ${status.stableRevision?.release ?? ''} is stable`,
    );
  }
  return (fresh ? spec.release : status.updateRevision?.release) ?? '';
}
