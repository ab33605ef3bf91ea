// The first deployment, where it does not go straight.
import { describe, expect, it } from 'vitest';
import { plan } from './plan.ts';
import { sampleRelease, withReplicas, withVersion } from './releases.ts';
import { targetOf } from './revision.ts';
import { World } from './world.ts';
import { WorldRun } from './worldRun.ts';
import { FINALIZER } from '@assistant-platform/api';
import { NOW, podOf, recordOf, routeOf, snapshotOf, withStatus } from './worldSituations.ts';

it('is not done while the routes carry another revision, though these are accepted', () => {
  const release = sampleRelease('1.0.0');
  const target = targetOf(release, {});
  if (target.kind !== 'Known') throw new Error('the sample release refers to nothing');
  const { hash } = target;
  const components = ['chat', 'realtime'];
  const snapshot = snapshotOf(
    {
      records: [recordOf(hash, components)],
      pods: [0, 1].flatMap((n) => components.map((component) => podOf(hash, component, { name: `${component}-${n}` }))),
      routes: components.map((component) => routeOf(component, { other: 100 })),
    },
    release,
  );
  const status = { updateRevision: { hash, release: '1.0.0' }, weight: { requested: 100, routed: 0 } };
  const { subject } = withStatus(snapshot, status);
  const { status: next } = plan({ ...snapshot, subject: { ...subject, finalizers: [FINALIZER] } }, NOW);
  expect(next.stableRevision).toBeUndefined();
  expect(next.blockedBy).toMatchObject([{ reason: 'RouteUpdating', message: 'the routes are being written' }]);
});

describe('another release in the middle of the first', () => {
  const started = (ms: number, components = ['chat', 'realtime']): WorldRun => {
    const run = new WorldRun(new World(sampleRelease('1.0.0', undefined, components)));
    run.run(ms);
    run.world.edit((before) => withVersion(before, '1.1.0'));
    run.run(20_000);
    expect(run.violations).toEqual([]);
    return run;
  };

  describe.each([[['chat', 'realtime']], [['chat']]])('of %j', (components) => {
    it('takes its place while that is not there yet', () => {
      const run = started(300, components);
      expect(run.told).toContain('RolloutSuperseded: 1.1.0 replaces 1.0.0, which was not installed yet');
      expect(run.world.status.history?.map(({ release }) => release)).toEqual(['1.1.0']);
    });

    it('comes after it when that is about to serve', () => {
      const run = started(700, components);
      expect(run.world.status.history?.map(({ release }) => release)).toEqual(['1.1.0', '1.0.0']);
    });
  });

  it('has the next number: the first is 1', () => {
    const { records } = started(700).world;
    expect([...records.values()].map(({ release, sequence }) => `${release} ${sequence}`)).toEqual([
      '1.0.0 1',
      '1.1.0 2',
    ]);
  });
});

describe('a first release that is held by the person', () => {
  const said = (run: WorldRun) => run.world.status.blockedBy?.map(({ reason, message }) => `${reason}: ${message}`);

  it('waits to begin while the spec is paused, however long, and then is installed', () => {
    const run = new WorldRun(new World({ ...sampleRelease('1.0.0'), paused: true }));
    run.run(3_600_000, 5000);
    expect(run.world.status.phase).toBe('Paused');
    expect(said(run)).toEqual(['SpecPaused: spec.paused is true: 1.0.0 waits to be installed']);
    expect(run.world.pods).toEqual([]);
    run.world.edit((before) => ({ ...before, paused: false }));
    run.run(10_000);
    expect(run.world.status).toMatchObject({ phase: 'Healthy', stableRevision: { release: '1.0.0' } });
  });

  it('that is paused while its pods come up gets no route, and says why', () => {
    const run = new WorldRun(new World(sampleRelease('1.0.0')));
    run.run(200);
    run.world.edit((before) => ({ ...before, paused: true }));
    run.run(60_000);
    expect(said(run)).toEqual(['SpecPaused: spec.paused is true; set it to false to go on']);
    expect(run.world.routes.size).toBe(0);
    run.world.edit((before) => ({ ...before, paused: false }));
    run.run(10_000);
    expect(run.world.status.phase).toBe('Healthy');
  });

  it('that is paused at any moment of it is told as installed when it serves, and only then', () => {
    const outcomes = new Set<string>();
    for (let ms = 100; ms <= 1500; ms += 50) {
      const run = new WorldRun(new World(sampleRelease('1.0.0')));
      run.run(ms);
      expect(run.world.status.stableRevision).toBeUndefined();
      run.world.edit((before) => ({ ...before, paused: true }));
      run.run(10_000);
      const serves = run.world.traffic.size === 2;
      expect([ms, run.world.status.stableRevision?.release]).toEqual([ms, serves ? '1.0.0' : undefined]);
      outcomes.add(serves ? 'installed' : 'held');
    }
    expect([...outcomes]).toEqual(['held', 'installed']);
  });

  it('that is paused while its pods come up is not replaced by another one', () => {
    const run = new WorldRun(new World(sampleRelease('1.0.0')));
    run.run(200);
    const names = () => run.world.pods.map(({ name }) => name);
    const before = names();
    run.world.edit((spec) => ({ ...withVersion(spec, '1.1.0'), paused: true }));
    run.run(60_000);
    expect(said(run)).toEqual(['SpecPaused: spec.paused is true: 1.1.0 waits to begin']);
    expect(names()).toEqual(before);
    run.world.edit((spec) => ({ ...spec, paused: false }));
    run.run(20_000);
    expect(run.world.status).toMatchObject({ phase: 'Healthy', stableRevision: { release: '1.1.0' } });
  });

  it('that asks for no pods says what to set', () => {
    const run = new WorldRun(new World(withReplicas(sampleRelease('1.0.0'), 0)));
    run.run(5000);
    expect(said(run)?.[0]).toBe(
      'PodsNotReady: chat of release 1.0.0 has no pod to send traffic to; set spec.components.chat.replicas to 1 or more',
    );
    run.world.edit((before) => withReplicas(before, 2));
    run.run(10_000);
    expect(run.world.status.phase).toBe('Healthy');
  });
});
