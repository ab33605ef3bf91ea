// One watch on the simulated server: every change in order, each some time after it happened; bookmarks; its end.
import type { KubeObject, ResourceType, WatchEvent, WatchOptions } from '@assistant-platform/runtime';
import { resourceName } from '@assistant-platform/runtime';
import type { ProcessClock } from './process-clock.ts';
import { expired, noAnswer } from './refusals.ts';
import type { ApiServer, Change } from './server.ts';

export interface WatchSetting {
  readonly server: ApiServer;
  readonly clock: ProcessClock;
  readonly type: ResourceType;
  readonly options: WatchOptions;
  readonly matches: (object: KubeObject) => boolean;
  /** Aborts, with the error as reason, when the watch breaks. */
  readonly broken: AbortSignal;
  /** How long after a change this watch tells of it, ms. */
  readonly lag: () => number;
  /** How many events from before are sent once more at the beginning. */
  readonly replays: number;
}

/** The API server sends one about every minute (watch cache, bookmarkFrequency). */
const BOOKMARK_MS = 60_000;

type Woken =
  | { readonly kind: 'Changed' }
  | { readonly kind: 'Time' }
  | { readonly kind: 'Broken'; readonly error: Error };

/** The events of a watch until the server ends it. @throws ApiError 410 when the past is gone, TransportError when it breaks. */
export async function* followChanges<T extends KubeObject>(
  setting: WatchSetting,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const { server, clock, type, options, matches, lag } = setting;
  const resource = resourceName(type);
  const endsAt = clock.monotonic() + options.timeoutSeconds * 1000;
  let position = Number(options.resourceVersion);
  if (options.resourceVersion === undefined) {
    position = server.version;
    for (const object of server.list(type).filter(matches)) {
      if (setting.broken.aborted) throw setting.broken.reason;
      yield { type: 'ADDED', object: object as T };
    }
    yield { type: 'BOOKMARK', resourceVersion: String(position), initialEventsEnd: true };
  }
  if (position < server.forgotten) throw expired(type);
  if (setting.replays > 0) position = replayFrom(server, resource, position, setting.replays);
  let heardAt = clock.monotonic();
  let bookmarkAt = heardAt + BOOKMARK_MS;
  for (;;) {
    const change = server.nextChange(resource, position);
    if (change === 'Forgotten') throw expired(type);
    if (setting.broken.aborted) throw setting.broken.reason;
    const due = change === undefined ? Infinity : change.at + lag();
    const now = clock.monotonic();
    if (change !== undefined && due <= now) {
      position = change.version;
      const event = eventOf<T>(change, matches);
      if (event === undefined) continue;
      heardAt = now;
      bookmarkAt = now + BOOKMARK_MS;
      yield event;
      continue;
    }
    if (now >= endsAt) return;
    if (now - heardAt >= (options.idleTimeoutMs ?? Infinity))
      throw noAnswer(type, 'Timeout', 'nothing came on the watch for too long');
    if (now >= bookmarkAt) {
      heardAt = now;
      bookmarkAt = now + BOOKMARK_MS;
      // Only what was sent is claimed: a change that is still on its way holds the bookmark back.
      if (change === undefined) {
        position = Math.max(position, server.version);
        yield { type: 'BOOKMARK', resourceVersion: String(position) };
      }
      continue;
    }
    const wakeAt = Math.min(due, endsAt, bookmarkAt, heardAt + (options.idleTimeoutMs ?? Infinity));
    const woken = await wake(setting, resource, wakeAt - now);
    if (woken.kind === 'Broken') throw woken.error;
  }
}

function replayFrom(server: ApiServer, resource: string, position: number, replays: number): number {
  const before = server.changes(resource).filter(({ version }) => version <= position);
  const first = before.at(-replays) ?? before[0];
  return first === undefined ? position : first.version - 1;
}

/** What a change means to a watch with a selection: objects come into it and leave it. */
function eventOf<T extends KubeObject>(
  change: Change,
  matches: (object: KubeObject) => boolean,
): WatchEvent<T> | undefined {
  const is = matches(change.object);
  const was = change.old !== undefined && matches(change.old);
  if (change.type === 'DELETED') return was ? { type: 'DELETED', object: change.object as T } : undefined;
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object: change.object as T };
  // It left the selection: what is sent is the last state that was in it, at the version of the change.
  if (change.old === undefined || !was) return undefined;
  const metadata = { ...change.old.metadata, resourceVersion: String(change.version) };
  return { type: 'DELETED', object: { ...change.old, metadata } as T };
}

/** Waits for a change of the resource, a time, or the end. */
function wake({ server, clock, broken, options, type }: WatchSetting, resource: string, ms: number): Promise<Woken> {
  return new Promise((resolve) => {
    const { signal } = options;
    const finish = (woken: Woken): void => {
      timer.cancel();
      stop();
      signal?.removeEventListener('abort', abort);
      broken.removeEventListener('abort', breaks);
      resolve(woken);
    };
    const abort = (): void => finish({ kind: 'Broken', error: abortError(signal, type) });
    const breaks = (): void => finish({ kind: 'Broken', error: broken.reason as Error });
    const timer = clock.timer(Math.min(ms, 2 ** 31), () => finish({ kind: 'Time' }));
    const stop = server.onChange((change) => {
      if (change.resource === resource) finish({ kind: 'Changed' });
    });
    broken.addEventListener('abort', breaks, { once: true });
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}

const abortError = (signal: AbortSignal | undefined, type: ResourceType): Error => {
  const reason: unknown = signal?.reason;
  return reason instanceof Error && reason.name === 'TransportError'
    ? reason
    : noAnswer(type, 'Aborted', 'given up by the caller');
};
