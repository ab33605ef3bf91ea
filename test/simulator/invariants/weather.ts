// What went wrong outside of the operator, and when: how far it excuses what clients felt. An invariant that speaks of the operator's own acts
// is not excused by it.

/** Times of the last trouble of each kind, epoch ms on the one clock; -Infinity: never. */
export class Weather {
  /** A pod died or crashed. */
  podLostAt = -Infinity;
  /** Pods that crashed, by uid, and when: such a one may be back before the operator hears of it. */
  readonly crashedAt = new Map<string, number>();
  /** The gateway accepted nothing. */
  gatewayStalledAt = -Infinity;
  /** A request of the operator failed, its cache lagged, or nobody led. */
  operatorTroubledAt = -Infinity;
  /** How far the operator's caches have been behind at most, ms: longer than that it acts on what it knows. */
  lagMs = 0;
  /** A person changed what is wanted. */
  editedAt = -Infinity;
}
