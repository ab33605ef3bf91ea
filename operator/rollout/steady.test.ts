// When counts of open sessions are worth a write of the status: not when they come and go with nothing under way.
import { VERBS } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import { plan } from './plan.ts';
import { canary, sampleRelease, withVersion } from './releases.ts';
import type { Pod } from './snapshot.ts';
import { World } from './world.ts';
import { WorldRun } from './worldRun.ts';
import { sessions } from './worldSituations.ts';

/** Eight sessions on each of two pods of one component, all written down. */
function installed(): WorldRun {
  const run = new WorldRun(
    new World(sampleRelease('1.0.0', canary([{ setWeight: 20 }, { pause: {} }]), ['chat']), { arriveEveryMs: 0 }),
  );
  run.run(8000);
  for (const pod of run.world.pods) pod.sockets = 8;
  run.run(60_000);
  expect(run.world.status.components?.['chat']?.stable?.sockets).toBe(16);
  return run;
}

function aborted(): WorldRun {
  const run = installed();
  run.world.edit((before) => withVersion(before, '1.1.0'));
  run.run(8000);
  run.world.annotate({ [VERBS.abort]: 'bad' });
  run.run(60_000);
  expect(run.world.status).toMatchObject({ phase: 'Degraded' });
  expect(run.world.status.draining).toBeUndefined();
  return run;
}

/** What is written when each pod has these sessions. */
function written({ world }: WorldRun, of: Pod['sessions']): string[] {
  const snapshot = world.snapshot();
  const pods = snapshot.pods.map((pod) => ({ ...pod, sessions: of }));
  return plan({ ...snapshot, pods }, world.now).writes.map(({ kind }) => kind);
}

describe.each([
  ['at rest', installed],
  ['aborted, and drained', aborted],
])('%s', (_when, reach) => {
  const run = reach();

  it.each([
    ['as many', sessions(8), []],
    ['a quarter fewer', sessions(6), []],
    ['a quarter more', sessions(10), []],
    ['more than a quarter fewer', sessions(5), ['Status']],
    ['more than a quarter more', sessions(11), ['Status']],
    ['nobody', sessions(0), ['Status']],
    ['no answer', { kind: 'unknown' } as const, []],
  ])('%s', (_what, of, writes) => {
    expect(written(run, of)).toEqual(writes);
  });
});

it('in a rollout every count is told', () => {
  const run = installed();
  run.world.edit((before) => withVersion(before, '1.1.0'));
  run.run(8000);
  expect(written(run, sessions(8))).toEqual(['Status']);
});
