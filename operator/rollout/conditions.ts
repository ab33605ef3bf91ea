// metav1.Conditions: their transition time moves only when the status does.
import { cut } from './cut.ts';
import type { Condition } from './state.ts';

export interface ConditionValue {
  readonly type: 'Ready' | 'Progressing' | 'Degraded' | 'Paused' | 'Draining' | 'FieldsIgnored';
  readonly holds: boolean;
  readonly reason: string;
  readonly message: string;
}

/** Longer messages the API server refuses, and the whole status with them (metav1.Condition). */
const MESSAGE_LENGTH = 32_768;

/** Whole seconds, as metav1.Time has them. */
const seconds = (time: number): string => new Date(Math.floor(time / 1000) * 1000).toISOString().replace('.000Z', 'Z');

/** Merges new values into the stored conditions; foreign types are kept. */
export function mergeConditions(
  stored: readonly Condition[],
  values: readonly ConditionValue[],
  generation: number,
  now: number,
): Condition[] {
  const foreign = stored.filter((condition) => values.every((value) => value.type !== condition.type));
  const own = values.map((value): Condition => {
    const status = value.holds ? 'True' : 'False';
    const before = stored.find((condition) => condition.type === value.type);
    return {
      type: value.type,
      status,
      reason: value.reason,
      message: cut(value.message, MESSAGE_LENGTH),
      observedGeneration: generation,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : seconds(now),
    };
  });
  return [...own, ...foreign];
}
