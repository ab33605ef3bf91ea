// The first deployment: no stable revision to protect yet, so no steps; all components ready, routes verified, done.
import { capacityWaits } from './capacity.ts';
import { advance, hold, note, type Look, type Move } from './decide.ts';
import { remember } from './history.ts';
import { enterStage, referenceWait } from './start.ts';
import { stagesOf } from './stages.ts';
import type { Progress } from './state.ts';
import { heldByPause, SPEC_PAUSED } from './waits.ts';

/** Installs the target. A new spec in the middle replaces it, unless what was begun is about to serve: then that is finished first. */
export function install(look: Look): Move {
  const { p, f, now, routes } = look;
  const { target } = f;
  if (p.update === null) {
    if (f.release.paused) return hold(heldByPause(f.release.release, 'be installed'));
    if (target.kind === 'ReferencesMissing') return hold(referenceWait(target.missing));
    return advance(
      first(look, target.hash, target.release),
      note('RolloutStarted', `${target.release} (${target.hash}) is installed; the first release takes no steps`),
    );
  }
  const waits = capacityWaits(p, f);
  if (
    target.kind === 'Known' &&
    target.hash !== p.update.hash &&
    (waits.length > 0 || !isRouted(look, p.update.hash))
  ) {
    if (f.release.paused) return hold(heldByPause(target.release));
    return advance(
      first(look, target.hash, target.release),
      note('RolloutSuperseded', `${target.release} replaces ${p.update.release}, which was not installed yet`),
    );
  }
  // A pause holds back the route. What serves already is told as it is.
  const serves = waits.length === 0 && routes.kind === 'Verified' && routes.share === 100;
  if (f.release.paused && !serves) return hold(SPEC_PAUSED);
  if (waits.length > 0) return hold(...waits);
  if (routes.kind === 'Waiting') return hold(routes.wait);
  if (routes.share !== 100)
    return hold({
      reason: 'RouteUpdating',
      message: 'the routes are being written',
      lastsMs: f.release.progressDeadlineMs,
    });
  const stable = { hash: p.update.hash, release: p.update.release };
  return advance(
    {
      ...remember({ ...p, update: p.update }, 'Promoted', f.release.revisionHistoryLimit, now),
      stable,
      update: stable,
      requested: 100,
      routed: 100,
    },
    note('RolloutCompleted', `${stable.release} is stable`),
  );
}

function first(look: Look, hash: string, release: string): Progress {
  const update = { hash, release, startedAt: new Date(look.now).toISOString() };
  const last = stagesOf(look.f.release.strategy).length;
  return enterStage({ ...look.p, update, routed: 0, abort: null }, look, last);
}

/** Without its record a revision that the spec asks for no longer has no components, and never will: it is not about to serve. */
function isRouted({ f }: Look, hash: string): boolean {
  const components = f.components(hash);
  return components.length > 0 && components.every((component) => f.route(component) !== null);
}
