// How it stands, for exit codes: one answer from an object that may be in the middle of anything.
import type { AssistantDeployment } from '@assistant-platform/api';
import { readOrder, readRestart } from '@assistant-platform/operator/rollout';
import { untakenVerbs } from './orders.ts';

/**
 * `Good`: the wanted revision is stable (open sessions of the old one may still be draining).
 * `Bad`: aborted, or degraded. `UnderWay`: neither yet.
 */
export type Verdict = 'Good' | 'Bad' | 'UnderWay';

/** Judges an object. Only a status that knows the latest wish counts: an older one would end a `--watch` before anything has begun. */
export function verdictOf(object: AssistantDeployment): Verdict {
  const { metadata, status } = object;
  if (status === undefined || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return 'UnderWay';
  if (verbPending(object)) return 'UnderWay';
  switch (status.phase) {
    case 'Healthy':
      return 'Good';
    case 'Degraded':
      return 'Bad';
    case 'Progressing':
    case 'Paused':
    case 'RollingBack':
    case 'Terminating':
    case undefined:
    default: // a phase that a later operator has: nothing is decided that this version knows of
      return 'UnderWay';
  }
}

/** A verb that the operator has not taken yet, or has taken and not begun to carry out. */
function verbPending(object: AssistantDeployment): boolean {
  const { annotations = {} } = object.metadata;
  const { status = {} } = object;
  if (untakenVerbs(object).length > 0) return true;
  const order = readOrder(annotations);
  if (order?.verb === 'retry' && order.abortedAt === status.abort?.at) return true;
  return readRestart(annotations)?.of === status.updateRevision?.hash && status.updateRevision !== undefined;
}

/** Exit codes of `status`. */
export const EXIT = { good: 0, bad: 1, timeout: 2 } as const;
/** Exit code after Ctrl-C, as shells have it. */
export const EXIT_INTERRUPTED = 130;
