// Single situations, each with what a person sees of it. The schedules are in invariants.property.test.ts and killpoints.test.ts.
import { describe, expect, it } from 'vitest';
import { plan } from './plan.ts';
import { canary, sampleRelease, withReplicas } from './releases.ts';
import type { Snapshot } from './snapshot.ts';
import { condition, installed, podsOf, release, unfollowed, waits } from './test-rollouts.ts';
import { World } from './world.ts';
import { WorldRun } from './worldRun.ts';

describe('at rest', () => {
  it('a new label of the release moves no pod', () => {
    const run = installed();
    const { pods } = run.world;
    run.world.edit((before) => ({ ...before, release: 'spring' }));
    run.run(2000);
    expect(run.world.status).toMatchObject({
      phase: 'Healthy',
      stableRevision: { release: 'spring' },
      updateRevision: { release: 'spring', hash: run.world.status.stableRevision?.hash },
    });
    expect(run.world.pods).toEqual(pods);
  });

  it('says what it lacks where no pods are asked for', () => {
    const run = installed();
    run.world.edit((before) => withReplicas(before, 0));
    run.run(60_000);
    expect(run.world.status).toMatchObject({
      phase: 'Degraded',
      message: 'chat of release 1.0.0 has no pod to send traffic to; set spec.components.chat.replicas to 1 or more',
    });
    expect(waits(run)).toEqual(['PodsNotReady', 'PodsNotReady']);
  });

  it('says what a component lacks that a held spec has no longer: it serves', () => {
    const { world } = installed();
    world.edit(() => ({ ...sampleRelease('1.1.0', undefined, ['realtime']), paused: true }));
    const snapshot = world.snapshot();
    const pods = snapshot.pods.filter(({ component }) => component !== 'chat');
    expect(plan({ ...snapshot, pods }, world.now).status.blockedBy).toMatchObject([
      { reason: 'SpecPaused' },
      { reason: 'PodsNotReady', message: 'chat of release 1.0.0: 0 of 1 pods ready' },
    ]);
  });

  it('says that the gateway refuses a route that it had accepted', () => {
    const { world } = installed();
    const snapshot = world.snapshot();
    const refused = { kind: 'Refused', reason: 'NotAllowedByListeners', message: 'closed' } as const;
    const [chat, ...others] = snapshot.routes;
    const { status } = plan({ ...snapshot, routes: [{ ...chat!, acceptance: refused }, ...others] }, world.now);
    expect(status.blockedBy).toMatchObject([
      { reason: 'RouteNotAccepted', message: expect.stringContaining('NotAllowedByListeners: closed') as string },
    ]);
  });
});

describe('drain', () => {
  it('takes no pod away that still accepts sessions, even if it has none', () => {
    const run = installed(canary(), { arriveEveryMs: 0 });
    run.world.edit((before) => withReplicas(before, 4));
    run.run(5000);
    run.world.edit((before) => withReplicas(before, 2));
    run.run(5000);
    expect(podsOf(run, 'chat')).toHaveLength(2);
    expect(run.log.filter((line) => line.includes('DrainPod'))).toHaveLength(4);
    expect(run.violations).toEqual([]);
  });

  it('ends at the deadline whoever is still there, and says how many', () => {
    const run = installed(canary([{ setWeight: 50 }]), { leaveEveryMs: 0 });
    release(run, '1.1.0');
    run.run(8000);
    expect(run.world.status.draining).toMatchObject([{ component: 'chat', forced: false }, { component: 'realtime' }]);
    expect(condition(run, 'Draining')).toMatchObject({ status: 'True', reason: 'SessionsOpen' });
    run.run(25_000);
    expect(run.world.status.draining).toBeUndefined();
    expect(run.told.filter((line) => line.startsWith('DrainForced'))).toHaveLength(2);
    expect(run.violations).toEqual([]);
  });

  it.each([
    ['a retired revision', (run: WorldRun): void => release(run, '1.1.0')],
    ['a deletion', (run: WorldRun): void => run.world.delete()],
  ])('of %s does not run in circles when the deadline passes and nobody follows the Deployment', (_, begin) => {
    const run = installed(canary([{ setWeight: 50 }]), { leaveEveryMs: 0 });
    begin(run);
    run.run(8000);
    const drains = run.world.snapshot().workloads.filter(({ drain }) => drain !== null);
    expect(drains.length).toBeGreaterThan(0);
    const late = Math.max(...drains.map(({ drain }) => drain?.deadline ?? 0));
    const { lookAgainAt } = plan(unfollowed(run.world.snapshot()), late);
    expect(lookAgainAt ?? Infinity).toBeGreaterThan(late);
  });

  it('without an admin port goes by time alone, and a condition says so', () => {
    const run = installed(canary([{ setWeight: 50 }]));
    const deaf = (snapshot: Snapshot): Snapshot => ({
      ...snapshot,
      pods: snapshot.pods.map((pod) => ({ ...pod, sessions: { kind: 'unsupported' } })),
    });
    const see = run.world.snapshot.bind(run.world);
    run.world.snapshot = () => deaf(see());
    release(run, '1.1.0');
    run.run(8000);
    expect(condition(run, 'Draining')).toMatchObject({ status: 'True', reason: 'DrainByTime' });
    expect(run.log.some((line) => line.includes('DrainPod'))).toBe(false);
    run.run(10_000);
    expect(run.world.status.draining).toHaveLength(2);
    run.run(20_000);
    expect(run.world.status.draining).toBeUndefined();
  });
});

describe('what is missing', () => {
  it('a ConfigMap that does not exist holds the first release, and the ones after it', () => {
    const world = new World(sampleRelease('1.0.0'));
    world.edit((before) => ({
      ...before,
      components: Object.fromEntries(
        Object.entries(before.components).map(([name, component]) => [
          name,
          { ...component, envFrom: [{ configMapRef: { name: 'settings' } }] },
        ]),
      ),
    }));
    const run = new WorldRun(world);
    run.run(3000);
    expect(waits(run)).toEqual(['ReferenceMissing']);
    world.references['ConfigMap/settings'] = 'v1';
    run.settle();
    run.run(5000);
    expect(world.status.phase).toBe('Healthy');
    world.references['ConfigMap/settings'] = 'v2';
    run.settle();
    expect(world.status.updateRevision?.hash).not.toBe(world.status.stableRevision?.hash);
  });

  it('a Deployment of stable that somebody deleted is made again', () => {
    const run = installed();
    const [name] = [...run.world.workloads.keys()];
    run.disturbed = true;
    run.world.workloads.delete(name!);
    run.settle();
    expect([...run.world.workloads.keys()]).toContain(name);
  });

  it('a route that somebody changed is put right', () => {
    const run = installed();
    const route = run.world.routes.get('chat')!;
    route.intent = { ...route.intent, backends: route.intent.backends.map((backend) => ({ ...backend, weight: 7 })) };
    run.settle();
    expect(run.world.routes.get('chat')?.intent.backends).toMatchObject([{ weight: 100 }]);
  });
});

it('the plan is pure: the same snapshot and time give the same plan, and the snapshot is left alone', () => {
  const run = installed();
  release(run, '1.1.0');
  const snapshot = run.world.snapshot();
  const copy = structuredClone(snapshot);
  const freeze = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  };
  freeze(snapshot);
  expect(plan(snapshot, run.world.now)).toEqual(plan(copy, run.world.now));
});

it('fields that this version does not carry out are named in a condition', () => {
  const run = installed();
  expect(condition(run, 'FieldsIgnored')).toBeUndefined();
  run.world.edit((before) => ({ ...before, slo: { availability: 0.999, latencyP95Ms: null } }));
  run.run(1000);
  expect(condition(run, 'FieldsIgnored')).toMatchObject({
    status: 'True',
    message: 'this version does not carry out spec.slo',
  });
  const flag = {
    ...{ feature: 'new-prompt', environment: 'production', stickiness: 'userId' },
    ...({ follow: 'Weight', onRollback: 'Restore', killSwitch: 'None' } as const),
  };
  const autoscaling = { ...{ min: 2, max: 4, metrics: [] }, drainTimeoutMs: 60_000, freezeDuringRollout: true };
  run.world.edit((before) => ({
    ...before,
    components: { ...before.components, chat: { ...before.components['chat']!, autoscaling } },
    flags: [flag],
    slo: null,
  }));
  run.run(1000);
  expect(condition(run, 'FieldsIgnored')?.message).toBe(
    'this version does not carry out spec.components.chat.autoscaling (2 pods run, its min), spec.flags',
  );
  run.world.edit((before) => ({
    ...before,
    components: { ...before.components, chat: { ...before.components['chat']!, autoscaling: null } },
    flags: [],
  }));
  run.run(1000);
  expect(condition(run, 'FieldsIgnored')).toMatchObject({ status: 'False' });
});

it('replaces a first release of which nothing but the name was stored', () => {
  const run = new WorldRun(new World(sampleRelease('1.0.0')));
  // The finalizer, then the first status, and no record yet.
  for (let looks = 0; looks < 2; looks++) {
    const snapshot = run.world.snapshot();
    const [first] = plan(snapshot, run.world.now).writes;
    if (first !== undefined) run.world.write(first, snapshot);
  }
  expect(run.world.status.updateRevision?.release).toBe('1.0.0');
  expect(run.world.records.size).toBe(0);
  release(run, '1.1.0');
  run.run(10_000);
  expect(run.world.status).toMatchObject({ phase: 'Healthy', stableRevision: { release: '1.1.0' } });
});
