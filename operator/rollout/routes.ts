// Who gets how much: the share that each route carries, whether that is verified, and the share it should carry next.
import type { Facts } from './facts.ts';
import type { Route, RouteAcceptance } from './snapshot.ts';
import { atRest, type Progress } from './state.ts';
import type { Wait } from './waits.ts';

/** Percent that a route gives to a revision; 0 when the route does not exist or does not name it. */
export function shareOf(route: Route | null, hash: string): number {
  const backends = route?.intent?.backends ?? [];
  const total = backends.reduce((sum, backend) => sum + backend.weight, 0);
  const own = backends.filter((backend) => backend.revision === hash).reduce((sum, backend) => sum + backend.weight, 0);
  return total === 0 ? 0 : (own * 100) / total;
}

/** Components whose route is split between stable and update, and those that only update has. */
export function routedComponents(p: Progress, f: Facts): { both: readonly string[]; updateOnly: readonly string[] } {
  if (p.update === null) return { both: [], updateOnly: [] };
  const stable = p.stable === null ? [] : f.components(p.stable.hash);
  const update = f.components(p.update.hash);
  return {
    both: update.filter((component) => stable.includes(component)),
    updateOnly: update.filter((component) => !stable.includes(component)),
  };
}

/** The share of the update revision, when all routes agree on one, in whole percents; null while they do not. */
export function observedShare(p: Progress, f: Facts): number | null {
  if (p.update === null) return null;
  const { hash } = p.update;
  const { both, updateOnly } = routedComponents(p, f);
  const shares = new Set(both.map((component) => shareOf(f.route(component), hash)));
  // A component that stable does not have is either served by update alone or by nobody.
  const served = new Set(updateOnly.map((component) => shareOf(f.route(component), hash) > 0));
  if (shares.size > 1 || served.size > 1) return null;
  const [share] = shares;
  const [alone] = served;
  if (share === undefined) return alone === true ? Math.max(p.requested, 1) : 0;
  if (alone !== undefined && alone !== share > 0) return null;
  return Number.isInteger(share) ? share : null; // others are a person's: they are written anew
}

/** The most that any route gives to update now, in whole percents as the status has them: on the way down it counts as carried until the smaller share is verified. */
export function carriedShare(p: Progress, f: Facts): number {
  const { hash } = p.update ?? {};
  const { both } = routedComponents(p, f);
  return hash === undefined ? 0 : Math.ceil(Math.max(0, ...both.map((component) => shareOf(f.route(component), hash))));
}

/** Progress with a smaller share wanted. */
export const lowerShare = <P extends Progress>(p: P, f: Facts, share: number): P => ({
  ...p,
  requested: share,
  routed: Math.max(p.routed, carriedShare(p, f)),
});

export type Verification =
  /** All routes carry this share of update, accepted for their generation and given time to take effect. */
  { readonly kind: 'Verified'; readonly share: number } | { readonly kind: 'Waiting'; readonly wait: Wait };

/**
 * Looks whether the routes carry one share and have had time to take effect. Gateways write the status before traffic moves (facts.md section 4),
 * so acceptance alone proves nothing.
 * @param settledSince since when this very acceptance is on record (epoch ms), or null when it is new.
 */
export function verifyRoutes(p: Progress, f: Facts, settledSince: (wait: Wait) => number, now: number): Verification {
  const { both, updateOnly } = routedComponents(p, f);
  const routes = [...both, ...updateOnly].map((component) => f.route(component)).filter((route) => route !== null);
  const deadline = f.release.progressDeadlineMs;
  const share = observedShare(p, f);
  // The weights were verified and did not change: a header or hostname that is still on its way takes nothing from that.
  const known = share !== null && share === p.routed;
  const open = routes.find(
    ({ acceptance }) =>
      acceptance.kind === 'Refused' || (acceptance.kind === 'Pending' && !(known && acceptance.earlier)),
  );
  if (open !== undefined) return { kind: 'Waiting', wait: acceptanceWait(open, open.acceptance, deadline) };
  if (share === null || (routes.length === 0 && p.requested > 0)) {
    return {
      kind: 'Waiting',
      wait: { reason: 'RouteUpdating', message: 'the routes do not carry one weight yet', lastsMs: deadline },
    };
  }
  if (share === p.routed) return { kind: 'Verified', share };
  const settling: Wait = {
    reason: 'RouteSettling',
    message: `the gateway accepted ${share} % (${routes.map((route) => `${route.name} generation ${route.generation}`).join(', ')}); traffic follows within ${f.snapshot.settings.settleMs} ms`,
    lastsMs: f.snapshot.settings.settleMs,
  };
  return now - settledSince(settling) >= f.snapshot.settings.settleMs
    ? { kind: 'Verified', share }
    : { kind: 'Waiting', wait: settling };
}

function acceptanceWait(route: Route, acceptance: RouteAcceptance, deadline: number): Wait {
  const detail = acceptance.kind === 'Refused' ? `: ${acceptance.reason}: ${acceptance.message}` : ' yet';
  return {
    reason: 'RouteNotAccepted',
    message: `the gateway has not accepted generation ${route.generation} of HTTPRoute ${route.name}${detail}`,
    lastsMs: deadline,
  };
}

/**
 * The share of update that a component's route should carry now.
 * Rises only when every component has the pods for it (lockstep, capacity before traffic); falls at once. Whatever was decided, a revision
 * without available pods gets nothing while the other one has some.
 */
export function wantedShare(p: Progress, f: Facts, component: string, mayRise: boolean): number {
  if (p.update === null || atRest(p)) return 100;
  const { both, updateOnly } = routedComponents(p, f);
  const update = p.update.hash;
  if (updateOnly.includes(component)) {
    const serves = shareOf(f.route(component), update) > 0;
    return p.requested > 0 && (mayRise || serves) ? 100 : 0;
  }
  if (p.stable === null || !both.includes(component)) return 0;
  const stable = p.stable.hash;
  // Whole percents: what a person wrote into the route may sum to something else than 100.
  const current = Math.floor(shareOf(f.route(component), update));
  let share = p.requested > current && !mayRise ? current : p.requested;
  // Lockstep in trouble as well: one component of update without pods takes the whole release off the traffic.
  const updateLost = both.some((each) => f.unit(update, each).available === 0);
  const stableWhole = both.every((each) => f.unit(stable, each).available > 0);
  if (share > 0 && updateLost && stableWhole) share = 0;
  const updateUp = f.unit(update, component).available > 0;
  const stableUp = f.unit(stable, component).available > 0;
  if (share > 0 && !updateUp) return stableUp ? 0 : current;
  if (!stableUp) return updateUp ? 100 : current;
  return share;
}
