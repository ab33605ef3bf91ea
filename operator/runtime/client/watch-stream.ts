// From the bytes of a watch to typed events: one JSON object a line.
import type { KubeObject } from '../objects/objects.ts';
import type { WatchEvent } from './api.ts';
import type { ApiStatus } from './errors.ts';
import { ApiError, TransportError } from './errors.ts';
import { withoutManagedFields } from './managed-fields.ts';

/** Splits chunks of bytes into lines; a last line without its end is given too, as it tells of a cut. */
export async function* linesOf(chunks: AsyncIterable<unknown>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  // A large object comes in many chunks: keep them apart until the line ends, so that the cost stays linear.
  let parts: string[] = [];
  for await (const chunk of chunks) {
    let text = decoder.decode(chunk as Buffer, { stream: true });
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      parts.push(text.slice(0, end));
      const line = parts.join('');
      parts = [];
      text = text.slice(end + 1);
      if (line !== '') yield line;
    }
    if (text !== '') parts.push(text);
  }
  const rest = parts.join('');
  if (rest !== '') yield rest;
}

/** metav1.InitialEventsAnnotationKey */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

interface RawEvent {
  type?: unknown;
  object?: unknown;
}

/**
 * Reads one line of a watch.
 * @throws ApiError for an ERROR event (410 Gone among them); TransportError Malformed for what is no event.
 */
export const parseWatchLine = <T extends KubeObject>(request: string, line: string): WatchEvent<T> => {
  let event: RawEvent;
  try {
    event = JSON.parse(withoutManagedFields(line)) as RawEvent;
  } catch (error) {
    throw new TransportError(
      request,
      'Malformed',
      `the watch sent a line of ${line.length} characters that is no JSON`,
      error,
    );
  }
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event.type, object: event.object as T };
    case 'BOOKMARK': {
      const { resourceVersion, annotations } = (event.object as KubeObject | undefined)?.metadata ?? {};
      if (!resourceVersion)
        throw new TransportError(request, 'Malformed', 'the watch sent a bookmark without resourceVersion');
      return {
        type: 'BOOKMARK',
        resourceVersion,
        ...(annotations?.[INITIAL_EVENTS_END] === 'true' ? { initialEventsEnd: true } : {}),
      };
    }
    case 'ERROR': {
      const status = (event.object ?? {}) as ApiStatus;
      throw new ApiError(request, status.code ?? 500, status);
    }
    default:
      throw new TransportError(
        request,
        'Malformed',
        `the watch sent an event of unknown type ${JSON.stringify(event.type)}`,
      );
  }
};
