// How fast things happen in the simulated cluster. Milliseconds, on the one clock.

export interface Timing {
  /** From a change of a Deployment to the pods that follow from it. */
  readonly controllerMs: number;
  /** From the creation of a pod to its being scheduled, running, and ready. */
  readonly scheduleMs: number;
  readonly startMs: number;
  readonly readyMs: number;
  /** From a change of readiness to its being seen (probe period), and to the EndpointSlice. */
  readonly probeMs: number;
  readonly endpointsMs: number;
  /** From the deletion of a pod to its end. */
  readonly stopMs: number;
  /** From a write of a route to its acceptance, and from there to traffic that follows. */
  readonly acceptMs: number;
  readonly moveMs: number;
  /** A new session each so often on each route. */
  readonly arriveEveryMs: number;
  /** A drained pod loses a session each so often. */
  readonly leaveEveryMs: number;
  /** The operator's own setting: when traffic is taken to have moved. */
  readonly settleMs: number;
  /** The pod of an operator that ended is started again after this time. */
  readonly restartMs: number;
}

export const USUAL: Timing = {
  controllerMs: 15,
  scheduleMs: 10,
  startMs: 250,
  readyMs: 600,
  probeMs: 200,
  endpointsMs: 25,
  stopMs: 1200,
  acceptMs: 50,
  moveMs: 700,
  arriveEveryMs: 600,
  leaveEveryMs: 400,
  settleMs: 1000,
  restartMs: 400,
};
