// `promote` and `abort`: verbs written as annotations, after a look at whether they mean anything now.
import { underWay, VERBS, type AssistantDeployment } from '@assistant-platform/api';
import type { Assistants } from '../assistants.ts';
import { CommandError } from '../errors.ts';
import type { Io } from '../io.ts';
import { presentStep } from '../render/steps.ts';

/** Ends the present pause, or skips all that remains. */
export async function promote(
  assistants: Assistants,
  name: string,
  io: Io,
  options: { readonly full: boolean },
): Promise<number> {
  const object = await assistants.read(name);
  const { status = {} } = object;
  const release = demandRollout(object, 'promote');
  if (status.abort !== undefined) {
    throw new CommandError(
      'NothingToDo',
      `the rollout of release ${release} is aborted (${status.abort.reason}): correct the spec and apply it again`,
    );
  }
  await assistants.order(name, 'promote', options.full ? 'full' : 'step');
  const present = presentStep(object);
  const what = options.full
    ? 'all remaining steps are skipped'
    : `the present step is passed${present === null ? '' : ` (${present})`}`;
  tell(io, object, `release ${release}: ${what}`);
  return 0;
}

/** Sends all traffic back to the stable revision. */
export async function abort(
  assistants: Assistants,
  name: string,
  io: Io,
  options: { readonly reason: string },
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
  await assistants.order(name, 'abort', options.reason);
  tell(
    io,
    object,
    `release ${release} is aborted: all traffic goes back to release ${status.stableRevision?.release ?? ''}`,
  );
  return 0;
}

/**
 * The release that is being rolled out. A spec that the operator has not seen yet counts as one: the verb waits for it.
 * @throws CommandError NothingToDo, saying what is stable.
 */
function demandRollout(object: AssistantDeployment, verb: 'promote' | 'abort'): string {
  const { metadata, spec, status = {} } = object;
  const unseen = (status.observedGeneration ?? 0) < (metadata.generation ?? 0);
  if (!unseen && status.stableRevision === undefined) {
    throw new CommandError('NothingToDo', `nothing to ${verb}: the first release takes no steps`);
  }
  if (!unseen && !underWay(status)) {
    throw new CommandError(
      'NothingToDo',
      `nothing to ${verb}: release ${status.stableRevision?.release ?? ''} is stable`,
    );
  }
  return (unseen ? spec.release : status.updateRevision?.release) ?? '';
}

function tell(io: Io, { metadata }: AssistantDeployment, what: string): void {
  const pending = Object.values(VERBS).filter((verb) => metadata.annotations?.[verb] !== undefined);
  if (pending.length > 0) {
    io.stderr.write(`the operator has not taken the last order yet (${pending.join(', ')}): is it running?\n`);
  }
  const at = metadata.namespace === undefined ? '' : ` -n ${metadata.namespace}`;
  io.stdout.write(`${metadata.name}: ${what}\nwatch it: kubectl assistant status ${metadata.name}${at} --watch\n`);
}
