// The stages of a release with the pods that each needs: what the operator would do, computed by the operator's own pure functions.
import type { ResolvedSpec, ResolvedStrategy } from '@assistant-platform/api';
import { capacityFor, stagesOf, type Stage } from '@assistant-platform/operator/rollout';

/** Pods of one component. */
export interface PodCount {
  readonly stable: number;
  readonly update: number;
}

/** One line of the table. */
export interface StageRow {
  /** From 1; null: before the first or after the last step. */
  readonly step: number | null;
  readonly text: string;
  /** Share of the new revision, in percent. */
  readonly weight: number;
  readonly pods: Readonly<Record<string, PodCount>>;
  /** Of all components and both revisions. */
  readonly total: number;
}

export interface Stages {
  readonly rows: readonly StageRow[];
  /** Most pods at one time. */
  readonly peak: number;
  /** Time of pauses and analyses, in milliseconds: it takes at least so long. */
  readonly atLeastMs: number;
  /** Steps (from 1) that wait for a person. */
  readonly waitsForPerson: readonly number[];
}

export interface StageInputs {
  readonly release: ResolvedSpec;
  /** The steps in words, one each. */
  readonly words: readonly string[];
  /** Pods of the stable revision now, by component; null: nothing is stable yet, so that the first release takes no steps. */
  readonly stable: Readonly<Record<string, number>> | null;
  /** The steps are left out: a way back within the rollbackWindow. */
  readonly skipped: boolean;
}

/** Walks the stages. Pods of older revisions that still drain are not counted. */
export function walkStages({ release, words, stable, skipped }: StageInputs): Stages {
  const components = [...new Set([...Object.keys(release.components), ...Object.keys(stable ?? {})])].sort();
  // As the operator has it: the stable revision follows the replicas of the present spec; a component that the spec no longer names keeps its pods.
  const stablePods = (component: string): number =>
    stable === null
      ? 0
      : stable[component] === undefined
        ? 0
        : (release.components[component]?.replicas ?? stable[component]);
  let weight = 0;
  let update: Record<string, number> = {};
  const row = (step: number | null, text: string): StageRow => {
    const pods = Object.fromEntries(
      components.map((component) => [component, { stable: stablePods(component), update: update[component] ?? 0 }]),
    );
    const total = Object.values(pods).reduce((sum, count) => sum + count.stable + count.update, 0);
    return { step, text, weight, pods, total };
  };
  /** Pods of the new revision only grow: somebody may be on any of them. */
  const grow = (): void => {
    update = Object.fromEntries(
      components.map((component) => [
        component,
        release.components[component] === undefined
          ? 0
          : Math.max(update[component] ?? 0, capacityFor(release, component, weight)),
      ]),
    );
  };
  const rows: StageRow[] = stable === null ? [] : [row(null, 'now')];
  if (stable !== null && !skipped) {
    for (const [index, stage] of stagesOf(release.strategy).entries()) {
      if (stage.kind === 'SetWeight') weight = Math.max(weight, stage.weight);
      grow();
      const word = words[index] ?? stage.kind;
      rows.push(row(index + 1, stage.kind === 'Unsupported' ? `${word} (not carried out yet: holds)` : word));
    }
  }
  weight = 100;
  grow();
  rows.push(
    row(null, stable === null ? 'first release: all pods, then the routes' : 'all traffic; the old revision drains'),
  );
  const times = skipped || stable === null ? { atLeastMs: 0, waitsForPerson: [] } : timesOf(release.strategy);
  return { rows, peak: Math.max(...rows.map(({ total }) => total)), ...times };
}

function timesOf(strategy: ResolvedStrategy): Pick<Stages, 'atLeastMs' | 'waitsForPerson'> {
  const stages = stagesOf(strategy);
  const timed = stages.flatMap((stage) =>
    stage.kind === 'Pause' || stage.kind === 'Analysis' ? [stage.durationMs ?? 0] : [],
  );
  return {
    atLeastMs: timed.reduce((sum, ms) => sum + ms, 0),
    waitsForPerson: stages.flatMap((stage, index) => (waitsForPerson(stage) ? [index + 1] : [])),
  };
}

/** A pause without end, and a step that this version of the operator cannot carry out: it holds there rather than skip it. */
const waitsForPerson = (stage: Stage): boolean =>
  stage.kind === 'Unsupported' || (stage.kind === 'Pause' && stage.durationMs === null);
