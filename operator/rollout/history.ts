// What became of each rollout, newest first.
import type { Begun, Outcome } from './state.ts';

/** Notes the end of the update revision's rollout. Keeps `limit` entries and the newest. */
export function remember<P extends Begun>(p: P, outcome: Outcome, limit: number, now: number): P {
  const finishedAt = new Date(now).toISOString();
  const { hash, release, startedAt } = p.update;
  const entry = { hash, release, outcome, startedAt: startedAt ?? p.step?.startedAt ?? finishedAt, finishedAt };
  return { ...p, history: [entry, ...p.history].slice(0, limit + 1) };
}
