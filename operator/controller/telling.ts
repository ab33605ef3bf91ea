// What people are told beside the status: Events and log lines. Only of what has been stored, and of waits only when they are more than a moment.
import type { EventInput, EventRecorder, Logger } from '@assistant-platform/runtime';
import type { Note } from '../rollout/decide.ts';
import type { BlockedBy, Status } from '../rollout/state.ts';
import type { WaitReason } from '../rollout/waits.ts';
import type { StoredAssistantDeployment } from './resources.ts';

/** Waits that every step passes through, and how long one has to last to be told of, milliseconds. */
const IN_EVERY_STEP: ReadonlySet<string> = new Set<WaitReason>([
  'PodsNotReady',
  'RouteUpdating',
  'RouteNotAccepted',
  'RouteSettling',
]);
const MOMENT_MS = 10_000;

/** One Event for all that one look led to: they happened at the same moment. The last is what it ended in, and gives the reason. */
export function eventsOf(notes: readonly Note[]): EventInput[] {
  return (['Normal', 'Warning'] as const).flatMap((type) => {
    const alike = notes.filter((note) => note.type === type);
    const last = alike.at(-1);
    if (last === undefined) return [];
    const distinct = [...new Set(alike.map(({ message }) => message))];
    return [{ type, reason: last.reason, note: distinct.join('; ') }];
  });
}

/** Tells; remembers only which lasting moments it has told of. Losing that costs an Event that says the same again. */
export class Teller {
  readonly #events: Pick<EventRecorder, 'record'>;
  /** Key of the AssistantDeployment -> the lasting moment last told of. */
  readonly #told = new Map<string, string>();

  constructor(events: Pick<EventRecorder, 'record'>) {
    this.#events = events;
  }

  tellNotes(subject: StoredAssistantDeployment, notes: readonly Note[], log: Logger): void {
    for (const event of eventsOf(notes)) this.#events.record(subject, event);
    for (const { type, reason, message } of notes) {
      if (type === 'Warning') log.warn({ event: reason }, message);
      else log.info({ event: reason }, message);
    }
  }

  /**
   * Tells of the first wait when it is another one than before; of one that every step has, when it lasts.
   * @param before the status as it was stored, `status` as it is stored now.
   * @param now epoch milliseconds.
   */
  tellWait(
    key: string,
    subject: StoredAssistantDeployment,
    [before, status]: [Status, Status],
    now: number,
    log: Logger,
  ): void {
    const wait = status.blockedBy?.[0];
    if (wait === undefined || !IN_EVERY_STEP.has(wait.reason)) {
      this.#told.delete(key);
      if (wait !== undefined && wait.reason !== before.blockedBy?.[0]?.reason) this.#tell(subject, status, wait, log);
      return;
    }
    const lasting = `${wait.reason} ${wait.since}`;
    if (now - Date.parse(wait.since) < MOMENT_MS || this.#told.get(key) === lasting) return;
    this.#told.set(key, lasting);
    this.#tell(subject, status, wait, log);
  }

  forget(key: string): void {
    this.#told.delete(key);
  }

  #tell(subject: StoredAssistantDeployment, status: Status, wait: BlockedBy, log: Logger): void {
    const note = status.message ?? wait.message;
    log.info({ phase: status.phase, reason: wait.reason, step: status.step?.index, weight: status.weight }, note);
    this.#events.record(subject, { reason: wait.reason, action: 'Wait', note });
  }
}
