// A write that the API server refuses for good (forbidden, invalid, over quota), or again and again (no addresses left for Services): nobody can go on
// until a person does something, so the status says it.
import { mergeConditions } from './conditions.ts';
import type { Status } from './state.ts';

/** The status with the refusal in front of all other waits. The same refusal again gives the same status. */
export function withRefusal(stored: Status, message: string, generation: number, now: number): Status {
  const before = stored.blockedBy?.find(({ reason }) => reason === 'WriteRefused');
  const others = (stored.blockedBy ?? []).filter(({ reason }) => reason !== 'WriteRefused');
  const since = before?.message === message ? before.since : new Date(now).toISOString();
  const ready = { type: 'Ready', holds: false, reason: 'WriteRefused', message } as const;
  return {
    ...stored,
    observedGeneration: generation,
    phase: stored.phase === undefined || stored.phase === 'Healthy' ? 'Degraded' : stored.phase,
    message,
    blockedBy: [{ reason: 'WriteRefused', message, since }, ...others],
    conditions: mergeConditions(stored.conditions ?? [], [ready], generation, now),
  };
}
