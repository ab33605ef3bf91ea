// Whether the update revision has the pods for a weight, over all components at once (lockstep).
import type { Facts } from './facts.ts';
import { capacityWait } from './podTrouble.ts';
import { capacityFor } from './stages.ts';
import type { Progress } from './state.ts';
import type { Wait } from './waits.ts';

/** One wait for each component of update that has too few available pods; none: it may carry the weight that is requested. */
export function capacityWaits(p: Progress, f: Facts): Wait[] {
  if (p.update === null) return [];
  const { hash, release } = p.update;
  const waits: Wait[] = [];
  for (const component of f.components(hash)) {
    const needed = capacityFor(f.release, component, p.requested);
    const unit = f.unit(hash, component);
    // A route needs a pod to point to, even where the person asked for none.
    if (unit.available < Math.max(needed, 1))
      waits.push(capacityWait(unit, needed, release, f.release.progressDeadlineMs));
  }
  return waits;
}
