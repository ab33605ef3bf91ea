// `why`: one sentence that says what an AssistantDeployment waits for, what was seen, since when, and when the operator looks again.
import { takesSteps, underWay, type AssistantDeployment, type BlockedBy } from '@assistant-platform/api';
import { notTaken } from '../orders.ts';
import { printable } from './printable.ts';
import { presentStep } from './steps.ts';
import { since, until } from './time.ts';

const IS_IT_RUNNING = 'Is it running? kubectl get pods -A -l app.kubernetes.io/name=assistant-operator';

/** The sentence, and one more line for each further wait. */
export function renderWhy(given: AssistantDeployment, now: number): string[] {
  const object = printable(given);
  const { metadata, status } = object;
  const { name } = metadata;
  if (status === undefined) {
    return [`${name} has no status yet: the operator has not looked at it. ${IS_IT_RUNNING}`];
  }
  const seen = status.observedGeneration ?? 0;
  const wanted = metadata.generation ?? 0;
  if (seen < wanted) {
    return [
      `${name} waits for the operator, which has seen generation ${seen} of the spec and not yet ${wanted}. ${IS_IT_RUNNING}`,
    ];
  }
  const untaken = notTaken(object);
  const orders = untaken === null ? [] : [`${name} waits for the operator, which ${untaken}. ${IS_IT_RUNNING}`];
  const waits = status.blockedBy ?? [];
  const [first, ...others] = waits;
  if (first === undefined) return [...orders, calm(object)];
  return [
    ...orders,
    `${name} ${place(object)} waits: ${describeWait(first, now)}.${advice(object, waits)}`,
    ...others.map((wait) => `It also waits: ${describeWait(wait, now)}.`),
  ];
}

/** Where it stands, as part of a sentence. */
function place(object: AssistantDeployment): string {
  const { status = {} } = object;
  const { step, weight, updateRevision } = status;
  const release = updateRevision?.release ?? object.spec.release ?? '';
  if (!underWay(status)) return `(release ${release})`;
  if (status.abort !== undefined) return `(release ${release}, aborted)`;
  const words = presentStep(object);
  const at =
    step === undefined || !takesSteps(status)
      ? ''
      : `, step ${Math.min(step.index + 1, step.count)} of ${step.count}${words === null ? '' : `: ${words}`}`;
  return `(release ${release}${at}, ${weight?.routed ?? 0} % routed)`;
}

function describeWait({ reason, message, since: start, nextCheckAt }: BlockedBy, now: number): string {
  const next = nextCheckAt === undefined ? null : until(nextCheckAt, now);
  const look = next === null ? '' : `; the operator looks again in ${next}`;
  return `${message} (${reason}, since ${since(start, now)}${look})`;
}

/** The command that ends the wait, where a person is waited for. */
function advice({ metadata, spec }: AssistantDeployment, waits: readonly BlockedBy[]): string {
  const has = (reason: string): boolean => waits.some((wait) => wait.reason === reason);
  const at = metadata.namespace === undefined ? metadata.name : `${metadata.name} -n ${metadata.namespace}`;
  if (spec.paused === true || has('SpecPaused')) return ` Go on: kubectl assistant resume ${at}`;
  if (has('Aborted')) return ` Go on: kubectl assistant retry ${at}, or undo, or correct the spec and apply it again.`;
  const pause = waits.find(({ reason }) => reason === 'CanaryPauseStep' || reason === 'BlueGreenPause');
  return pause === undefined
    ? ''
    : ` Go on${pause.nextCheckAt === undefined ? '' : ' at once'}: kubectl assistant promote ${at}`;
}

/** Nothing is waited for. */
function calm({ metadata, status = {}, spec }: AssistantDeployment): string {
  const { stableRevision, weight, phase } = status;
  if (phase === 'Healthy' && stableRevision !== undefined) {
    return `${metadata.name} waits for nothing: release ${stableRevision.release} (${stableRevision.hash}) is stable and gets all traffic.`;
  }
  if (phase === 'Terminating') return `${metadata.name} is being deleted.`;
  const release = status.updateRevision?.release ?? spec.release ?? '';
  return `${metadata.name} is ${(phase ?? 'Progressing').toLowerCase()} with release ${release} at ${weight?.routed ?? 0} % and says of nothing that it waits for it.`;
}
