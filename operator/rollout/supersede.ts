// The spec changed in mid-rollout. Back to stable: all traffic back at once, steps skipped. Something new: the half-done revision goes back
// gradually, is left to its drain, and the new rollout starts fresh.
import { hasStalled } from './abort.ts';
import { advance, hold, note, type InstalledLook, type Move } from './decide.ts';
import { remember } from './history.ts';
import { lowerShare } from './routes.ts';
import { startRollout } from './start.ts';
import type { RevisionRef } from './state.ts';
import { heldByPause, type Wait } from './waits.ts';

/** Shares on the way back: each is verified before the next, so that stable's caches and connections warm up. */
const LADDER = [50, 25, 10, 0] as const;

export function giveWay(look: InstalledLook, target: RevisionRef): Move {
  const { p, f, routes, now, order } = look;
  const back = target.hash === p.stable.hash;
  const atOnce = back || (order?.verb === 'abort' && order.revision === target.hash);
  // Held: the way back to stable is open, any other release waits.
  if (f.release.paused && !atOnce) return hold(heldByPause(target.release));
  if (p.requested > 0) return stepBack(look, atOnce);
  const wait = backWait(look);
  if (wait !== null) return hold(wait);
  if (routes.kind === 'Waiting') return hold(routes.wait);
  // An abort has its line in the history already.
  const ended =
    p.abort === null ? remember(p, back ? 'RolledBack' : 'Superseded', f.release.revisionHistoryLimit, now) : p;
  if (back) {
    const stable = { hash: p.stable.hash, release: target.release };
    return advance(
      { ...ended, stable, update: stable, abort: null, pauses: [], analysis: [], requested: 100, routed: 100 },
      note('RolledBack', `${p.update.release} is taken back; ${stable.release} stays`),
    );
  }
  const start = startRollout({ ...look, p: ended }, target);
  const superseded = note('RolloutSuperseded', `${p.update.release} makes way for ${target.release}`);
  return advance(start.progress, superseded, ...start.notes);
}

function stepBack(look: InstalledLook, atOnce: boolean): Move {
  const { p, routes } = look;
  const { release } = p.update;
  const settled = routes.kind === 'Verified';
  const wait: Wait =
    routes.kind === 'Waiting'
      ? routes.wait
      : { reason: 'RouteUpdating', message: `the routes are going back to ${p.requested} %` };
  const reached = settled && routes.share <= p.requested;
  if (!atOnce && !reached && !hasStalled(look, wait))
    return hold({ ...wait, lastsMs: look.f.release.progressDeadlineMs });
  const carried = settled ? Math.min(routes.share, p.requested) : p.requested;
  const next = atOnce || !reached ? 0 : (LADDER.find((share) => share < carried) ?? 0);
  return advance(
    { ...lowerShare(p, look.f, next), pauses: [] },
    note('RollingBack', `${release} goes back from ${p.requested} % to ${next} %`),
  );
}

function backWait({ p, routes, f }: InstalledLook): Wait | null {
  if (routes.kind === 'Verified' && routes.share > 0) {
    return {
      reason: 'RouteUpdating',
      message: `the routes still carry ${routes.share} % of ${p.update.release}`,
      lastsMs: f.release.progressDeadlineMs,
    };
  }
  return null;
}
