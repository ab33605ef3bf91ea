// Buckets and the share of open sessions, as a rollout goes through them.
import { describe, expect, it } from 'vitest';
import { plan } from './plan.ts';
import { blueGreen, canary, sampleRelease, withVersion } from './releases.ts';
import type { Pod, Sessions } from './snapshot.ts';
import { World } from './world.ts';
import { WorldRun } from './worldRun.ts';

function inRollout(strategy = canary([{ setWeight: 20 }, { pause: {} }, { setWeight: 60 }, { pause: {} }])): WorldRun {
  const run = new WorldRun(new World(sampleRelease('1.0.0', strategy)));
  run.run(8000);
  run.world.edit((before) => withVersion(before, '1.1.0'));
  run.run(10_000);
  return run;
}

const stickiness = (run: WorldRun) => [...run.world.routes.values()].map(({ intent }) => intent.stickiness);

describe('buckets of a rollout [R-294]', () => {
  it('decide on every component while the weights split, and stop when nothing splits any more', () => {
    const run = inRollout();
    const { stableRevision, updateRevision } = run.world.status;
    const sides = { by: 'Bucket', update: updateRevision?.hash, stable: stableRevision?.hash };
    expect(run.world.status.weight?.routed).toBe(20);
    expect(stickiness(run)).toEqual([sides, sides]);
    run.world.annotate({ 'assistant-platform.io/abort': 'seen enough' });
    run.run(10_000);
    expect(stickiness(run)).toEqual([{ by: 'None' }, { by: 'None' }]);
    expect(run.violations).toEqual([]);
  });

  it('do not decide where the spec does not want it, nor in blue-green', () => {
    const unsticky = inRollout({
      ...canary(),
      canary: { steps: [{ setWeight: 20 }, { pause: {} }], stickiness: { by: 'None' } },
    });
    expect(unsticky.world.status.weight?.routed).toBe(20);
    expect(stickiness(unsticky)).toEqual([{ by: 'None' }, { by: 'None' }]);
    expect(stickiness(inRollout(blueGreen({ autoPromote: false })))).toEqual([{ by: 'None' }, { by: 'None' }]);
  });

  it('a weight that a person wrote into the route by hand is replaced by whole percents', () => {
    const run = inRollout();
    const snapshot = run.world.snapshot();
    const hash = run.world.status.updateRevision?.hash;
    const written = plan(
      {
        ...snapshot,
        // Nobody may rise now, so the share that the route carries is kept: 1 of 7.
        subject: { ...snapshot.subject, release: { ...snapshot.subject.release, paused: true } },
        routes: snapshot.routes.map((route) => ({
          ...route,
          intent: route.intent && {
            ...route.intent,
            backends: route.intent.backends.map((each) => ({ ...each, weight: each.revision === hash ? 1 : 6 })),
          },
        })),
      },
      run.world.now,
    ).writes.flatMap((write) => (write.kind === 'WriteRoute' ? write.intent.backends.map(({ weight }) => weight) : []));
    expect(written.every(Number.isInteger)).toBe(true);
    expect(written.toSorted((a, b) => a - b)).toEqual([14, 14, 86, 86]);
  });
});

describe('status.weight.observed', () => {
  const observedWith = (sessionsOf: (pod: Pod, isUpdate: boolean) => Sessions): number | undefined => {
    const run = inRollout();
    const snapshot = run.world.snapshot();
    const hash = run.world.status.updateRevision?.hash;
    const pods = snapshot.pods.map((pod) => ({ ...pod, sessions: sessionsOf(pod, pod.revision === hash) }));
    return plan({ ...snapshot, pods }, run.world.now).status.weight?.observed;
  };
  const open = (count: number): Sessions => ({ kind: 'known', open: count, busy: 0, draining: false });

  it('is the share of all open sessions that are on update', () => {
    // One pod of update against two of stable, in both components: 11 of 11 + 2 * 50.
    expect(observedWith((_pod, isUpdate) => open(isUpdate ? 11 : 50))).toBe(9.9);
    expect(observedWith((_pod, isUpdate) => open(isUpdate ? 0 : 50))).toBe(0);
  });

  it('is absent when nobody is connected, and when a pod does not say', () => {
    expect(observedWith(() => open(0))).toBeUndefined();
    expect(observedWith((_pod, isUpdate) => (isUpdate ? { kind: 'unknown' } : open(50)))).toBeUndefined();
  });

  it('leaves out components without an admin port', () => {
    expect(
      observedWith(({ component }, isUpdate) =>
        component === 'chat' ? { kind: 'unsupported' } : open(isUpdate ? 10 : 45),
      ),
    ).toBe(10);
  });
});
