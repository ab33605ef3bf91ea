// What became of each rollout, newest first.
import type { HistoryOutcome } from '@assistant-platform/api';
import type { Begun } from './state.ts';

/** It ended with its revision stable: there is a way back to it. */
export const isPromoted = ({ outcome }: { readonly outcome: string }): boolean =>
  outcome === 'Promoted' || outcome === 'FastPromoted';

/**
 * Notes the end of the update revision's rollout. Keeps the newest entry and `limit` before it; and as many promoted ones, so that attempts that failed do not
 * push out the way back to what was stable before them.
 */
export function remember<P extends Begun>(p: P, outcome: HistoryOutcome, limit: number, now: number): P {
  const finishedAt = new Date(now).toISOString();
  const { hash, release, startedAt } = p.update;
  const entry = { hash, release, outcome, startedAt: startedAt ?? p.step?.startedAt ?? finishedAt, finishedAt };
  const waysBack = p.history.filter(isPromoted).slice(0, limit);
  const kept = p.history.filter((earlier, index) => index < limit || waysBack.includes(earlier));
  return { ...p, history: [entry, ...kept] };
}
