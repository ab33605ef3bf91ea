// The steps of a rollout in words, with how far it has come.
import type { AssistantDeployment, BlueGreenSpec, CanaryStep } from '@assistant-platform/api';
import { takesSteps } from '@assistant-platform/api';
import type { Paint } from './paint.ts';
import { since } from './time.ts';
import type { TreeNode } from './tree.ts';

/** A canary step in words. */
export function describeStep(step: CanaryStep): string {
  if (step.setWeight !== undefined) return `weight ${step.setWeight} %`;
  if (step.pause !== undefined) {
    return step.pause.duration === undefined ? 'pause until promoted' : `pause ${step.pause.duration}`;
  }
  if (step.analysis !== undefined) {
    return `analysis of ${step.analysis.metrics.join(', ')} for ${step.analysis.duration ?? '2m'}`;
  }
  if (step.setFlag !== undefined) return `flag ${step.setFlag.feature} to ${step.setFlag.rollout} %`;
  return `chaos ${step.chaos.experiment}`;
}

/** The stages of blue-green in words, as the operator walks them. */
function describeBlueGreen(blueGreen: BlueGreenSpec): string[] {
  const { autoPromote = true, autoPromoteAfter = '0s', prePromotion, postPromotion } = blueGreen;
  const judge = (metrics: readonly string[]): string => `analysis of ${metrics.join(', ')}`;
  return [
    'preview beside the old set',
    ...(prePromotion === undefined ? [] : [judge(prePromotion.metrics)]),
    ...(autoPromote ? [] : ['preview until promoted']),
    ...(autoPromote && autoPromoteAfter !== '0s' ? [`preview for ${autoPromoteAfter}`] : []),
    'switch all traffic',
    ...(postPromotion === undefined ? [] : [judge(postPromotion.metrics)]),
  ];
}

/** All steps in words. */
export function describeSteps({ spec }: AssistantDeployment): string[] {
  const { strategy } = spec;
  return strategy.type === 'Canary'
    ? (strategy.canary?.steps ?? []).map(describeStep)
    : describeBlueGreen(strategy.blueGreen ?? {});
}

/** The present step in words; null while no steps are taken, or when the steps were edited and it cannot be told. */
export function presentStep(object: AssistantDeployment): string | null {
  const { status } = object;
  if (status?.step === undefined || !takesSteps(status) || status.abort !== undefined) return null;
  const words = describeSteps(object);
  if (words.length !== status.step.count) return null;
  return words[status.step.index] ?? 'the last step is done';
}

/** The branch of steps; null while none are taken. */
export function stepsNode(object: AssistantDeployment, now: number, paint: Paint): TreeNode | null {
  const { status } = object;
  if (status?.step === undefined || !takesSteps(status)) return null;
  const { index, count, startedAt } = status.step;
  const words = describeSteps(object);
  const done = Math.min(index, count);
  const text = `steps     ${done} of ${count} done`;
  // Edited in mid-rollout, not yet taken up by the operator: the numbers would point at the wrong words.
  if (words.length !== count) return { text };
  const children = words.map((word, position) => {
    if (position < index) return { text: `${paint.good('✔')} ${word}` };
    if (position > index || status.abort !== undefined) return { text: paint.faint(`· ${word}`) };
    const age = startedAt === undefined ? '' : paint.faint(` since ${since(startedAt, now)}`);
    return { text: `${paint.wait('▶')} ${word}${age}` };
  });
  return { text, children };
}
