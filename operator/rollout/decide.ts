// The decision: from what was decided so far and what is observed now to what is decided next. It only decides; plan.ts stores the decision
// before anything acts upon it, so that a kill between any two writes leads back to the same place.
import { abortRollout, holdAborted, retryRollout } from './abort.ts';
import type { Facts } from './facts.ts';
import { install } from './install.ts';
import { readOrder, type Order } from './orders.ts';
import type { Write } from './plan-types.ts';
import { verifyRoutes, type Verification } from './routes.ts';
import { holdAtRest, startRollout } from './start.ts';
import { atRest, type BlockedBy, type Installed, type Progress } from './state.ts';
import { giveWay } from './supersede.ts';
import { walkStages } from './walk.ts';
import { heldByPause, waitingSince, type Wait } from './waits.ts';

export interface Note {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Open sessions that are cut off by it. */
  readonly cutOff?: number;
  /** The write that it tells of: told as soon as that is done, whatever becomes of the rest of the plan. None: it tells of the whole. */
  readonly of?: Write | undefined;
}

/** The next piece of progress. */
export interface Advance {
  readonly kind: 'Advance';
  readonly progress: Progress;
  readonly notes: readonly Note[];
}

/** What one look leads to: either the next piece of progress, or a wait. */
export type Move = Advance | { readonly kind: 'Hold'; readonly waits: readonly Wait[] };

export const advance = (progress: Progress, ...notes: Note[]): Advance => ({ kind: 'Advance', progress, notes });
export const hold = (...waits: Wait[]): Move => ({ kind: 'Hold', waits });
export const note = (reason: string, message: string, type: Note['type'] = 'Normal'): Note => ({
  type,
  reason,
  message,
});

/** All that the rules may look at. */
export interface Look {
  readonly p: Progress;
  readonly f: Facts;
  readonly now: number;
  readonly order: Order | null;
  readonly routes: Verification;
  /** Since when a wait lasts, epoch milliseconds. */
  readonly since: (wait: Wait) => number;
}

/** A look at a rollout behind the first installation. */
export interface InstalledLook extends Look {
  readonly p: Installed;
}

export interface Decision {
  readonly progress: Progress;
  readonly waits: readonly Wait[];
  readonly notes: readonly Note[];
  /** blockedBy entries whose clocks still count (none once the step has changed). */
  readonly clocks: readonly BlockedBy[];
}

/** More moves than this at one look means two rules undo each other: a bug, not a state of the cluster. */
const MOVES_AT_MOST = 100;

/** Follows the rules until they wait for something. */
export function decide(f: Facts, now: number): Decision {
  const before = f.subject.status.blockedBy ?? [];
  const order = readOrder(f.subject.annotations);
  const notes: Note[] = [];
  let progress = f.progress;
  let clocks: readonly BlockedBy[] = before;
  for (let moves = 0; moves < MOVES_AT_MOST; moves++) {
    const p = progress;
    const valid = clocks;
    const since = (wait: Wait): number => waitingSince(wait, valid, now);
    const routes = verifyRoutes(p, f, since, now);
    const move = nextMove({ p, f, now, order, since, routes });
    if (move.kind === 'Hold') return { progress, waits: withRouteWait(move.waits, routes), notes, clocks };
    progress = move.progress;
    notes.push(...move.notes);
    if (!sameStep(progress, f.progress)) clocks = [];
  }
  throw new Error(`the rollout of ${f.subject.namespace}/${f.subject.name} does not come to rest at one look`);
}

/** Whatever else it waits for: a route that is on its way has its clock in blockedBy, or it would never be taken as settled. */
function withRouteWait(waits: readonly Wait[], routes: Verification): readonly Wait[] {
  if (routes.kind === 'Verified' || waits.some(({ reason }) => reason === routes.wait.reason)) return waits;
  const { reason } = routes.wait;
  return reason === 'RouteSettling' || reason === 'RouteNotAccepted' ? [...waits, routes.wait] : waits;
}

const sameStep = (a: Progress, b: Progress): boolean =>
  a.update?.hash === b.update?.hash &&
  a.step?.index === b.step?.index &&
  a.step?.stepsHash === b.step?.stepsHash &&
  a.requested === b.requested;

/** The rules, first match wins. */
function nextMove(look: Look): Move {
  const { f } = look;
  const { stable, update } = look.p;
  if (stable === null || update === null) return install(look);
  const p: Installed = { ...look.p, stable, update };
  const installed: InstalledLook = { ...look, p };
  if (look.routes.kind === 'Verified' && look.routes.share !== p.routed) {
    return advance(
      { ...p, routed: look.routes.share },
      note('WeightRouted', `${look.routes.share} % of new traffic goes to ${p.update.release}`),
    );
  }
  if (atRest(p))
    return f.target.kind === 'Known' && f.target.hash !== p.update.hash && !f.release.paused
      ? startRollout(installed, f.target)
      : holdAtRest(installed);
  if (f.target.kind === 'Known' && f.target.hash !== p.update.hash) return giveWay(installed, f.target);
  const { order } = look;
  if (order?.verb === 'abort' && order.revision === p.update.hash && p.abort === null) {
    return abortRollout(installed, { at: order.at, reason: order.reason, by: 'User' });
  }
  if (p.abort !== null) {
    const again = order?.verb === 'retry' && order.revision === p.update.hash && order.abortedAt === p.abort.at;
    // While traffic is on its way back, nobody can say what the update carries.
    if (!again || look.routes.kind !== 'Verified') return holdAborted(installed, p.abort);
    return f.release.paused ? hold(heldByPause(p.update.release, 'begin again')) : retryRollout(installed);
  }
  return walkStages(installed);
}
