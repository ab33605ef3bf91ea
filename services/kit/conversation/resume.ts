// Whether a client that comes back can be given exactly what it missed: the honest answer.
import type { LogPage } from './log.ts';

/** Why not everything that was missed can be given. */
export type NotRecovered =
  /** The log was lost and begun anew, so old offsets mean nothing. */
  | 'epoch_changed'
  /** The client has seen entries that this log does not have: Redis lost its last moments. */
  | 'offset_ahead'
  /** Entries right behind the client's offset have been trimmed. */
  | 'trimmed';

export type Resume =
  | { readonly recovered: true; readonly from: number }
  | { readonly recovered: false; readonly from: number; readonly reason: NotRecovered };

/**
 * Decides where the replay begins.
 * @param asked the last entry that the client has; epoch undefined and offset 0 for one that has nothing yet
 * @returns `from`: the replay is every entry behind this offset. Not recovered: `from` is just before the oldest
 *   entry retained, and the client throws away what it had.
 */
export function decideResume(
  asked: { readonly epoch: string | undefined; readonly offset: number },
  log: Pick<LogPage, 'epoch' | 'before' | 'head' | 'first'>,
): Resume {
  const oldest = log.first === 0 ? log.head : log.first - 1;
  const no = (reason: NotRecovered): Resume => ({ recovered: false, from: oldest, reason });
  if (asked.epoch !== undefined && asked.epoch !== log.epoch) {
    if (asked.epoch !== log.before?.epoch) return no('epoch_changed');
    if (asked.offset > log.before.offset) return no('offset_ahead');
  }
  // Without an epoch only "from the very beginning" can be asked for.
  if (asked.epoch === undefined && asked.offset !== 0) return no('epoch_changed');
  if (asked.offset > log.head) return no('offset_ahead');
  if (asked.offset < oldest) return no('trimmed');
  return { recovered: true, from: asked.offset };
}
