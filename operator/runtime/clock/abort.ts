// Abort signals that depend on others, undone by hand: AbortSignal.any on a signal as long-lived as the process keeps a
// record of every short one that was ever made from it.

/** Passes an abort of `from`, with its reason, on to `to`. The result undoes the link: call it when `to` is finished with. */
export const linkAbort = (from: AbortSignal | undefined, to: AbortController): (() => void) => {
  if (!from) return () => undefined;
  const pass = () => to.abort(from.reason);
  if (from.aborted) pass();
  else from.addEventListener('abort', pass, { once: true });
  return () => from.removeEventListener('abort', pass);
};

/**
 * Does the work under a signal that aborts when the limit is over, with a DOMException named TimeoutError, or when
 * `signal` does. Rejects as the work does.
 */
export const inTime = async <T>(
  limitMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const abort = new AbortController();
  const unlink = linkAbort(signal, abort);
  const limit = setTimeout(
    () => abort.abort(new DOMException(`not done within ${limitMs} ms`, 'TimeoutError')),
    limitMs,
  );
  try {
    return await work(abort.signal);
  } finally {
    clearTimeout(limit);
    unlink();
  }
};

/** As the promise, but rejects with the signal's reason once that aborts: for waiting for what cannot be told to stop. */
export const unlessAborted = async <T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  const link = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    link.signal.addEventListener('abort', () => reject(link.signal.reason as Error));
  });
  const unlink = linkAbort(signal, link);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    unlink();
  }
};
