// What an aborted rollout waits for.
import { describe, expect, it } from 'vitest';
import { holdAborted } from './abort.ts';
import { factsOf, NOW, progressOf } from './worldSituations.ts';

describe('an aborted rollout', () => {
  const abort = { at: new Date(NOW).toISOString(), reason: 'wrong answers', by: 'User' } as const;
  const stable = { hash: 'a', release: '1.0.0' };
  const update = { hash: 'b', release: '1.1.0' };
  const reasons = (share: number): string[] => {
    const p = { ...progressOf({ abort, requested: 0, routed: share }), stable, update };
    const look = { p, f: factsOf(), now: NOW, order: null, since: () => NOW };
    const move = holdAborted({ ...look, routes: { kind: 'Verified', share } }, abort);
    return move.kind === 'Hold' ? move.waits.map(({ reason }) => reason) : [];
  };

  it('waits for the last percent of its traffic, and then for a person alone', () => {
    expect(reasons(1)).toEqual(['Aborted', 'RouteUpdating']);
    expect(reasons(0)).toEqual(['Aborted']);
  });
});
