// A token bucket for the frames of one socket.

export interface MessageRate {
  /** Takes a token; otherwise says after how many milliseconds there is one. */
  take(): { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number; readonly refusals: number };
}

/**
 * @param perSecond tokens that come back each second
 * @param burst tokens at the start, and the most there are
 * @param now monotonic milliseconds
 */
export function createMessageRate(perSecond: number, burst: number, now: () => number): MessageRate {
  let tokens = burst;
  let filledAt = now();
  /** Refusals since the last frame that was let through. */
  let refusals = 0;
  return {
    take() {
      const at = now();
      tokens = Math.min(burst, tokens + ((at - filledAt) * perSecond) / 1000);
      filledAt = at;
      if (tokens >= 1) {
        tokens -= 1;
        refusals = 0;
        return { ok: true };
      }
      refusals += 1;
      return { ok: false, retryAfterMs: Math.ceil(((1 - tokens) * 1000) / perSecond), refusals };
    },
  };
}
