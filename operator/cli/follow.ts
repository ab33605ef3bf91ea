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
  let { pods, resourceVersion } = await assistants.podsAt(name);
  let gone = false;
  const tell = (): void => {
    if (!signal.aborted && !gone) listener.changed(object, pods);
  };
  const end = (): void => {
    if (!gone) listener.deleted();
    gone = true;
  };
  tell();

  const watchObject = persistently(assistants, listener, signal, object.metadata.resourceVersion ?? '', {
    path: assistantsPath(namespace),
    query: { fieldSelector: `metadata.name=${name}` },
    read: async () => {
      try {
        object = await assistants.read(name);
        tell();
      } catch (error) {
        if (!(error instanceof CommandError && error.code === 'NotFound')) throw error;
        end();
      }
      return object.metadata.resourceVersion ?? '';
    },
    event: (type, value) => {
      object = value as AssistantDeployment;
      tell();
      if (type === 'DELETED') end();
    },
  });
  const watchPods = (version: string): Promise<void> =>
    persistently(assistants, listener, signal, version, {
      path: podsPath(namespace),
      query: { labelSelector: podsOf(name) },
      read: async () => {
        ({ pods, resourceVersion } = await assistants.podsAt(name));
        tell();
        return resourceVersion ?? '';
      },
      event: (type, value) => {
        const pod = podRow(value as RawPod);
        const others = pods.filter((each) => each.name !== pod.name);
        pods = type === 'DELETED' ? others : [...others, pod];
        tell();
      },
    });
  await Promise.all([watchObject, ...(resourceVersion === null ? [] : [watchPods(resourceVersion)])]);
}

interface Subject {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Reads anew. @returns the resource version of what was read: the watch begins there, so that nothing is missed between. */
  readonly read: () => Promise<string>;
  readonly event: (type: 'ADDED' | 'MODIFIED' | 'DELETED', value: unknown) => void;
}

/** One watch after the other. The wait before the next doubles, and begins anew after one that brought events. */
async function persistently(
  assistants: Assistants,
  listener: Listener,
  signal: AbortSignal,
  firstVersion: string,
  subject: Subject,
): Promise<void> {
  const stopped = (): boolean => signal.aborted;
  let retryMs = FIRST_RETRY_MS;
  for (let attempt = 0; !stopped(); attempt += 1) {
    try {
      const version = attempt === 0 ? firstVersion : await subject.read();
      const events = await watchOnce(assistants, signal, subject, version);
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
  resourceVersion: string,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let events = 0;
  const onEvent = (type: string, value: unknown): void => {
    if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') return;
    events += 1;
    event(type, value);
  };
  const onEnd = (error: unknown): void => {
    // Nothing was said for a while: no fault, what follows is read anew.
    const quiet = error instanceof DOMException && error.name === 'TimeoutError';
    if (error === null || error === undefined || quiet) resolve(events);
    else reject(error instanceof Error ? error : new Error('the watch ended', { cause: error }));
  };
  const connecting = new Watch(assistants.session.config).watch(path, { ...query, resourceVersion }, onEvent, onEnd);
  connecting.catch(reject);
  // The connection may hang in its beginning: stopping does not wait for it.
  const stop = (): void => {
    resolve(events);
    void connecting.then((controller) => controller.abort(), onEnd);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
