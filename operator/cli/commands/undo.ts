// `undo [--to HASH]`: writes what an earlier revision was made of back into the spec; the operator then rolls it out like any other change.
import { underWay, type AssistantDeployment, type AssistantDeploymentSpec } from '@assistant-platform/api';
import { isMadeOf } from '@assistant-platform/operator/rollout';
import type { Assistants } from '../assistants.ts';
import { changesBetween } from '../changes.ts';
import { CommandError } from '../errors.ts';
import type { Io } from '../io.ts';
import { effectsOf, isWayBack } from '../plan/effects.ts';
import { readReferences, resolvedOrNull } from '../references.ts';
import { outcomeOf, verbChange } from '../render/outcome.ts';
import { chooseWayBack, goBack, type RevisionRecord } from '../revisions.ts';
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
  // What a revision refers to is part of it, and so is a restart: the operator is asked for these, too.
  const extras = Object.keys(record.references).length > 0 || record.restartedAt !== undefined;
  const order = extras && restores(after, record) ? ({ verb: 'undo', value: record.hash } as const) : undefined;
  const settled = object.status?.updateRevision?.hash === record.hash || order === undefined;
  if (changes.length === 0 && settled) {
    throw new CommandError('NothingToDo', `the spec asks for release ${record.release} (${record.hash}) already`);
  }
  const references = await readReferences(assistants.session, [object.spec, after]);
  const moved = Object.entries(record.references).flatMap(([name, data]) =>
    references !== null && references[name] !== data ? [name] : [],
  );
  const { course } = effectsOf(after, object, references);
  // Null: it cannot be told from here; the operator will most likely name it as before.
  const named =
    course.kind === 'Rollout' || course.kind === 'BackToStable' ? (course.hash ?? record.hash) : record.hash;
  const same = order !== undefined || (moved.length === 0 && named === record.hash);
  const how = same ? `${speed(object, record.hash)}${restored(moved)}` : newRevision(moved);

  const { dryRun } = options;
  if (!dryRun) await assistants.change(object, { spec: members, order });
  const message = `back to release ${record.release} (${record.hash}; ${because}); ${how}`;
  const waitsWhileHeld = record.hash !== object.status?.stableRevision?.hash;
  const ordered = order === undefined ? [] : [verbChange(object, order.verb, order.value)];
  const deed = { verb: 'undo', message, changes: [...ordered, ...changes], dryRun, waitsWhileHeld };
  return report(io, outcomeOf(object, deed), options);
}

/** The operator can tell that the spec is that of the revision: it will be that very revision, with the contents that it had. */
function restores(spec: AssistantDeploymentSpec, record: RevisionRecord): boolean {
  const resolved = resolvedOrNull(spec);
  return resolved !== null && isMadeOf(resolved, record);
}

/** How fast it goes. */
function speed(object: AssistantDeployment, hash: string): string {
  const { status = {} } = object;
  if (underWay(status) && status.stableRevision?.hash === hash) return 'all traffic returns in one change of the route';
  return isWayBack(object, hash, object.spec)
    ? 'within the rollbackWindow, so the steps are skipped'
    : 'step by step, as its strategy says (promote --full skips the steps)';
}

/** What a revision reads is its own: the originals may hold other data by now. */
const restored = (moved: readonly string[]): string =>
  moved.length === 0 ? '' : `; ${holding(moved)}, its pods read what they read then`;

const newRevision = (moved: readonly string[]): string =>
  `${moved.length === 0 ? 'it was restarted then' : holding(moved)}, so that it becomes a new revision, step by step`;

const holding = (moved: readonly string[]): string =>
  `${moved.join(', ')} ${moved.length === 1 ? 'holds' : 'hold'} other data now`;
