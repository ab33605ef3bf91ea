// What became of each rollout, newest first.
import type { Outcome, Progress } from './state.ts';

/** Notes the end of the update revision's rollout. Keeps `limit` entries and the newest. */
export function remember(p: Progress, outcome: Outcome, limit: number, now: number): Progress {
  if (p.update === null) return p;
  const finishedAt = new Date(now).toISOString();
  const { hash, release, startedAt } = p.update;
  const entry = { hash, release, outcome, startedAt: startedAt ?? p.step?.startedAt ?? finishedAt, finishedAt };
  return { ...p, history: [entry, ...p.history].slice(0, limit + 1) };
}
