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
  /** Key of the AssistantDeployment -> the lasting moments told of. */
  readonly #told = new Map<string, ReadonlySet<string>>();

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
   * Tells of each wait whose reason was not there before; of one that every step has, when it lasts.
   * @param before the status as it was stored, `status` as it is stored now.
   * @param now epoch milliseconds.
   */
  tellWaits(
    key: string,
    subject: StoredAssistantDeployment,
    [before, status]: [Status, Status],
    now: number,
    log: Logger,
  ): void {
    const known = new Set(before.blockedBy?.map(({ reason }) => reason));
    const told = this.#told.get(key);
    const lasting = new Set<string>();
    for (const [index, wait] of (status.blockedBy ?? []).entries()) {
      const passing = IN_EVERY_STEP.has(wait.reason);
      const moment = `${wait.reason} ${wait.since}`;
      const lasts = passing && (told?.has(moment) === true || now - Date.parse(wait.since) >= MOMENT_MS);
      if (lasts) lasting.add(moment);
      const isNew = passing ? lasts && told?.has(moment) !== true : !known.has(wait.reason);
      if (isNew) this.#tell(subject, status, wait, index === 0 ? (status.message ?? wait.message) : wait.message, log);
    }
    if (lasting.size === 0) this.#told.delete(key);
    else this.#told.set(key, lasting);
  }

  forget(key: string): void {
    this.#told.delete(key);
  }

  #tell(subject: StoredAssistantDeployment, status: Status, wait: BlockedBy, note: string, log: Logger): void {
    const { phase, step, weight } = status;
    const { reason, since, nextCheckAt } = wait;
    log.info({ phase, reason, since, nextCheckAt, step: step?.index, weight }, note);
    this.#events.record(subject, { reason, action: 'Wait', note });
  }
}
