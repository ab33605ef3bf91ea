// `undo [--to HASH]`: writes what an earlier revision was made of back into the spec; the operator then rolls it out like any other change.
import { underWay, type AssistantDeployment } from '@assistant-platform/api';
import type { Assistants } from '../assistants.ts';
import { changesBetween } from '../changes.ts';
import { CommandError } from '../errors.ts';
import type { Io } from '../io.ts';
import { effectsOf, isWayBack } from '../plan/effects.ts';
import { readReferences } from '../references.ts';
import { outcomeOf } from '../render/outcome.ts';
import { chooseWayBack, goBack } from '../revisions.ts';
import { withStoredDefaults } from '../schema.ts';
import { report, type ReportOptions } from './report.ts';

/** What `undo` is asked for. */
export interface UndoOptions extends ReportOptions {
  readonly to?: string | undefined;
  /** Says what would be written, and writes nothing. */
  readonly dryRun: boolean;
}

/** Goes back to an earlier release. @returns the exit code. @throws CommandError NothingToDo, NotFound, Changed. */
export async function undo(assistants: Assistants, name: string, io: Io, options: UndoOptions): Promise<number> {
  const object = await assistants.read(name);
  const records = await assistants.records(name);
  const { record, because } = chooseWayBack(object, records, options.to);
  const members = goBack(object.spec, record.source);
  const after = { ...object.spec, ...members };
  // Compared as they are stored: a default that one of them spells out is no difference.
  const changes = changesBetween(withStoredDefaults(object.spec), withStoredDefaults(after), 'spec');
  if (changes.length === 0) {
    throw new CommandError('NothingToDo', `the spec asks for release ${record.release} (${record.hash}) already`);
  }
  const references = await readReferences(assistants.session, [object.spec, after]);
  const moved = Object.entries(record.references).filter(
    ([name, data]) => references !== null && references[name] !== data,
  );
  const { course } = effectsOf(after, object, references);
  // Null: it cannot be told from here; the operator will most likely name it as before.
  const named =
    course.kind === 'Rollout' || course.kind === 'BackToStable' ? (course.hash ?? record.hash) : record.hash;
  const how =
    moved.length === 0 && named === record.hash
      ? speed(object, record.hash)
      : newRevision(moved.map(([reference]) => reference));

  const { dryRun } = options;
  if (!dryRun) await assistants.replaceInSpec(object, members);
  const message = `back to release ${record.release} (${record.hash}; ${because}); ${how}`;
  const waitsWhileHeld = record.hash !== object.status?.stableRevision?.hash;
  return report(io, outcomeOf(object, { verb: 'undo', message, changes, dryRun, waitsWhileHeld }), options);
}

/** How fast it goes. */
function speed(object: AssistantDeployment, hash: string): string {
  const { status = {} } = object;
  if (underWay(status) && status.stableRevision?.hash === hash) return 'all traffic returns in one change of the route';
  return isWayBack(object, hash, object.spec)
    ? 'within the rollbackWindow, so the steps are skipped'
    : 'step by step, as its strategy says (promote --full skips the steps)';
}

/** What a revision refers to is part of it, and so is a restart: the same spec may be another revision by now. */
const newRevision = (moved: readonly string[]): string =>
  `${moved.length === 0 ? 'it was restarted then' : `${moved.join(', ')} ${moved.length === 1 ? 'holds' : 'hold'} other data now`}, so that it becomes a new revision, step by step`;
