// What the pods last said about their open sessions. Asking happens beside the reconciles, so that no pod that hangs holds one up.
import type { Sessions } from '../rollout/snapshot.ts';
import type { PodAddress, PodsClient } from './pods-client.ts';

interface Page {
  readonly at: number;
  readonly sessions: Sessions;
}

export interface AskedPod extends PodAddress {
  readonly uid: string;
}

/** A pod that took the order to drain is told again after this time, if it still does not say that it drains. */
const TELL_AGAIN_MS = 3000;
/** A pod that did not take the order is told again after this time, however often the reconcile comes by. */
const TRY_AGAIN_MS = 1000;

const UNKNOWN: Sessions = { kind: 'unknown' };

export class SessionBook {
  readonly #client: Pick<PodsClient, 'sessions'>;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #pages = new Map<string, Page>();
  readonly #asking = new Set<string>();
  readonly #toldAt = new Map<string, number>();
  readonly #triedAt = new Map<string, number>();

  /** @param now milliseconds of a monotonic clock. */
  constructor(client: Pick<PodsClient, 'sessions'>, now: () => number) {
    this.#client = client;
    this.#now = now;
    this.#startedAt = now();
  }

  /** What the pod last said; unknown when it was not asked yet. */
  of(uid: string): Sessions {
    return this.#pages.get(uid)?.sessions ?? UNKNOWN;
  }

  /** The pod took the order to drain: what it said before is not to be relied upon any more. */
  noteDrain(uid: string): void {
    this.#pages.delete(uid);
    this.#toldAt.set(uid, this.#now());
  }

  /** The pod did not take the order to drain. */
  noteFailedDrain(uid: string): void {
    this.#triedAt.set(uid, this.#now());
  }

  /** It took the order a moment ago and has not been heard since, or could not be told just now: no need to tell it again yet. */
  wasTold(uid: string): boolean {
    const since = (map: ReadonlyMap<string, number>): number => this.#now() - (map.get(uid) ?? -Infinity);
    return since(this.#toldAt) < TELL_AGAIN_MS || since(this.#triedAt) < TRY_AGAIN_MS;
  }

  /** The pod is gone. */
  forget(uid: string): void {
    for (const map of [this.#pages, this.#toldAt, this.#triedAt]) map.delete(uid);
    this.#asking.delete(uid);
  }

  /**
   * Asks those pods whose last answer is older than `maxAgeMs`, all at once.
   * @param atRest nothing waits for the answers: a pod that was never asked is taken as asked when this process started, so that a start with thousands of
   *   pods is no storm, and a first answer is no news unless the pod drains.
   * @returns whether any of them says something else than before.
   */
  async refresh(pods: readonly AskedPod[], maxAgeMs: number, atRest: boolean, signal: AbortSignal): Promise<boolean> {
    const never = atRest ? this.#startedAt : -Infinity;
    const due = pods.filter(
      ({ uid }) => !this.#asking.has(uid) && this.#now() - (this.#pages.get(uid)?.at ?? never) >= maxAgeMs,
    );
    const news = await Promise.all(due.map((pod) => this.#ask(pod, atRest, signal)));
    return news.includes(true);
  }

  /** Asks those pods that were not heard of yet, as after a start. @returns whether there were any. */
  async hear(pods: readonly AskedPod[], signal: AbortSignal): Promise<boolean> {
    const unheard = pods.filter(({ uid }) => !this.#asking.has(uid) && !this.#pages.has(uid));
    await Promise.all(unheard.map((pod) => this.#ask(pod, true, signal)));
    return unheard.length > 0;
  }

  async #ask(pod: AskedPod, atRest: boolean, signal: AbortSignal): Promise<boolean> {
    this.#asking.add(pod.uid);
    try {
      const before = this.#pages.get(pod.uid)?.sessions;
      const asked = this.#now();
      const sessions = await this.#client.sessions(pod, signal);
      if (!this.#asking.has(pod.uid)) return false; // gone meanwhile
      // Asked before it was told to drain: that answer is out of date already.
      if ((this.#toldAt.get(pod.uid) ?? -Infinity) > asked) return false;
      this.#pages.set(pod.uid, { at: asked, sessions });
      if (before === undefined && atRest) return sessions.kind === 'known' && sessions.draining;
      return JSON.stringify(before ?? UNKNOWN) !== JSON.stringify(sessions);
    } finally {
      this.#asking.delete(pod.uid);
    }
  }
}
