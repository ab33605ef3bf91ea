// How it stands, for exit codes: one answer from an object that may be in the middle of anything.
import type { AssistantDeployment } from '@assistant-platform/api';

/**
 * `Good`: the wanted revision is stable (open sessions of the old one may still be draining).
 * `Bad`: aborted, or degraded. `UnderWay`: neither yet.
 */
export type Verdict = 'Good' | 'Bad' | 'UnderWay';

/** Judges an object. Only a status of the present generation counts: an older one speaks of an older wish. */
export function verdictOf({ metadata, status }: AssistantDeployment): Verdict {
  if (status === undefined || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return 'UnderWay';
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
      return 'UnderWay';
  }
}

/** Exit codes of `status`. */
export const EXIT = { good: 0, bad: 1, timeout: 2 } as const;
/** Exit code after Ctrl-C, as shells have it. */
export const EXIT_INTERRUPTED = 130;
