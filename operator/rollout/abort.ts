// Abort: all traffic to stable in one change of the route, the spec left alone. The pods stay for the drain. Retry starts over.
import { advance, hold, note, type InstalledLook, type Look, type Move } from './decide.ts';
import { remember } from './history.ts';
import { lowerShare } from './routes.ts';
import { referenceWait, startRollout } from './start.ts';
import type { Abort } from './state.ts';
import { countsAsStuck, type Wait } from './waits.ts';

/** Records the abort. From here on the wanted weight is 0; nothing that may fail stands in the way. */
export function abortRollout({ p, f, now }: InstalledLook, abort: Abort): Move {
  const remembered = remember(p, 'Aborted', f.release.revisionHistoryLimit, now);
  return advance(
    { ...lowerShare(remembered, f, 0), abort, pauses: [] },
    note(
      'RolloutAborted',
      `${p.update.release} aborted by ${abort.by}: ${abort.reason}; traffic goes back to ${p.stable.release}`,
      'Warning',
    ),
  );
}

/** A wait that something should have ended by itself has lasted longer than progressDeadline. */
export function hasStalled({ f, now, since }: Look, wait: Wait): boolean {
  return countsAsStuck(wait.reason) && now - since(wait) >= f.release.progressDeadlineMs;
}

/** Aborted: waits for the way back to be verified, then for a person. */
export function holdAborted({ routes, f }: InstalledLook, { by, reason, at }: Abort): Move {
  const waits: Wait[] = [
    {
      reason: 'Aborted',
      message: `aborted by ${by}: ${reason}; retry it, or edit the spec`,
      since: Date.parse(at),
    },
  ];
  if (f.target.kind === 'ReferencesMissing') waits.push(referenceWait(f.target.missing));
  if (routes.kind === 'Waiting') waits.push(routes.wait);
  else if (routes.share > 0) {
    waits.push({
      reason: 'RouteUpdating',
      message: `the routes still carry ${routes.share} %`,
      lastsMs: f.release.progressDeadlineMs,
    });
  }
  return hold(...waits);
}

/** The same revision again, from the first step. */
export function retryRollout(look: InstalledLook): Move {
  const { hash, release } = look.p.update;
  return startRollout(look, { hash, release });
}
