// One message of a person over HTTP: stored, answered, and the answer stored. Everything but the answer itself may be
// away: without Redis nothing is stored and the client is told so.
import { randomUUID } from 'node:crypto';
import { historyFor } from '@assistant-platform/kit/answers/history';
import { recordAnswer } from '@assistant-platform/kit/answers/recorder';
import type { Recorded } from '@assistant-platform/kit/answers/recorder';
import type { LogEntry, Position } from '@assistant-platform/kit/conversation/entries';
import { StorageUnavailable } from '@assistant-platform/kit/conversation/log';
import type { Claim } from '@assistant-platform/kit/conversation/log';
import type { Pod } from '@assistant-platform/kit/pod';
import { Problem } from '@assistant-platform/kit/problems';

export interface Question {
  readonly conversation: string;
  readonly user: string;
  /** The client's id of the message; a repeated one gets the answer of the first. */
  readonly clientId: string;
  readonly text: string;
  readonly maxTokens: number | undefined;
}

/** What is known before the first piece of the answer. */
export interface AnswerHead {
  readonly answerId: string;
  /** Where the message stands in the log; undefined: it could not be stored. */
  readonly position: Position | undefined;
  readonly duplicate: boolean;
  /** Whether earlier turns went to the model (flag new-memory). */
  readonly memory: boolean;
}

export type DoneEntry = Extract<LogEntry, { type: 'done' }>;

/** Milliseconds in which pieces of an answer are gathered into one entry and event. */
const gatherMs = 40;

/** The end of the answer to a message that was stored before. @throws Problem in_progress while it is being made */
async function earlierAnswer(
  pod: Pod,
  conversation: string,
  { offset }: Position,
): Promise<{ readonly done: DoneEntry; readonly position: Position }> {
  // Others may have said much before the answer was done.
  const page = await pod.conversations.read(conversation, offset, pod.conversations.limits.maxEntries);
  for (const { entry, position } of page.entries) {
    if (entry.type === 'done' && entry.replyTo === offset) return { done: entry, position };
  }
  throw new Problem('in_progress', { retryAfterSeconds: 1 });
}

/**
 * @param onHead told once, before any entry
 * @param onEntry told each token and at last the end
 * @param signal aborted when the client has left: a network that breaks says nothing about what its person wants, so the answer is left to
 *   whoever sends the message again, or has joined the conversation
 */
export async function answerQuestion(
  pod: Pod,
  question: Question,
  onHead: (head: AnswerHead) => void,
  onEntry: (entry: Recorded) => void,
  signal: AbortSignal,
): Promise<void> {
  const { conversation, clientId, user, text } = question;
  let answerId: string = randomUUID();
  let claim: Claim | undefined;
  let position: Position | undefined;
  try {
    const message = { clientId, user, text, at: Date.now() };
    const stored = await pod.conversations.appendMessage(conversation, message, answerId);
    position = { epoch: stored.epoch, offset: stored.offset };
    claim = { conversation, replyTo: stored.offset, answerId };
    if (stored.duplicate) {
      // Whoever was answering may have died; then the lease has ended and the answer is ours.
      if (!(await pod.conversations.claim(claim))) {
        const { done, position: end } = await earlierAnswer(pod, conversation, position);
        const { replyTo, text: whole } = done;
        ({ answerId } = done);
        onHead({ answerId, position, duplicate: true, memory: false });
        // Its pieces stand in the log one by one; told as one, they have no place there.
        onEntry({ position: undefined, entry: { type: 'token', answerId, replyTo, index: 0, text: whole } });
        onEntry({ position: end, entry: done });
        return;
      }
    }
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    pod.log.debug({ reason: error.message }, 'answering without the log');
    claim = undefined;
  }

  const { memory, turns } = await historyFor(pod.flags, pod.conversations, conversation, position?.offset);
  onHead({ answerId, position, duplicate: false, memory });
  const result = await recordAnswer(
    {
      engine: pod.engine,
      log: pod.conversations,
      claim,
      answerId,
      gatherMs,
      // A person is waiting: what cannot be stored at once is streamed without a place.
      patienceMs: 0,
      onEntry,
    },
    { question: text, history: turns, maxTokens: question.maxTokens },
    signal,
  );
  // Who has left may come back, and a process that hung longer than the lease has lost its claim: the client asks again and gets a whole answer.
  if (result === 'lost' || result === 'released') throw new Problem('in_progress', { retryAfterSeconds: 1 });
}
