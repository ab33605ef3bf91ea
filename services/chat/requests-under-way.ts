// Chat's sessions in the sense of the pod contract: answers being made right now. A drained pod finishes them.
import type { DrainOrder, SessionCounts, Sessions } from '@assistant-platform/kit/admin';
import type { Lifecycle } from '@assistant-platform/kit/lifecycle';
import type { Metrics } from '@assistant-platform/kit/metrics';

export interface RequestsUnderWay extends Sessions {
  /** Counts a request until the function it gives is called. */
  begin(): () => void;
}

/** @param now monotonic milliseconds */
export function createRequestsUnderWay(
  lifecycle: Lifecycle,
  metrics: Metrics,
  now: () => number = () => performance.now(),
): RequestsUnderWay {
  const begun = new Map<symbol, number>();
  let drain: { startedAt: number; deadline: number; observed: boolean } | undefined;

  const observeEnd = () => {
    if (drain === undefined || drain.observed || begun.size > 0) return;
    const at = now();
    drain.observed = true;
    const outcome = at <= drain.deadline ? 'completed' : 'late';
    metrics.drainSeconds.observe({ outcome }, (at - drain.startedAt) / 1000);
  };

  return {
    begin() {
      const key = Symbol('request');
      begun.set(key, now());
      return () => {
        if (begun.delete(key)) observeEnd();
      };
    },
    counts(): SessionCounts {
      const oldest = begun.values().next().value;
      return {
        open: begun.size,
        busy: begun.size,
        oldestSeconds: oldest === undefined ? 0 : Math.round((now() - oldest) / 1000),
        draining: lifecycle.state() === 'draining',
      };
    },
    // Answers end by themselves within MODEL_TOTAL_TIMEOUT_MS, so the pace has nothing to close here.
    drain({ deadlineSeconds }: DrainOrder) {
      lifecycle.drain();
      drain ??= { startedAt: now(), deadline: 0, observed: false };
      // Counted from the order that names it: one that is repeated names the time that is left.
      drain.deadline = now() + deadlineSeconds * 1000;
      observeEnd();
    },
  };
}
