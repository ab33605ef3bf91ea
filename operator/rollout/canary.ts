// Canary: the update revision takes a growing share, step by step, and grows with it. Stable keeps all its pods until the promotion, so that
// an abort is one change of the route.
import type { ResolvedStep } from '@assistant-platform/api';
import type { Stage, Strategy } from './release.ts';

export function canaryStages(strategy: Extract<Strategy, { type: 'Canary' }>): readonly Stage[] {
  return strategy.steps.map(stageOf);
}

function stageOf(step: ResolvedStep): Stage {
  switch (step.kind) {
    case 'SetWeight':
      return step;
    case 'Pause':
      return { kind: 'Pause', reason: 'CanaryPauseStep', durationMs: step.durationMs };
    case 'Analysis':
      return { ...step, when: 'Step' };
    case 'SetFlag':
      return { kind: 'Unsupported', what: `setFlag ${step.feature}` };
    case 'Chaos':
      return { kind: 'Unsupported', what: `chaos ${step.experiment}` };
  }
}

/**
 * Pods for a share: the same share of the replicas, rounded up, at least one (a canary without a pod proves nothing).
 * @param weight percent, 0..100.
 */
export function canaryCapacity(replicas: number, weight: number): number {
  if (replicas === 0) return 0;
  return Math.max(1, Math.ceil((replicas * weight) / 100));
}
