// What nobody can go on with until a person does something, so that the status says it: a spec that cannot be read, or a write that the API server
// refuses for good (forbidden, invalid, over quota) or again and again (no addresses left for Services), or that would take somebody else's object.
import { mergeConditions } from './conditions.ts';
import type { Status } from './state.ts';
import type { WaitReason } from './waits.ts';

export interface Refusal {
  readonly reason: Extract<WaitReason, 'SpecRefused' | 'WriteRefused'>;
  /** In the words of who refuses, with the field. */
  readonly message: string;
}

/** The status with the refusal in front of all other waits. The same refusal again gives the same status. */
export function withRefusal(stored: Status, { reason, message }: Refusal, generation: number, now: number): Status {
  const before = stored.blockedBy?.find((entry) => entry.reason === reason);
  const others = (stored.blockedBy ?? []).filter(
    (entry) => entry.reason !== 'SpecRefused' && entry.reason !== 'WriteRefused',
  );
  const since = before?.message === message ? before.since : new Date(now).toISOString();
  const ready = { type: 'Ready', holds: false, reason, message } as const;
  return {
    ...stored,
    observedGeneration: generation,
    phase: stored.phase === undefined || stored.phase === 'Healthy' ? 'Degraded' : stored.phase,
    message,
    blockedBy: [{ reason, message, since }, ...others],
    conditions: mergeConditions(stored.conditions ?? [], [ready], generation, now),
  };
}
