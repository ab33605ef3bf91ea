// What a person asks for: the spec with its defaults filled, durations in milliseconds (operator/api), and the stages a rollout is made of.
import type { ResolvedComponent, ResolvedSpec, ResolvedStrategy } from '@assistant-platform/api';

export type Release = ResolvedSpec;
export type ComponentSpec = ResolvedComponent;
export type Strategy = ResolvedStrategy;

/**
 * One stage of a rollout. Both strategies are written as stages (see canary.ts and blueGreen.ts), so that the machine that walks
 * them is one. A kind that this version cannot carry out is a case of its own: it holds and says so, it is never skipped.
 */
export type Stage =
  | { readonly kind: 'SetWeight'; readonly weight: number }
  | { readonly kind: 'Pause'; readonly reason: PauseReason; readonly durationMs: number | null }
  | {
      readonly kind: 'Analysis';
      readonly when: AnalysisTime;
      readonly metrics: readonly string[];
      readonly durationMs: number;
      readonly intervalMs: number;
    }
  | { readonly kind: 'Unsupported'; readonly what: string };

export type PauseReason = 'CanaryPauseStep' | 'BlueGreenPause';
export type AnalysisTime = 'Step' | 'PrePromotion' | 'PostPromotion';
