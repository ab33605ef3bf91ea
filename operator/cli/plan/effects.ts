// What applying a manifest would change, and what the operator would do about each change. Pure.
import {
  underWay,
  withDefaults,
  type AssistantDeployment,
  type AssistantDeploymentSpec,
} from '@assistant-platform/api';
import { isPromoted, readAsked, targetOf } from '@assistant-platform/operator/rollout';
import { changesBetween, withoutValues, type Change } from '../changes.ts';
import { withStoredDefaults } from '../schema.ts';

export type Effect =
  /** A change of what runs in the pods: it is rolled out through the strategy. */
  | 'NewRevision'
  /** Pods are added or drained, in the revisions that are there. */
  | 'Scales'
  /** The routes are written anew at once. */
  | 'Routes'
  /** The rollout under way begins again at its first step. */
  | 'RestartsSteps'
  /** A name for people. */
  | 'Label'
  /** Taken up at once, or by the next rollout. */
  | 'Settings';

export interface PlannedChange extends Change {
  readonly effect: Effect;
}

export type Course =
  /** Nothing is there yet, or nothing of it is stable. */
  | { readonly kind: 'FirstRelease' }
  | { readonly kind: 'NoNewRevision'; readonly hash: string | null }
  /** `hash` null: it cannot be told from here which it will be. */
  | {
      readonly kind: 'Rollout';
      readonly hash: string | null;
      readonly skipsSteps: boolean;
      /** The release that is being rolled out now and gives way. */
      readonly replaces: string | null;
    }
  /** What the spec asked for before is taken back: all traffic returns to the stable revision at once. */
  | { readonly kind: 'BackToStable'; readonly hash: string; readonly replaces: string };

export interface Effects {
  readonly changes: readonly PlannedChange[];
  readonly course: Course;
}

/** `ConfigMap/name` or `Secret/name` -> digest of its data; null when it does not exist. The whole is null when reading them is not allowed. */
export type References = Readonly<Record<string, string | null>> | null;

/**
 * Compares.
 * @param live the object in the cluster; null when there is none.
 */
export function effectsOf(
  spec: AssistantDeploymentSpec,
  live: AssistantDeployment | null,
  references: References,
): Effects {
  if (live === null) return { changes: [], course: { kind: 'FirstRelease' } };
  const changes = stepsAsOne(changesBetween(withStoredDefaults(live.spec), withStoredDefaults(spec)), live.spec, spec);
  const status = live.status ?? {};
  const touched = changes.some(({ path }) => effectOf(path, false) === 'NewRevision');
  const course = courseOf(spec, live, references, touched);
  const moves = touched && course.kind !== 'NoNewRevision';
  const restarts = underWay(status) && status.abort === undefined && !moves;
  const effect = ({ path }: Change): Effect => {
    const usual = effectOf(path, restarts);
    return usual === 'NewRevision' && !moves ? 'Settings' : usual; // such as `env: []` where there was none
  };
  return { changes: changes.map((change) => ({ ...withoutValues(change), effect: effect(change) })), course };
}

const STEPS = 'strategy.canary.steps';

/** A list of steps is edited as a whole: an inserted step would else show every step behind it as changed. */
function stepsAsOne(
  changes: readonly Change[],
  before: AssistantDeploymentSpec,
  after: AssistantDeploymentSpec,
): readonly Change[] {
  const others = changes.filter(({ path }) => !path.startsWith(`${STEPS}[`));
  if (changes.length - others.length < 2) return changes;
  const steps = { path: STEPS, before: before.strategy.canary?.steps, after: after.strategy.canary?.steps };
  return [...others, steps].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function effectOf(path: string, restarts: boolean): Effect {
  if (path === 'release') return 'Label';
  if (/^components[.][^.]+[.](replicas|autoscaling)/.test(path)) return 'Scales';
  if (/^components[.][^.]+[.]path$/.test(path) || path.startsWith('gateway')) return 'Routes';
  if (path.startsWith('components')) return 'NewRevision';
  if (restarts && /^strategy[.](type|canary[.]steps|blueGreen)/.test(path)) return 'RestartsSteps';
  return 'Settings';
}

function courseOf(
  spec: AssistantDeploymentSpec,
  live: AssistantDeployment,
  references: References,
  touched: boolean,
): Course {
  const { stableRevision, updateRevision } = live.status ?? {};
  if (stableRevision === undefined) return { kind: 'FirstRelease' };
  const hash = touched ? hashOf(spec, live, references) : null;
  if (!touched || (hash !== null && hash === updateRevision?.hash)) {
    return { kind: 'NoNewRevision', hash: updateRevision?.hash ?? null };
  }
  const replaces =
    updateRevision !== undefined && updateRevision.hash !== stableRevision.hash ? updateRevision.release : null;
  if (hash === stableRevision.hash && replaces !== null) return { kind: 'BackToStable', hash, replaces };
  const skipsSteps = hash !== null && isWayBack(live, hash, spec);
  return { kind: 'Rollout', hash, skipsSteps, replaces };
}

/** Whether a revision is one of those that were promoted before the stable one, near enough for the operator to skip the steps (rollbackWindow). */
export function isWayBack({ status = {} }: AssistantDeployment, hash: string, spec: AssistantDeploymentSpec): boolean {
  const promoted = (status.history ?? [])
    .filter(isPromoted)
    .map((entry) => entry.hash)
    .filter((each) => each !== status.stableRevision?.hash);
  return [...new Set(promoted)].slice(0, spec.strategy.rollbackWindow?.revisions ?? 0).includes(hash);
}

/**
 * The name that the operator will give the revision. Only told when the same computation names the present revision as the operator did: an
 * operator of another version, or data that changed since, would give another one.
 */
function hashOf(spec: AssistantDeploymentSpec, live: AssistantDeployment, references: References): string | null {
  if (references === null) return null;
  const asked = readAsked(live.metadata.annotations ?? {});
  const present = targetOf(withDefaults(live.spec), references, asked);
  const named = live.status?.updateRevision?.hash;
  if (present.kind !== 'Known' || present.hash !== named) return null;
  const next = targetOf(withDefaults(spec), references, asked);
  return next.kind === 'Known' ? next.hash : null;
}
