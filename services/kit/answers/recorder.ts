// Carries an answer from the engine into the conversation's log, piece by piece, while it is being made.
// Pieces that arrive close together become one entry, so that a fast model does not cost a write a token.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { backoffMs, pause } from '../backoff.ts';
import type { LogEntry, Placed } from '../conversation/entries.ts';
import { StorageUnavailable } from '../conversation/log.ts';
import type { Claim, ConversationLog } from '../conversation/log.ts';
import type { AnswerEngine, AnswerRequest, AnswerResult } from './engine.ts';

/** An entry as it is told to a listener: placed in the log, or without a place because the log could not be reached. */
export type Recorded = Placed | { readonly position: undefined; readonly entry: LogEntry };

export interface RecorderOptions {
  readonly engine: AnswerEngine;
  readonly log: ConversationLog;
  /** The right to answer; undefined when not even the message could be stored: then nothing is written. */
  readonly claim: Claim | undefined;
  /** Goes into the entries when there is no claim. */
  readonly answerId: string;
  /** Milliseconds to gather pieces in; the first piece goes at once. */
  readonly gatherMs: number;
  /** How long a write is repeated while Redis is away. 0: once, and from then on nothing is written. */
  readonly patienceMs: number;
  /** Told each entry once, in order. */
  readonly onEntry: (entry: Recorded) => void;
  /** Unix milliseconds. */
  readonly now?: () => number;
}

/** `lost`: another process has taken the answer over, what we made is void. `released`: another one may. */
export type RecordedAnswer = (AnswerResult & { readonly stored: boolean }) | 'lost' | 'released';

/**
 * Makes the answer and writes it. Never rejects because of Redis or the model.
 * @param signal a pod that is being replaced, or a client that has left: no end is stored, so that the answer can be made anew
 */
export async function recordAnswer(
  options: RecorderOptions,
  request: Omit<AnswerRequest, 'signal'>,
  signal: AbortSignal,
): Promise<RecordedAnswer> {
  const { claim, answerId, log, onEntry } = options;
  const now = options.now ?? Date.now;
  const replyTo = claim?.replyTo ?? 0;
  const superseded = new AbortController();
  const either = AbortSignal.any([signal, superseded.signal]);

  let storing = claim !== undefined;
  let waiting = '';
  let index = 0;
  let batch = 0;

  /** Writes entries, and repeats the same batch while patience lasts and somebody wants the answer. */
  const write = async (entries: LogEntry[], last: boolean): Promise<void> => {
    const number = batch++;
    const giveUpAt = performance.now() + options.patienceMs;
    for (let attempt = 0; storing && claim !== undefined; attempt += 1) {
      try {
        const placed = await log.appendAnswer(claim, number, entries, last);
        if (placed === undefined) superseded.abort();
        else placed.forEach(onEntry);
        return;
      } catch (error) {
        if (!(error instanceof StorageUnavailable)) throw error;
        storing = performance.now() < giveUpAt && !either.aborted;
        if (storing) await pause(backoffMs(attempt, 100, 1_000), either);
      }
    }
    for (const entry of entries) onEntry({ position: undefined, entry });
  };

  const gathered = (): LogEntry[] => {
    if (waiting === '') return [];
    const text = waiting;
    waiting = '';
    return [{ type: 'token', answerId, replyTo, index: index++, text }];
  };

  // One writer at a time: it takes what has gathered, writes it, and looks again.
  let writer: Promise<void> | undefined;
  const ended = new AbortController();
  const drainWaiting = async () => {
    while (waiting !== '' && !ended.signal.aborted && !superseded.signal.aborted) {
      await write(gathered(), false);
      await pause(options.gatherMs, ended.signal);
    }
    writer = undefined;
  };

  // A model may take long to begin, and a line before it longer: the claim is kept meanwhile.
  const renew = async () => {
    if (!storing || claim === undefined) return;
    try {
      if (!(await log.renew(claim))) superseded.abort();
    } catch (error) {
      // Redis is away: nobody else can take the claim either.
      if (!(error instanceof StorageUnavailable)) throw error;
    }
  };
  const renewer = setInterval(() => void renew(), log.limits.leaseMs / 3);

  let result: AnswerResult;
  try {
    result = await options.engine.answer({ ...request, signal: either }, (text) => {
      waiting += text;
      // A turn of the event loop later, so that an answer that comes whole is written together with its end.
      writer ??= nextTurn().then(drainWaiting);
    });
  } finally {
    clearInterval(renewer);
    ended.abort();
    await writer;
  }
  if (superseded.signal.aborted) return 'lost';
  if (claim !== undefined && result.outcome === 'aborted') {
    // If Redis is away as well, the lease ends by itself.
    await log.release(claim).catch((error: unknown) => {
      if (!(error instanceof StorageUnavailable)) throw error;
    });
    return 'released';
  }

  const { text, tier, degraded, outcome } = result;
  const done: LogEntry = { type: 'done', answerId, replyTo, text, tier, degraded, outcome, at: now() };
  await write([...gathered(), done], true);
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- set by write()
  return superseded.signal.aborted ? 'lost' : { ...result, stored: storing };
}
