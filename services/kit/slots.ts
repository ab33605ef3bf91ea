// A fixed number of slots with a bounded line before them: what does not fit is refused at once.

/** The line is full. */
export class LineFull extends Error {
  override readonly name = 'LineFull';
}

export interface Slots<T> {
  /**
   * Runs `work` with a slot of its own.
   * @param signal ends the waiting; the promise rejects with its reason
   * @throws LineFull at once when too many are waiting
   */
  use<R>(work: (slot: T) => Promise<R>, signal?: AbortSignal): Promise<R>;
  readonly busy: () => number;
  readonly waiting: () => number;
}

export function createSlots<T>(slots: readonly T[], longestLine: number): Slots<T> {
  const free = [...slots];
  const line: ((slot: T) => void)[] = [];

  const take = async (signal?: AbortSignal): Promise<T> => {
    signal?.throwIfAborted();
    const slot = free.pop();
    if (slot !== undefined) return slot;
    if (line.length >= longestLine) throw new LineFull(`${line.length} requests are waiting already`);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    line.push(resolve);
    const leave = () => {
      const place = line.indexOf(resolve);
      if (place === -1) return;
      line.splice(place, 1);
      reject(signal?.reason as Error);
    };
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  };

  const give = (slot: T) => {
    const next = line.shift();
    if (next === undefined) free.push(slot);
    else next(slot);
  };

  return {
    async use(work, signal) {
      const slot = await take(signal);
      try {
        return await work(slot);
      } finally {
        give(slot);
      }
    },
    busy: () => slots.length - free.length,
    waiting: () => line.length,
  };
}
