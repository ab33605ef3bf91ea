// When a status is written. What was decided, what a person acts upon and what a clock hangs on: at once. Counts of pods and sockets, and texts with counts
// in them: a second after they have changed, with whatever else has changed by then; a rollout passes through many of them in the blink of an eye, and
// nobody could read them. People who come and go while nothing drains are no news: their counts alone are written after ten seconds.
import { isSame } from '../rollout/digest.ts';
import { readProgress, type BlockedBy, type Status } from '../rollout/state.ts';
import type { WaitReason } from '../rollout/waits.ts';

/** Counts and texts are at most so old, milliseconds. */
export const REPORT_AFTER_MS = 1000;

/** Counts of open sessions, while nothing drains and nothing else changes, are at most so old, milliseconds. */
export const SESSIONS_AFTER_MS = 10_000;

/** Waits that nearly every step passes through: of no interest unless they last. */
const MOMENTARY: ReadonlySet<string> = new Set<WaitReason>(['PodsNotReady', 'RouteUpdating', 'RouteNotAccepted']);

/** Remembers since when each status differs from the stored one. Losing it delays one write. */
export class StatusPacer {
  readonly #differsSince = new Map<string, number>();

  /**
   * How long a status that differs from the stored one may wait before it is written, milliseconds; 0: write it now.
   * @param key of the AssistantDeployment.
   * @param now monotonic milliseconds.
   */
  delay(key: string, stored: Status, status: Status, now: number): number {
    if (saysMore(stored, status)) return 0;
    const since = this.#differsSince.get(key) ?? now;
    this.#differsSince.set(key, since);
    const after = onlySessions(stored, status) ? SESSIONS_AFTER_MS : REPORT_AFTER_MS;
    return Math.max(0, since + after - now);
  }

  /** It was written, or differs no more, or its AssistantDeployment is gone. */
  forget(key: string): void {
    this.#differsSince.delete(key);
  }
}

/** Whether it says more than other counts and texts. */
function saysMore(stored: Status, status: Status): boolean {
  if (!isSame(essence(stored), essence(status))) return true;
  const known = new Set((stored.blockedBy ?? []).map(waitKey));
  return (status.blockedBy ?? []).some((wait) => !MOMENTARY.has(wait.reason) && !known.has(waitKey(wait)));
}

/** Whether nothing but counts of open sessions differs, and nobody waits for them to fall. */
const onlySessions = (stored: Status, status: Status): boolean =>
  (status.draining ?? []).length === 0 && isSame(withoutSessions(stored), withoutSessions(status));

const withoutSessions = ({ components = {}, weight, summary, ...rest }: Status): unknown => ({
  ...rest,
  weight: { ...weight, observed: undefined },
  summary: { ...summary, connections: undefined },
  components: Object.entries(components).map(([name, { stable, update }]) => [
    name,
    [stable, update].map((side) => side && { ...side, sockets: undefined }),
  ]),
});

/** A wait for a route to take effect is another one for each route: its clock is what is waited for. */
const waitKey = ({ reason, message, since }: BlockedBy): string =>
  reason === ('RouteSettling' satisfies WaitReason) ? `${reason} ${since} ${message}` : reason;

const essence = (status: Status) => ({
  progress: readProgress(status),
  phase: status.phase,
  observedGeneration: status.observedGeneration,
  conditions: status.conditions?.map(({ type, status: value, reason }) => [type, value, reason]),
  draining: status.draining?.map(({ hash, component, deadline, forced }) => [hash, component, deadline, forced]),
  selector: status.selector,
});
