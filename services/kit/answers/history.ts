// The earlier turns of a conversation as a model takes them: bounded in number and length, because a small model
// reads slowly and every turn makes the question another one for the cache.
import type { Placed } from '../conversation/entries.ts';
import type { ConversationLog } from '../conversation/log.ts';
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
