// What a client has sent, got and missed: the account by which "nothing lost, nothing doubled" is judged.
import type { ServerFrame } from '@assistant-platform/realtime/protocol';

type Frame<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;
type EntryFrame = Frame<'message'> | Frame<'token'> | Frame<'done'>;

export interface ClientCounts {
  readonly sent: number;
  readonly acked: number;
  /** Sent, and neither acknowledged nor refused yet. */
  readonly unacked: number;
  /** Acknowledged, and its entry has never come. Meaningful once all answers are there. */
  readonly lost: number;
  /** Entries that came twice, and messages that stand in the log twice. */
  readonly duplicated: number;
  /** The first few of these, in words. */
  readonly duplicates: readonly string[];
  /** Times that an offset was skipped. */
  readonly gaps: number;
  readonly entries: number;
  readonly answers: number;
  readonly degradedAnswers: number;
  readonly recovered: number;
  readonly notRecovered: number;
  readonly reconnections: number;
  /** Milliseconds from losing the socket to having caught up the conversation, one for each time. */
  readonly awayMs: readonly number[];
  readonly closeCodes: Readonly<Record<number, number>>;
  readonly errors: Readonly<Record<string, number>>;
}

/** Duplicates that are told one by one. */
const EXAMPLES = 3;

export type Ledger = ReturnType<typeof createLedger>;

/** @param now monotonic milliseconds */
export function createLedger(now: () => number = () => performance.now()) {
  const sent = new Set<string>();
  const acked = new Set<string>();
  /** Message by client id -> its place in the log. */
  const seen = new Map<string, string>();
  let position: { epoch: string; offset: number } | undefined;
  let awaySince: number | undefined;
  let joinedOnce = false;
  const awayMs: number[] = [];
  const closeCodes: Record<number, number> = {};
  const errors: Record<string, number> = {};
  const duplicates: string[] = [];
  const sums = { duplicated: 0, gaps: 0, entries: 0, answers: 0, degradedAnswers: 0, recovered: 0, notRecovered: 0 };

  const doubled = (what: string): void => {
    sums.duplicated += 1;
    if (duplicates.length < EXAMPLES) duplicates.push(what);
  };

  return {
    /** The last entry had; undefined before the first join. */
    position: () => position,
    sent: (clientId: string) => void sent.add(clientId),
    acked: ({ clientId }: Frame<'ack'>) => void acked.add(clientId),
    refused(code: string) {
      errors[code] = (errors[code] ?? 0) + 1;
    },
    resumed(frame: Frame<'resumed'>) {
      if (joinedOnce) sums[frame.recovered ? 'recovered' : 'notRecovered'] += 1;
      joinedOnce = true;
      // In a new log, and in one that lost its last moments, only what is replayed is still there.
      if (frame.reason === 'epoch_changed' || frame.reason === 'offset_ahead') seen.clear();
      position = { epoch: frame.epoch, offset: frame.offset };
      if (awaySince !== undefined) awayMs.push(now() - awaySince);
      awaySince = undefined;
    },
    entry(frame: EntryFrame) {
      sums.entries += 1;
      const again = position?.epoch === frame.epoch && frame.offset <= position.offset;
      if (again) doubled(`${frame.type} at ${frame.offset} came after ${position?.offset}`);
      else {
        if (position?.epoch !== frame.epoch || frame.offset > position.offset + 1) sums.gaps += 1;
        position = { epoch: frame.epoch, offset: frame.offset };
      }
      if (frame.type === 'message') {
        const place = `${frame.epoch}:${frame.offset}`;
        const before = seen.get(frame.clientId);
        if (before !== undefined && before !== place) doubled(`message stands at ${before} and at ${place}`);
        seen.set(frame.clientId, place);
      }
      if (frame.type === 'done') {
        sums.answers += 1;
        if (frame.degraded) sums.degradedAnswers += 1;
      }
    },
    away(code: number) {
      closeCodes[code] = (closeCodes[code] ?? 0) + 1;
      if (joinedOnce) awaySince ??= now();
    },
    counts: (unacked: number): ClientCounts => ({
      sent: sent.size,
      acked: acked.size,
      unacked,
      lost: [...acked].filter((clientId) => !seen.has(clientId)).length,
      ...sums,
      duplicates: [...duplicates],
      reconnections: awayMs.length,
      awayMs: [...awayMs],
      closeCodes: { ...closeCodes },
      errors: { ...errors },
    }),
  };
}
