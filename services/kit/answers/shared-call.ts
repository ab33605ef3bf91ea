// One call to a model for all who ask the same at the same time. Everybody gets every piece as it comes, those
// who come later first what was said before. The call ends early only when nobody wants it any more.

export interface SharedCall<R> {
  /**
   * Takes part until the end, or until `signal` is aborted.
   * @returns the result of the call; undefined when the signal came first
   */
  join(onText: (text: string) => void, signal: AbortSignal): Promise<R | undefined>;
}

/**
 * Begins a call.
 * @param call gives its pieces to `onText` and ends soon after its signal is aborted; must not reject
 * @param onEnd told when nobody should join any more: it has ended, or was given up
 */
export function beginSharedCall<R>(
  call: (onText: (text: string) => void, signal: AbortSignal) => Promise<R>,
  onEnd: () => void,
): SharedCall<R> {
  const pieces: string[] = [];
  const listeners = new Set<(text: string) => void>();
  const abandoned = new AbortController();
  const take = (text: string) => {
    pieces.push(text);
    for (const listener of listeners) listener(text);
  };
  const result = call(take, abandoned.signal).finally(onEnd);
  return {
    async join(onText, signal) {
      for (const piece of pieces) onText(piece);
      listeners.add(onText);
      const { promise: gone, resolve } = Promise.withResolvers<undefined>();
      const leave = () => {
        listeners.delete(onText);
        resolve(undefined);
        if (listeners.size > 0) return;
        onEnd();
        abandoned.abort();
      };
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
      try {
        return await Promise.race([result, gone]);
      } finally {
        signal.removeEventListener('abort', leave);
        listeners.delete(onText);
      }
    },
  };
}
