// The two ends of a rollout: at rest, and the first step.
import { capacityWait } from './podTrouble.ts';
import { type Advance, advance, hold, note, type InstalledLook, type Look, type Move } from './decide.ts';
import { isPromoted } from './history.ts';
import { carriedShare } from './routes.ts';
import { stagesHash, stagesOf } from './stages.ts';
import type { Progress, RevisionRef } from './state.ts';
import { heldByPause, type Wait } from './waits.ts';
import { listed } from './words.ts';

/** Begins the rollout of the target at its first stage, or behind the last one when it is a way back (rollbackWindow). */
export function startRollout(look: InstalledLook, target: RevisionRef): Advance {
  const { p, now, f } = look;
  const update = { hash: target.hash, release: target.release, startedAt: new Date(now).toISOString() };
  const back = isWayBack(look, target.hash);
  const stages = stagesOf(f.release.strategy);
  const bare: Progress = { ...p, update, abort: null, pauses: [], requested: 0, routed: 0, step: null };
  const fresh = { ...bare, routed: carriedShare(bare, f) };
  return advance(
    enterStage(fresh, look, back ? stages.length : 0),
    note(
      'RolloutStarted',
      `${target.release} (${target.hash}) begins${back ? '; it was stable before, the steps are skipped' : ''}`,
    ),
  );
}

/** One of the revisions that were promoted shortly before the stable one. */
function isWayBack({ p, f }: InstalledLook, hash: string): boolean {
  const promoted = p.history.filter(isPromoted).map((entry) => entry.hash);
  const earlier = [...new Set(promoted)].filter((each) => each !== p.stable.hash);
  return earlier.slice(0, f.release.rollbackWindow).includes(hash);
}

/**
 * Progress at the entry of a stage. Behind the last stage the update revision is wanted whole. A weight never falls on the way
 * forward, so that nobody who was moved is moved back.
 */
export function enterStage(p: Progress, { f, now }: Look, index: number): Progress {
  const stages = stagesOf(f.release.strategy);
  const stage = stages[index];
  const startedAt = new Date(now).toISOString();
  const wanted = stage === undefined ? 100 : stage.kind === 'SetWeight' ? stage.weight : 0;
  return {
    ...p,
    step: {
      index: Math.min(index, stages.length),
      count: stages.length,
      stepsHash: stagesHash(f.release.strategy),
      startedAt,
    },
    requested: Math.max(p.requested, wanted),
    analysis: [],
    pauses: stage?.kind === 'Pause' ? [{ reason: stage.reason, startTime: startedAt }] : [],
  };
}

/** Nothing under way: says what is not as it should be. */
export function holdAtRest({ p, f, routes }: InstalledLook): Move {
  const { hash, release } = p.stable;
  if (f.target.kind === 'Known' && f.target.hash === hash && f.target.release !== release) {
    const renamed = { hash, release: f.target.release };
    return advance({ ...p, stable: renamed, update: { ...p.update, ...renamed } });
  }
  const waits: Wait[] = [];
  if (f.target.kind === 'ReferencesMissing') waits.push(referenceWait(f.target.missing));
  else if (f.target.hash !== hash) {
    waits.push(heldByPause(f.target.release));
  }
  for (const component of f.components(hash)) {
    const needed = f.release.components[component]?.replicas ?? 1;
    const unit = f.unit(hash, component);
    if (unit.available < Math.max(needed, 1))
      waits.push(capacityWait(unit, needed, release, f.release.progressDeadlineMs));
  }
  if (routes.kind === 'Waiting') waits.push(routes.wait);
  return hold(...waits);
}

export const referenceWait = (missing: readonly string[]): Wait => ({
  reason: 'ReferenceMissing',
  message: `${listed(missing)} ${missing.length === 1 ? 'does' : 'do'} not exist; create it, or mark the reference optional`,
});
