// The answers that this pod is making. An answer belongs to its conversation, not to a socket: it goes on when the
// asker is away, and its pieces reach whoever is there through the log.
import { randomUUID } from 'node:crypto';
import { historyFor } from '@assistant-platform/kit/answers/history';
import { recordAnswer } from '@assistant-platform/kit/answers/recorder';
import { pause } from '@assistant-platform/kit/backoff';
import type { Claim } from '@assistant-platform/kit/conversation/log';
import type { Pod } from '@assistant-platform/kit/pod';

export interface Answers {
  /** Runs what may begin an answer; the end waits for it, because a claim that is on its way has to be given back. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** Answers a message whose claim this pod holds. */
  begin(claim: Claim, text: string, maxTokens?: number): void;
  /**
   * Takes over answers whose makers have fallen silent: a pod that died, or one that was drained.
   * @returns whether one of them could not be had: its maker is at work, or died and its lease still runs
   * @throws StorageUnavailable
   */
  takeOver(conversation: string, offsets?: readonly number[]): Promise<boolean>;
  /** Answers under way. */
  readonly running: () => number;
  /** Waits for all, at most `graceMs`; then stops what is left and lets other pods take it over. */
  finish(graceMs: number): Promise<void>;
}

/** Milliseconds in which pieces are gathered into one entry. */
const gatherMs = 60;
/** How long writing is repeated while Redis is away; a restart with its data takes seconds. */
const patienceMs = 30_000;

export function createAnswers(pod: Pod): Answers {
  let stopping = false;
  /** Each with a signal of its own: AbortSignal.any keeps a record of every answer at one that outlives them. */
  const running = new Map<Promise<void>, AbortController>();
  const beginning = new Set<Promise<unknown>>();

  const make = async (claim: Claim, text: string, maxTokens: number | undefined, signal: AbortSignal) => {
    const { turns } = await historyFor(pod.flags, pod.conversations, claim.conversation, claim.replyTo);
    const result = await recordAnswer(
      {
        engine: pod.engine,
        log: pod.conversations,
        claim,
        answerId: claim.answerId,
        gatherMs,
        patienceMs,
        // Sockets hear of it through the log, those of this pod as well.
        onEntry: () => undefined,
      },
      { question: text, history: turns, maxTokens },
      signal,
    );
    if (result !== 'lost' && result !== 'released' && !result.stored) {
      pod.log.warn({ conversation: claim.conversation }, 'an answer could not be stored; it is made anew on resume');
    }
  };

  const begin = (claim: Claim, text: string, maxTokens?: number) => {
    const stop = new AbortController();
    if (stopping) stop.abort();
    const work = make(claim, text, maxTokens, stop.signal)
      .catch((error: unknown) => {
        pod.log.error({ err: error, conversation: claim.conversation }, 'an answer failed');
      })
      .finally(() => running.delete(work));
    running.set(work, stop);
  };

  const settled = async () => {
    while (running.size + beginning.size > 0) await Promise.allSettled([...running.keys(), ...beginning]);
  };

  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    const begun = work();
    beginning.add(begun);
    try {
      return await begun;
    } finally {
      beginning.delete(begun);
    }
  };

  const takeOver = async (conversation: string, offsets: readonly number[] | undefined): Promise<boolean> => {
    let held = false;
    if (stopping) return held;
    for (const replyTo of offsets ?? (await pod.conversations.pending(conversation))) {
      const claim = { conversation, replyTo, answerId: randomUUID() };
      if (!(await pod.conversations.claim(claim))) {
        held = true;
        continue;
      }
      const { entries } = await pod.conversations.read(conversation, replyTo - 1, 1);
      const found = entries[0];
      // When the message itself has been trimmed, what is read is the next entry that is there.
      if (found?.position.offset === replyTo && found.entry.type === 'message') {
        pod.log.info({ conversation, replyTo }, 'taking over an answer that was left');
        begin(claim, found.entry.text);
      }
    }
    return held;
  };

  return {
    during,
    begin,
    takeOver: (conversation, offsets) => during(() => takeOver(conversation, offsets)),
    running: () => running.size,
    async finish(graceMs) {
      const settledOrLate = new AbortController();
      const late = pause(graceMs, settledOrLate.signal);
      await Promise.race([settled(), late]);
      settledOrLate.abort();
      stopping = true;
      for (const stop of running.values()) stop.abort();
      await settled();
    },
  };
}
