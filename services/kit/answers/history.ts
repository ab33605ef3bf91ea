// The earlier turns of a conversation as a model takes them: bounded in number and length, because a small model
// reads slowly and every turn makes the question another one for the cache.
import type { Placed } from '../conversation/entries.ts';
import { StorageUnavailable } from '../conversation/log.ts';
import type { ConversationLog } from '../conversation/log.ts';
import type { Flags } from '../flags.ts';
import type { Turn } from './upstream.ts';

/** Log entries looked back over, turns given, and characters given of each turn. */
const lookBack = 120;
const mostTurns = 6;
const turnLength = 400;

/** The last turns before `offset`, oldest first. Answers of the rules teach a model nothing and are left out. */
export function turnsBefore(entries: readonly Placed[], offset: number): Turn[] {
  return entries
    .filter(({ position }) => position.offset < offset)
    .flatMap(({ entry }): Turn[] => {
      if (entry.type === 'message') return [{ role: 'user', content: entry.text.slice(0, turnLength) }];
      if (entry.type === 'done' && entry.tier !== 'rules' && entry.outcome !== 'aborted') {
        return [{ role: 'assistant', content: entry.text.slice(0, turnLength) }];
      }
      return [];
    })
    .slice(-mostTurns);
}

/** Reads them. @throws StorageUnavailable */
export async function readHistory(log: ConversationLog, conversation: string, offset: number): Promise<Turn[]> {
  const page = await log.read(conversation, Math.max(0, offset - 1 - lookBack), lookBack);
  return turnsBefore(page.entries, offset);
}

/** What a model is told of the past: nothing, unless the flag new-memory is on for the conversation. */
export async function historyFor(
  flags: Flags,
  log: ConversationLog,
  conversation: string,
  /** Offset of the question; undefined when it could not be stored. */
  offset: number | undefined,
): Promise<{ readonly memory: boolean; readonly turns: readonly Turn[] }> {
  const memory = await flags.isOn('new-memory', conversation);
  if (!memory || offset === undefined) return { memory, turns: [] };
  try {
    return { memory, turns: await readHistory(log, conversation, offset) };
  } catch (error) {
    // An answer without memory is better than none.
    if (error instanceof StorageUnavailable) return { memory, turns: [] };
    throw error;
  }
}
