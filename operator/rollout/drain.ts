// Drain: a pod goes when its sessions are gone or its time is up, never before, and never while the routes may still send it traffic.
// Two forms share one rule: a whole revision (noted on its Deployment) and single pods of a revision that lives on (noted on the pod).
import { isDraining, isEmpty, type Facts, type Unit } from './facts.ts';
import { isPromoted } from './history.ts';
import type { Write } from './plan-types.ts';
import type { Verification } from './routes.ts';
import type { DrainWindow, Pod } from './snapshot.ts';
import type { Progress } from './state.ts';

/** A revision that serves or is about to. Everything else is on its way out. */
export function isActive(p: Progress, hash: string): boolean {
  return p.stable?.hash === hash || (p.update?.hash === hash && p.abort === null);
}

/**
 * A new drain window from the spec's deadline.
 * @param startsIn milliseconds until it begins; until then the pods serve as before.
 */
export const drainWindow = (f: Facts, now: number, startsIn = 0): DrainWindow => ({
  startedAt: now + startsIn,
  deadline: now + startsIn + f.release.drain.deadlineMs,
});

/** The next deadline of these that time has not passed, or null: one that has passed calls for no look of its own. */
export function nextDeadline(drains: readonly DrainWindow[], now: number): number | null {
  const ahead = drains.map(({ deadline }) => deadline).filter((deadline) => deadline > now);
  return ahead.length === 0 ? null : Math.min(...ahead);
}

/** A route that was deleted cannot be accepted any more: traffic is taken to have ended after twice the settle time. */
export const afterRouteIsGone = (f: Facts, component: string): number =>
  f.route(component) === null ? 2 * f.snapshot.settings.settleMs : 0;

/** When the drain of a retired revision may begin: epoch ms, or null while the routes may still send traffic to it. */
export function drainMayBeginAt(p: Progress, f: Facts, routes: Verification, hash: string): number | null {
  const naming = f.snapshot.routes.filter(
    (route) => route.intent === null || route.intent.backends.some((backend) => backend.revision === hash),
  );
  const idle = naming.every((route) =>
    route.intent?.backends.every((backend) => backend.revision !== hash || backend.weight === 0),
  );
  if (!idle) return null;
  // Not named by any route: it never had traffic. Named with weight 0: only once that is verified to have taken effect.
  const verified = routes.kind === 'Verified' && routes.share === p.routed && p.routed === p.requested;
  if (naming.length > 0 && !verified) return null;
  const { strategy } = f.release;
  if (strategy.type !== 'BlueGreen') return 0;
  const last = p.history[0];
  const replaced = last !== undefined && last.hash !== hash && isPromoted(last) && last.hash === p.stable?.hash;
  const own = p.history.find((entry) => entry.hash === hash);
  const endedBadly = own !== undefined && !isPromoted(own);
  return replaced && !endedBadly ? Date.parse(last.finishedAt) + strategy.scaleDownDelayMs : 0;
}

/** Tells the pods of a drain window to refuse new sessions and move the open ones. */
export const tellPods = (f: Facts, pods: readonly Pod[], window: DrainWindow, now: number): Write[] =>
  drainOrders(
    f,
    pods.filter((pod) => !pod.terminating),
    window,
    now,
  );

/**
 * Pods that somebody else deletes (node drain, scheduler, kubectl) are told as well, once no gateway sends to them any more. Our services would begin by
 * themselves on SIGTERM; others may know only the order.
 */
export function tellDeparting(f: Facts, now: number): Write[] {
  const { settings, pods } = f.snapshot;
  return pods.flatMap((pod) => {
    const { removal } = pod;
    if (removal === null || pod.ready || now < removal.startedAt + settings.settleMs) return [];
    const deadline = Math.min(removal.deadline, removal.startedAt + f.release.drain.deadlineMs);
    return drainOrders(f, [pod], { startedAt: removal.startedAt, deadline }, now);
  });
}

function drainOrders(f: Facts, pods: readonly Pod[], window: DrainWindow, now: number): Write[] {
  return pods
    .filter((pod) => pod.running && pod.ip !== null && pod.sessions.kind !== 'unsupported' && !isDraining(pod))
    .map((pod) => ({
      kind: 'DrainPod',
      pod,
      adminPort: f.record(pod.revision)?.components[pod.component]?.adminPort ?? 9090,
      deadlineSeconds: Math.max(1, Math.ceil((window.deadline - now) / 1000)),
      closePerSecond: f.release.drain.closePerSecond,
    }));
}

/** May be taken away: nobody is on it, or its time is up. */
export const isReleased = (pod: Pod, window: DrainWindow | null, now: number): boolean =>
  isEmpty(pod) || (window !== null && now >= window.deadline);

/**
 * Where a pod stands in the order in which the ReplicaSet controller removes pods when replicas fall (k8s.io/kubernetes
 * pkg/controller/controller_utils.go, ActivePodsWithRanks): without a node, pending, not ready, low deletion cost (ours). Among pods of one class
 * the order is not to be relied upon: nodes, ages in powers of two and uids decide.
 */
const removalClass = (pod: Pod): number =>
  6 * PHASES.indexOf(pod.phase) + (pod.ready ? 3 : 0) + (pod.drain === null ? 2 : pod.drain.released === true ? 0 : 1);

const PHASES: readonly Pod['phase'][] = ['Unscheduled', 'Pending', 'Running'];

/** By class, the newest first within one. */
export const removalOrder = (pods: readonly Pod[]): Pod[] =>
  pods.toSorted((a, b) => removalClass(a) - removalClass(b) || b.createdAt - a.createdAt || (a.name < b.name ? -1 : 1));

/**
 * How many leaving pods a smaller `replicas` would remove now and only them: the first classes of which every pod is released. A pod that is told to
 * drain loses its readiness at any moment, perhaps before the ReplicaSet controller acts, perhaps after: of one that is in use it is taken as lost
 * already, of one that may go as still there if it was seen.
 */
export function releasable(unit: Unit, now: number): number {
  const inUse = (pod: Pod): boolean => pod.drain !== null && !isReleased(pod, pod.drain, now);
  const order = removalOrder(unit.pods.map((pod) => (inUse(pod) ? { ...pod, ready: false } : pod)));
  const stop = order.find((pod) => pod.drain === null || !isReleased(pod, pod.drain, now));
  if (stop === undefined) return order.length;
  return order.findIndex((pod) => removalClass(pod) === removalClass(stop));
}

/** Who leaves first when a revision shrinks: those that serve nobody, then those with the fewest sessions. */
export function chooseLeaving(unit: Unit, count: number): Pod[] {
  const staying = unit.pods.filter((pod) => pod.drain === null);
  const cost = (pod: Pod): number =>
    !pod.running || !pod.ready ? -1 : pod.sessions.kind === 'known' ? pod.sessions.open : Number.MAX_SAFE_INTEGER;
  return removalOrder(staying)
    .toSorted((a, b) => cost(a) - cost(b))
    .slice(0, count);
}
