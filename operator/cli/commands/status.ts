// `status [NAME] [--watch] [--timeout] [-o json]`: how it stands, and how it ends.
import { setTimeout as delay } from 'node:timers/promises';
import { formatDuration, type AssistantDeployment } from '@assistant-platform/api';
import type { Assistants } from '../assistants.ts';
import { jsonDisplay, lineDisplay, statusJson, treeDisplay, type Display } from '../display.ts';
import { follow } from '../follow.ts';
import type { Io } from '../io.ts';
import type { PodRow } from '../pods.ts';
import { renderList } from '../render/list.ts';
import type { Paint } from '../render/paint.ts';
import { documentText } from '../render/printable.ts';
import { renderStatus } from '../render/status.ts';
import { EXIT, EXIT_INTERRUPTED, verdictOf } from '../verdict.ts';

export interface StatusOptions {
  readonly watch: boolean;
  /** Milliseconds; null: no limit. */
  readonly timeoutMs: number | null;
  readonly json: boolean;
}

/** All of a namespace or of all namespaces. @returns 1 when one of them is degraded or aborted, otherwise 0. */
export async function listStatus(
  assistants: Assistants,
  io: Io,
  options: { readonly everywhere: boolean; readonly json: boolean },
): Promise<number> {
  const objects = await assistants.list(options.everywhere);
  if (options.json) {
    io.stdout.write(`${documentText(objects.map((object) => statusJson({ object, pods: [] })))}\n`);
  } else if (objects.length === 0) {
    const where = options.everywhere
      ? 'in any namespace'
      : `in namespace ${assistants.session.namespace} (-A looks in all)`;
    io.stderr.write(`there is no AssistantDeployment ${where}\n`);
  } else {
    io.stdout.write(`${renderList(objects, { namespaces: options.everywhere, now: io.now() }).join('\n')}\n`);
  }
  return objects.some((object) => verdictOf(object) === 'Bad') ? EXIT.bad : EXIT.good;
}

/** One of them. @returns the exit code. */
export async function showStatus(
  assistants: Assistants,
  name: string,
  io: Io,
  paint: Paint,
  options: StatusOptions,
): Promise<number> {
  if (options.watch) return watchStatus(assistants, name, io, displayFor(io, paint, options), options.timeoutMs);
  const object = await assistants.read(name);
  const pods = await assistants.pods(name);
  const view = { object, pods, now: io.now() };
  const text = options.json ? documentText(statusJson(view)) : renderStatus(view, paint).join('\n');
  io.stdout.write(`${text}\n`);
  return verdictOf(object) === 'Bad' ? EXIT.bad : EXIT.good;
}

function displayFor(io: Io, paint: Paint, { json }: StatusOptions): Display {
  if (json) return jsonDisplay(io.stdout);
  return io.stdout.isTTY === true ? treeDisplay(io.stdout, paint) : lineDisplay(io.stdout, paint);
}

type End = 'Good' | 'Bad' | 'Deleted';

const TICK_MS = 1_000;
/** Node.js takes a longer time for 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Shows changes until it is decided, gone, timed out or interrupted. */
async function watchStatus(
  assistants: Assistants,
  name: string,
  io: Io,
  display: Display,
  timeoutMs: number | null,
): Promise<number> {
  const stop = new AbortController();
  const ended = Promise.withResolvers<End>();
  let latest: { object: AssistantDeployment; pods: readonly PodRow[] } | null = null;
  let trouble = '';
  const draw = (): void => {
    if (latest !== null) display.show({ ...latest, now: io.now() });
  };
  const following = follow(
    assistants,
    name,
    {
      changed: (object, pods) => {
        latest = { object, pods };
        if (trouble !== '') display.note('');
        trouble = '';
        draw();
        const verdict = verdictOf(object);
        if (verdict !== 'UnderWay') ended.resolve(verdict);
      },
      deleted: () => ended.resolve('Deleted'),
      trouble: (error) => {
        // Two watches fail for one reason, and again at each try: it is said once, until something is heard.
        if (error.message !== trouble) display.note(error.message);
        trouble = error.message;
        draw();
      },
    },
    stop.signal,
  );
  const ticking = display.ticks ? setInterval(draw, TICK_MS) : undefined;
  try {
    const result = await Promise.race([
      ended.promise,
      // It only ends by itself with an error: the object could not be read.
      following.then((): End => 'Deleted'),
      elapsed(timeoutMs, stop.signal),
      interruption(io.interrupted, stop.signal),
    ]);
    return exitCode(result, name, timeoutMs, io);
  } finally {
    clearInterval(ticking);
    stop.abort();
    display.close();
    void following.catch(() => undefined); // its error has been thrown above; a request on its way may take as long as it likes
  }
}

function exitCode(result: End | 'Timeout' | 'Interrupted', name: string, timeoutMs: number | null, io: Io): number {
  switch (result) {
    case 'Good':
      return EXIT.good;
    case 'Bad':
      return EXIT.bad;
    case 'Deleted':
      io.stderr.write(`${name} was deleted\n`);
      return EXIT.bad;
    case 'Timeout':
      io.stderr.write(
        `${name} is not done after ${formatDuration(timeoutMs ?? 0)}; kubectl assistant why ${name} says what it waits for\n`,
      );
      return EXIT.timeout;
    case 'Interrupted':
      return EXIT_INTERRUPTED;
  }
}

/** Resolves after the time; never without one. */
async function elapsed(timeoutMs: number | null, stopped: AbortSignal): Promise<'Timeout'> {
  try {
    if (timeoutMs === null) return await new Promise<never>(() => undefined);
    for (let left = timeoutMs; left > 0; left -= LONGEST_TIMER_MS)
      await delay(Math.min(left, LONGEST_TIMER_MS), undefined, { signal: stopped });
    return 'Timeout';
  } catch {
    return 'Timeout'; // stopped: somebody else has won the race
  }
}

async function interruption(interrupted: AbortSignal, stopped: AbortSignal): Promise<'Interrupted'> {
  const { promise, resolve } = Promise.withResolvers<'Interrupted'>();
  const onAbort = (): void => resolve('Interrupted');
  if (interrupted.aborted) onAbort();
  interrupted.addEventListener('abort', onAbort, { once: true, signal: stopped });
  return promise;
}
