import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { inTime } from './abort.ts';

/** Goes on until it is told to stop, and rejects with the reason. */
const endless = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
  );

describe('work with a time limit', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is told to stop when the limit is over, with a TimeoutError that names it', async () => {
    const ended = inTime(500, new AbortController().signal, endless).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(499);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await ended).toMatchObject({ name: 'TimeoutError', message: 'not done within 500 ms' });
  });

  it('is told to stop when its caller stops, before it begins too, with the reason of the caller', async () => {
    const caller = new AbortController();
    const reason = new Error('the process ends');
    const ended = inTime(500, caller.signal, endless);
    caller.abort(reason);
    await expect(ended).rejects.toBe(reason);
    await expect(
      inTime(500, caller.signal, (signal) =>
        signal.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve(1),
      ),
    ).rejects.toBe(reason);
  });

  it.each([
    ['with a result', () => Promise.resolve(1)],
    ['with an error', () => Promise.reject(new Error('refused'))],
  ])('leaves neither timer nor listener behind that ended %s', async (_how, work) => {
    const { signal } = new AbortController();
    const ended = inTime(500, signal, work).catch(() => undefined);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await ended;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
