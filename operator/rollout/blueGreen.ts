// Blue-green: a full second set beside the first, a preview, one switch of all traffic; the old set stays a while untouched.
import type { Stage, Strategy } from './release.ts';

/** Preview (no traffic), what must pass before, the wait for promotion, the switch, what must pass after it. */
export function blueGreenStages(strategy: Extract<Strategy, { type: 'BlueGreen' }>): readonly Stage[] {
  const stages: Stage[] = [{ kind: 'SetWeight', weight: 0 }];
  if (strategy.prePromotion !== null) stages.push({ kind: 'Analysis', when: 'PrePromotion', ...strategy.prePromotion });
  if (!strategy.autoPromote) stages.push({ kind: 'Pause', reason: 'BlueGreenPause', durationMs: null });
  else if (strategy.autoPromoteAfterMs > 0) {
    stages.push({ kind: 'Pause', reason: 'BlueGreenPause', durationMs: strategy.autoPromoteAfterMs });
  }
  stages.push({ kind: 'SetWeight', weight: 100 });
  if (strategy.postPromotion !== null)
    stages.push({ kind: 'Analysis', when: 'PostPromotion', ...strategy.postPromotion });
  return stages;
}

/** The full set from the start. */
export const blueGreenCapacity = (replicas: number): number => replicas;
