// Both strategies as one list of stages, and how many pods each weight needs.
import { blueGreenCapacity, blueGreenStages } from './blueGreen.ts';
import { canaryCapacity, canaryStages } from './canary.ts';
import { digest } from './digest.ts';
import type { Release, Stage, Strategy } from './release.ts';

/** The stages of a rollout; after the last one the update revision gets all traffic and is promoted. */
export function stagesOf(strategy: Strategy): readonly Stage[] {
  return strategy.type === 'Canary' ? canaryStages(strategy) : blueGreenStages(strategy);
}

/** Digest of the stages: when a person edits them in mid-rollout it changes, and the rollout restarts at step 0. */
export const stagesHash = (strategy: Strategy): string => digest(stagesOf(strategy), 8);

/** The weight that a rollout on its way forward has at least, at a stage: the highest one set so far; behind the last stage all. */
export function weightAt(stages: readonly Stage[], index: number): number {
  if (index >= stages.length) return 100;
  return Math.max(0, ...stages.slice(0, index + 1).map((stage) => (stage.kind === 'SetWeight' ? stage.weight : 0)));
}

/** Pods that the update revision of a component needs before it may carry `weight` percent. */
export function capacityFor(release: Release, component: string, weight: number): number {
  const replicas = release.components[component]?.replicas ?? 0;
  return release.strategy.type === 'Canary' ? canaryCapacity(replicas, weight) : blueGreenCapacity(replicas);
}
