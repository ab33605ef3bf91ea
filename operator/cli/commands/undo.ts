// `undo [--to HASH]`: writes what an earlier revision was made of back into the spec; the operator then rolls it out like any other change.
import { underWay } from '@assistant-platform/api';
import type { Assistants } from '../assistants.ts';
import { changesBetween, describeChange } from '../changes.ts';
import { CommandError } from '../errors.ts';
import type { Io } from '../io.ts';
import { chooseWayBack, goBack } from '../revisions.ts';
import { withStoredDefaults } from '../schema.ts';
import { tell } from './verbs.ts';

export interface UndoOptions {
  readonly to?: string | undefined;
  /** Says what would be written, and writes nothing. */
  readonly dryRun: boolean;
}

export async function undo(assistants: Assistants, name: string, io: Io, options: UndoOptions): Promise<number> {
  const object = await assistants.read(name);
  const records = await assistants.records(name);
  const { record, because } = chooseWayBack(object, records, options.to);
  const members = goBack(object.spec, record.source);
  // Compared as they are stored: a default that one of them spells out is no difference.
  const before = withStoredDefaults(object.spec);
  const changes = changesBetween(before, withStoredDefaults({ ...object.spec, ...members })).map(describeChange);
  if (changes.length === 0) {
    throw new CommandError('NothingToDo', `the spec asks for release ${record.release} (${record.hash}) already`);
  }
  const what = `back to release ${record.release} (${record.hash}; ${because})`;
  if (options.dryRun) {
    io.stdout.write(`${name} would go ${what}; nothing was written:\n`);
  } else await assistants.replaceInSpec(object, members);
  io.stdout.write(`${changes.map((change) => `  spec.${change}`).join('\n')}\n`);
  if (options.dryRun) return 0;
  tell(io, object, `${what}${speed(object, record.hash)}`);
  return 0;
}

/** How fast it goes, as far as it can be told from here. */
function speed({ status = {}, spec }: Parameters<typeof goesByWindow>[0], hash: string): string {
  if (underWay(status) && status.stableRevision?.hash === hash)
    return '; all traffic returns in one change of the route';
  return goesByWindow({ status, spec }, hash)
    ? '; within the rollbackWindow, so the steps are skipped'
    : '; step by step, as its strategy says (promote --full skips the steps)';
}

/** Whether the operator skips the steps: the revision is one of the latest promoted ones. */
function goesByWindow(
  { status, spec }: Pick<Awaited<ReturnType<Assistants['read']>>, 'status' | 'spec'>,
  hash: string,
): boolean {
  const promoted = (status?.history ?? [])
    .filter(({ outcome }) => outcome === 'Promoted' || outcome === 'FastPromoted')
    .map((entry) => entry.hash)
    .filter((each) => each !== status?.stableRevision?.hash);
  return [...new Set(promoted)].slice(0, spec.strategy.rollbackWindow?.revisions ?? 0).includes(hash);
}
