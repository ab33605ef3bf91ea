// Server-sent events (WHATWG HTML, section 9.2) as an answer is made.
import type { Position } from '@assistant-platform/kit/conversation/entries';

/** The event id of a place in the log: what a client names as Last-Event-ID to say how far it has read. */
export const eventId = ({ epoch, offset }: Position): string => `${epoch}:${offset}`;

/**
 * One event. `data` is JSON, hence one line. Without an id the browser keeps the last one: an event that is not in
 * the log must not look as if it could be resumed from.
 */
export function serverSentEvent(event: string, data: unknown, position?: Position): string {
  const id = position === undefined ? '' : `id: ${eventId(position)}\n`;
  return `${id}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
