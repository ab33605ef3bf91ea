// `history NAME`: which releases there were, how their rollouts ended, and which of them can be gone back to.
import type { Assistants } from '../assistants.ts';
import { CommandError } from '../errors.ts';
import type { Io } from '../io.ts';
import { historyRows, renderHistory } from '../render/history.ts';
import { documentText } from '../render/printable.ts';
import type { RevisionRecord } from '../revisions.ts';

export async function showHistory(
  assistants: Assistants,
  name: string,
  io: Io,
  options: { readonly json: boolean },
): Promise<number> {
  const object = await assistants.read(name);
  const rows = historyRows(object, await recordsIfAllowed(assistants, name));
  const text = options.json
    ? documentText({ name, namespace: object.metadata.namespace, rollouts: rows })
    : renderHistory(name, rows, io.now()).join('\n');
  io.stdout.write(`${text}\n`);
  return 0;
}

/** Null where reading ControllerRevisions is not allowed: the table is worth showing all the same. */
async function recordsIfAllowed(assistants: Assistants, name: string): Promise<readonly RevisionRecord[] | null> {
  try {
    return await assistants.records(name);
  } catch (error) {
    if (error instanceof CommandError && error.code === 'Forbidden') return null;
    throw error;
  }
}
