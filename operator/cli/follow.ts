// Follows an AssistantDeployment and its pods by watches, through time-outs and lost connections, until it is told to stop.
import { setTimeout as delay } from 'node:timers/promises';
import { Watch } from '@kubernetes/client-node';
import type { AssistantDeployment } from '@assistant-platform/api';
import { assistantsPath, explain, podsOf, podsPath, type Assistants } from './assistants.ts';
import { CommandError } from './errors.ts';
import { podRow, type PodRow, type RawPod } from './pods.ts';

/** What is told while following. */
export interface Listener {
  /** The object or a pod changed. Called at once with the first state. */
  readonly changed: (object: AssistantDeployment, pods: readonly PodRow[]) => void;
  /** The object was deleted. */
  readonly deleted: () => void;
  /** The connection was lost; it is tried again until the signal aborts. */
  readonly trouble: (error: Error) => void;
}

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;

/**
 * Follows until the signal aborts.
 * @throws CommandError when the object cannot be read in the beginning.
 */
export async function follow(
  assistants: Assistants,
  name: string,
  listener: Listener,
  signal: AbortSignal,
): Promise<void> {
  const { namespace } = assistants.session;
  let object = await assistants.read(name);
  let pods = new Map((await assistants.pods(name)).map((pod) => [pod.name, pod]));
  let gone = false;
  const tell = (): void => {
    if (!signal.aborted && !gone) listener.changed(object, [...pods.values()]);
  };
  const end = (): void => {
    if (!gone) listener.deleted();
    gone = true;
  };
  tell();

  const watchObject = persistently(assistants, listener, signal, {
    path: assistantsPath(namespace),
    query: { fieldSelector: `metadata.name=${name}` },
    // A watch begins with the present state, and says nothing of what was deleted before it began.
    reconnect: async () => {
      try {
        object = await assistants.read(name);
        tell();
      } catch (error) {
        if (!(error instanceof CommandError && error.code === 'NotFound')) throw error;
        end();
      }
    },
    event: (type, value) => {
      object = value as AssistantDeployment;
      tell();
      if (type === 'DELETED') end();
    },
  });
  const watchPods = persistently(assistants, listener, signal, {
    path: podsPath(namespace),
    query: { labelSelector: podsOf(name) },
    reconnect: async () => {
      pods = new Map((await assistants.pods(name)).map((pod) => [pod.name, pod]));
      tell();
    },
    event: (type, value) => {
      const pod = podRow(value as RawPod);
      if (type === 'DELETED') pods.delete(pod.name);
      else pods.set(pod.name, pod);
      tell();
    },
  });
  await Promise.all([watchObject, watchPods]);
}

interface Subject {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Reads anew what events may have been missed of. */
  readonly reconnect: () => Promise<void>;
  readonly event: (type: 'ADDED' | 'MODIFIED' | 'DELETED', value: unknown) => void;
}

/** One watch after the other. The wait before the next doubles, and begins anew after one that brought events. */
async function persistently(
  assistants: Assistants,
  listener: Listener,
  signal: AbortSignal,
  subject: Subject,
): Promise<void> {
  const stopped = (): boolean => signal.aborted;
  let retryMs = FIRST_RETRY_MS;
  for (let attempt = 0; !stopped(); attempt += 1) {
    try {
      if (attempt > 0) await subject.reconnect();
      const events = await watchOnce(assistants, signal, subject);
      if (events > 0) retryMs = FIRST_RETRY_MS;
    } catch (error) {
      if (stopped()) return;
      listener.trouble(explain(error, assistants.session));
    }
    await delay(retryMs, undefined, { signal }).catch((error: unknown) => {
      if (!stopped()) throw error;
    });
    retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
  }
}

/** Resolves with the number of events when the server ends the watch, as it does every few minutes. */
async function watchOnce(
  assistants: Assistants,
  signal: AbortSignal,
  { path, query, event }: Subject,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let events = 0;
  const onEvent = (type: string, value: unknown): void => {
    if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') return;
    events += 1;
    event(type, value);
  };
  const controller = await new Watch(assistants.session.config).watch(path, { ...query }, onEvent, (error: unknown) => {
    // Nothing was said for a while: no fault, the next watch begins with the present state.
    const quiet = error instanceof DOMException && error.name === 'TimeoutError';
    if (error === null || error === undefined || quiet) resolve(events);
    else reject(error instanceof Error ? error : new Error('the watch ended', { cause: error }));
  });
  const stop = (): void => controller.abort();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
