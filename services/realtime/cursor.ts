// How far one socket has got in one conversation. Entries leave here in order, each once, whatever pub/sub does.
import type { LogEntry, Placed, Position } from '@assistant-platform/kit/conversation/entries';
import type { ConversationLog } from '@assistant-platform/kit/conversation/log';
import { decideResume } from '@assistant-platform/kit/conversation/resume';
import type { NotRecovered } from '@assistant-platform/kit/conversation/resume';
import type { Listener } from './fan-out.ts';

/** Told before the entries that follow from `from` on. */
export interface Resumed {
  readonly position: Position;
  readonly head: number;
  readonly recovered: boolean;
  readonly reason: NotRecovered | undefined;
}

export interface CursorOptions {
  readonly conversation: string;
  readonly log: Pick<ConversationLog, 'read'>;
  readonly onResumed: (resumed: Resumed) => void;
  readonly onEntry: (placed: Placed) => void;
  /** Resolves when what was sent has left this process, or the socket is gone. */
  readonly flushed: () => Promise<void>;
  /** An answer that this conversation waits for was given up by its maker. */
  readonly onLeft: (replyTo: number) => void;
  /** Reading the log failed; retryIfStale() tries again. */
  readonly onStale: (error: unknown) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export interface Cursor extends Listener {
  /**
   * Begins: decides what can be recovered, tells it, and sends what follows. What the listener hears before is left to the log.
   * @throws StorageUnavailable
   */
  start(asked: { readonly epoch: string | undefined; readonly offset: number }): Promise<void>;
  /** Offsets of messages whose answers have been awaited without a sign of life for at least `silentMs`. */
  silentAnswers(silentMs: number): number[];
  /** Whether an answer is under way: awaited, with a sign of life within `silentMs`. */
  busy(silentMs: number): boolean;
  /** Reads again when the last reading failed. Called every second. */
  retryIfStale(): void;
  stop(): void;
}

/** Entries read and sent at once: a long absence takes several pages, and one of the longest messages stays below what a socket may buffer. */
const pageSize = 50;

export function createCursor(options: CursorOptions): Cursor {
  const { conversation, log, onEntry, onResumed, now } = options;
  let epoch: string | undefined;
  let offset = 0;
  /** Before this the cursor has no place: what is published is in the log that start() is going to read. */
  let started = false;
  let stopped = false;
  let reading: Promise<void> | undefined;
  /** Something came in while reading: look again. */
  let dirty = false;
  /** The last reading failed: entries may be missing. */
  let stale = false;
  /** Offset of each unanswered message -> when something was last heard of its answer. */
  const awaited = new Map<number, number>();

  const note = (entry: LogEntry, at: number) => {
    if (entry.type === 'message') awaited.set(at, now());
    else if (entry.type === 'token') awaited.set(entry.replyTo, now());
    else awaited.delete(entry.replyTo);
  };
  const deliver = (placed: Placed) => {
    offset = placed.position.offset;
    note(placed.entry, offset);
    onEntry(placed);
  };
  const restart = (to: { epoch: string; from: number; head: number; reason: NotRecovered | undefined }) => {
    epoch = to.epoch;
    offset = to.from;
    if (to.reason !== undefined) awaited.clear();
    const position = { epoch: to.epoch, offset: to.from };
    onResumed({ position, head: to.head, recovered: to.reason === undefined, reason: to.reason });
  };

  /** Reads until nothing is left. `asked` is given once, at the start. */
  const readOn = async (asked?: { readonly epoch: string | undefined; readonly offset: number }) => {
    let first = asked;
    for (;;) {
      dirty = false;
      const page = await log.read(conversation, first?.offset ?? offset, pageSize);
      if (isStopped()) return;
      const place = first ?? { epoch, offset };
      const decision = decideResume(place, page);
      // A log that goes on in another epoch is told, too: entries carry the epoch that they stand in.
      const begin = first !== undefined || page.epoch !== epoch;
      first = undefined;
      if (begin || !decision.recovered) {
        const reason = decision.recovered ? undefined : decision.reason;
        restart({ epoch: page.epoch, from: decision.from, head: page.head, reason });
        // What was read followed another position.
        if (!decision.recovered && decision.from !== place.offset) continue;
      }
      for (const placed of page.entries) deliver(placed);
      // A replay is no faster than its reader, who would be shed as too slow otherwise.
      await options.flushed();
      if (isStopped() || (page.entries.length < pageSize && !isDirty())) return;
    }
  };
  // Asked through functions: both change while the loop awaits.
  const isStopped = () => stopped;
  const isDirty = () => dirty;

  const catchUp = () => {
    if (!started || stopped) return;
    if (reading !== undefined) {
      dirty = true;
      return;
    }
    reading = readOn()
      .then(() => {
        stale = false;
      })
      .catch((error: unknown) => {
        stale = true;
        options.onStale(error);
      })
      .finally(() => {
        reading = undefined;
      });
  };

  return {
    async start(asked) {
      started = true;
      reading = readOn(asked);
      try {
        await reading;
      } finally {
        reading = undefined;
      }
    },
    live(placed) {
      if (stopped) return;
      const { position } = placed;
      if (reading === undefined && position.epoch === epoch) {
        if (position.offset === offset + 1) {
          deliver(placed);
          return;
        }
        if (position.offset <= offset) return;
      }
      catchUp();
    },
    left: (replyTo) => {
      if (!stopped) options.onLeft(replyTo);
    },
    missed: catchUp,
    silentAnswers: (silentMs) => {
      const since = now() - silentMs;
      return [...awaited].filter(([, heardAt]) => heardAt <= since).map(([at]) => at);
    },
    busy: (silentMs) => {
      const since = now() - silentMs;
      return [...awaited.values()].some((heardAt) => heardAt > since);
    },
    retryIfStale: () => {
      if (stale) catchUp();
    },
    stop: () => {
      stopped = true;
      awaited.clear();
    },
  };
}
