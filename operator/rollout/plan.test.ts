// Single situations, each with what a person sees of it. The schedules are in invariants.property.test.ts and killpoints.test.ts.
import { VERBS } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import { blueGreen, canary, sampleRelease, withReplicas, withStrategy, withVersion } from './releases.ts';
import { plan } from './plan.ts';
import type { Snapshot } from './snapshot.ts';
import { World } from './world.ts';
import type { WorldOptions } from './worldObjects.ts';
import { WorldRun } from './worldRun.ts';

function installed(strategy = canary(), options: Partial<WorldOptions> = {}): WorldRun {
  const run = new WorldRun(new World(sampleRelease('1.0.0', strategy), options));
  run.run(8000);
  expect(run.world.status.phase).toBe('Healthy');
  return run;
}

/** As when the controllers of the Deployments are down: what was asked of them last has not happened. */
const unfollowed = (snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  workloads: snapshot.workloads.map((workload) => ({ ...workload, podCount: -1 })),
});
const release = (run: WorldRun, version: string): void => run.world.edit((before) => withVersion(before, version));
const waits = (run: WorldRun): string[] => (run.world.status.blockedBy ?? []).map(({ reason }) => reason);
const condition = (run: WorldRun, type: string) => run.world.status.conditions?.find((each) => each.type === type);
const podsOf = (run: WorldRun, component: string) => run.world.pods.filter((pod) => pod.component === component);
const share = (run: WorldRun, component: string): number | undefined =>
  run.world.routes
    .get(component)
    ?.intent.backends.find(({ revision }) => revision === run.world.status.updateRevision?.hash)?.weight;

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

describe('a canary', () => {
  it('may begin with a single percent', () => {
    const run = installed(canary([{ setWeight: 1 }, { pause: {} }]));
    release(run, '1.1.0');
    run.run(10_000);
    expect(share(run, 'chat')).toBe(1);
    expect(run.world.status.weight).toMatchObject({ requested: 1, routed: 1 });
  });

  it('has as many pods as its share asks for before it gets the share', () => {
    const run = installed(canary([{ setWeight: 30 }, { pause: {} }]));
    run.world.edit((before) => withReplicas(before, 4));
    run.run(5000);
    release(run, '1.1.0');
    run.run(6000);
    const { hash } = run.world.status.updateRevision!;
    expect(podsOf(run, 'chat').filter((pod) => pod.revision === hash)).toHaveLength(2);
    expect(share(run, 'chat')).toBe(30);
    expect(run.violations).toEqual([]);
  });

  it('waits at a pause without duration until promoted, and says so', () => {
    const run = installed(canary([{ setWeight: 20 }, { pause: {} }]));
    release(run, '1.1.0');
    run.run(60_000);
    expect(run.world.status).toMatchObject({
      phase: 'Paused',
      step: { index: 1, count: 2 },
      weight: { requested: 20, routed: 20 },
    });
    expect(run.world.status.blockedBy).toMatchObject([
      { reason: 'CanaryPauseStep', message: 'pause until promoted at 20 %' },
    ]);
    expect(condition(run, 'Ready')).toMatchObject({ status: 'False' });
    run.world.annotate({ [VERBS.promote]: 'step' });
    run.run(10_000);
    expect(run.world.status.stableRevision?.release).toBe('1.1.0');
    expect(run.world.annotations[VERBS.promote]).toBeUndefined();
  });

  it.each([
    ['setFlag', { setFlag: { feature: 'new-memory', rollout: 5 } }],
    ['chaos', { chaos: { experiment: 'pod-kill' } }],
  ])('never skips a step that this version cannot carry out: %s', (what, step) => {
    const run = installed(canary([{ setWeight: 10 }, step]));
    release(run, '1.1.0');
    run.run(600_000, 1000);
    expect(run.world.status.blockedBy).toMatchObject([
      { reason: 'StepKindNotSupported', message: expect.stringContaining(what) as string },
    ]);
    expect(run.world.status).toMatchObject({ weight: { routed: 10 }, step: { index: 1 } });
    run.world.annotate({ [VERBS.promote]: 'step' });
    run.run(10_000);
    expect(run.world.status.stableRevision?.release).toBe('1.1.0');
  });

  it('with an image that cannot be had holds, says why, and is aborted by the deadline; stable keeps all traffic', () => {
    const run = installed();
    run.world.brokenImages.add('localhost/assistant/realtime:1.1.0');
    release(run, '1.1.0');
    run.run(10_000);
    expect(waits(run)).toEqual(['ImagePullBackOff']);
    expect(run.world.status.blockedBy?.[0]?.message).toContain(
      'realtime of release 1.1.0: 0 of 1 pods ready; ImagePullBackOff',
    );
    expect(share(run, 'chat')).toBeUndefined();
    run.run(60_000);
    expect(run.world.status).toMatchObject({ phase: 'Degraded', abort: { by: 'Deadline' } });
    expect(condition(run, 'Progressing')).toMatchObject({ status: 'False', reason: 'RolloutAborted' });
    expect(run.violations).toEqual([]);
  });

  it('with abortOnDeadline false reports the deadline and goes on waiting', () => {
    const run = installed({ ...canary(), abortOnDeadline: false });
    run.world.brokenImages.add('localhost/assistant/chat:1.1.0');
    release(run, '1.1.0');
    run.run(70_000);
    run.world.annotate({ note: 'look again' });
    run.settle();
    expect(run.world.status.abort).toBeUndefined();
    expect(condition(run, 'Degraded')).toMatchObject({ status: 'True', reason: 'ProgressDeadlineExceeded' });
  });

  it('does not advance while the gateway has not accepted the route, whatever time passes, and says so', () => {
    const run = installed(canary([{ setWeight: 20 }, { pause: {} }]));
    run.world.gatewayStalled = true;
    release(run, '1.1.0');
    run.run(30_000);
    expect(share(run, 'chat')).toBe(20);
    expect(run.world.status).toMatchObject({ step: { index: 0 }, weight: { requested: 20, routed: 0 } });
    expect(waits(run)).toEqual(['RouteNotAccepted']);
    run.world.gatewayStalled = false;
    run.run(3000);
    expect(run.world.status).toMatchObject({ step: { index: 1 }, weight: { routed: 20 } });
    expect(run.violations).toEqual([]);
  });

  it('[R-305] loses all its pods: no weight without pods, and it comes back when they do', () => {
    const run = installed(canary([{ setWeight: 20 }, { pause: {} }]));
    release(run, '1.1.0');
    run.run(8000);
    run.disturbed = true;
    const { hash } = run.world.status.updateRevision!;
    const victim = run.world.pods.findIndex((pod) => pod.revision === hash && pod.component === 'chat');
    run.world.killPod(victim);
    run.run(100);
    expect([share(run, 'chat'), share(run, 'realtime')]).toEqual([0, 0]);
    run.run(5000);
    expect([share(run, 'chat'), share(run, 'realtime')]).toEqual([20, 20]);
  });

  it('aborted by a person: one route change, the spec left alone, the pods drained, and nothing more until a person acts', () => {
    const run = installed(canary([{ setWeight: 20 }, { pause: {} }]));
    release(run, '1.1.0');
    run.run(8000);
    run.log.length = 0;
    run.world.annotate({ [VERBS.abort]: 'wrong answers' });
    run.run(60_000);
    const changes = run.log
      .filter((line) => line.includes(' route chat '))
      .map((line) => line.split(' route chat ')[1]);
    const { stableRevision, updateRevision } = run.world.status;
    expect(share(run, 'chat')).toBeUndefined(); // drained, so that not even its weight of 0 is left
    expect(changes[0]).toContain(`${updateRevision?.hash}:0`);
    expect(changes[0]).toContain(`${stableRevision?.hash}:100`);
    expect(run.world.release.release).toBe('1.1.0');
    expect(run.world.status).toMatchObject({
      phase: 'Degraded',
      weight: { requested: 0, routed: 0 },
      abort: { by: 'User', reason: 'wrong answers' },
    });
    expect(run.world.pods.map((pod) => pod.revision)).not.toContain(updateRevision?.hash);
    run.log.length = 0;
    run.run(600_000, 1000);
    expect(run.log).toEqual([]);
    expect(run.violations).toEqual([]);
  });

  it('retries an aborted release once traffic is known to be back', () => {
    const run = installed(canary([{ setWeight: 20 }, { pause: {} }]));
    release(run, '1.1.0');
    run.run(8000);
    run.world.gatewayStalled = true;
    run.world.annotate({ [VERBS.abort]: 'wrong answers' });
    run.run(1000);
    run.world.annotate({ [VERBS.retry]: '' });
    run.run(10_000);
    expect(run.world.status).toMatchObject({ abort: { by: 'User' }, weight: { requested: 0 } });
    run.world.gatewayStalled = false;
    run.run(20_000);
    expect(run.world.status).toMatchObject({ phase: 'Paused', weight: { requested: 20, routed: 20 } });
    expect(run.violations).toEqual([]);
  });

  it('gives the others the weight that one component carries already, when it is paused between the two', () => {
    const run = installed(canary([{ setWeight: 20 }, { pause: {} }]));
    release(run, '1.1.0');
    for (let looks = 0; looks < 100 && share(run, 'chat') !== 20; looks++) {
      run.world.advance(50);
      const snapshot = run.world.snapshot();
      const { writes } = plan(snapshot, run.world.now);
      // Killed right after the route of chat.
      const last = writes.findIndex((write) => write.kind === 'WriteRoute' && write.intent.component === 'chat');
      for (const write of last < 0 ? writes : writes.slice(0, last + 1)) run.world.write(write, snapshot);
    }
    expect(share(run, 'chat')).toBe(20);
    expect(share(run, 'realtime') ?? 0).toBe(0);
    run.world.edit((before) => ({ ...before, paused: true }));
    run.run(20_000);
    expect([share(run, 'chat'), share(run, 'realtime')]).toEqual([20, 20]);
    expect(run.violations).toEqual([]);
  });

  it('does not begin while the spec is paused, and holds where it is', () => {
    const run = installed(canary([{ setWeight: 20 }]));
    run.world.edit((before) => ({ ...withVersion(before, '1.1.0'), paused: true }));
    run.run(30_000);
    expect([run.world.status.phase, waits(run)]).toEqual(['Paused', ['SpecPaused']]);
    expect(run.world.workloads.size).toBe(2);
    run.world.edit((before) => ({ ...before, paused: false }));
    run.run(2500);
    run.world.edit((before) => ({ ...before, paused: true }));
    const carried = share(run, 'chat');
    run.run(60_000);
    expect([share(run, 'chat'), run.world.status.weight?.routed]).toEqual([carried, carried]);
    expect(run.world.status.stableRevision?.release).toBe('1.0.0');
  });

  it('held by spec.paused does not make way for another release, but for stable', () => {
    const run = installed(canary([{ setWeight: 50 }, { pause: {} }]));
    release(run, '1.1.0');
    run.run(20_000);
    run.world.edit((before) => ({ ...withVersion(before, '1.2.0'), paused: true }));
    run.run(30_000);
    expect(run.world.status).toMatchObject({ weight: { routed: 50 }, updateRevision: { release: '1.1.0' } });
    expect(run.world.status.blockedBy?.[0]).toMatchObject({
      reason: 'SpecPaused',
      message: 'spec.paused is true: 1.2.0 waits to begin',
    });
    run.world.edit((before) => withVersion(before, '1.0.0'));
    run.run(30_000);
    expect(run.world.status).toMatchObject({ stableRevision: { release: '1.0.0' }, weight: { routed: 100 } });
    expect(run.violations).toEqual([]);
  });

  it('passes no gate by an approval of steps that were edited meanwhile, though they are the same again', () => {
    const steps = canary([{ setWeight: 10 }, { pause: {} }, { setWeight: 50 }, { pause: {} }]);
    const run = installed(steps);
    release(run, '1.1.0');
    run.run(20_000);
    run.world.annotate({ [VERBS.promote]: 'step' });
    run.run(20_000);
    expect(run.world.status).toMatchObject({ phase: 'Paused', step: { index: 3 } });
    run.world.edit((before) => withStrategy(before, canary([{ setWeight: 20 }, { pause: {} }])));
    run.run(10_000);
    run.world.edit((before) => withStrategy(before, steps));
    run.run(30_000);
    expect(run.world.status).toMatchObject({ phase: 'Paused', step: { index: 1 } });
  });

  it('that is aborted keeps its record although none is to be remembered', () => {
    const run = installed(canary([{ setWeight: 50 }, { pause: {} }]));
    run.world.edit((before) => ({ ...withVersion(before, '1.1.0'), revisionHistoryLimit: 0 }));
    run.run(20_000);
    run.world.annotate({ [VERBS.abort]: 'bad' });
    run.run(60_000);
    const quiet = run.log.length;
    run.run(60_000, 1000);
    expect(run.log.length).toBe(quiet);
    expect(run.world.status).toMatchObject({ phase: 'Degraded', abort: { by: 'User' } });
    expect(run.violations).toEqual([]);
  });

  it('back to a revision of the window skips the steps', () => {
    const run = installed(canary([{ setWeight: 20 }, { pause: {} }]));
    release(run, '1.1.0');
    run.run(6000);
    run.world.annotate({ [VERBS.promote]: 'full' });
    run.run(30_000);
    expect(run.world.status.history?.[0]).toMatchObject({ release: '1.1.0', outcome: 'FastPromoted' });
    release(run, '1.0.0');
    run.run(10_000);
    expect(run.world.status).toMatchObject({
      stableRevision: { release: '1.0.0' },
      history: [{ outcome: 'FastPromoted' }, {}, {}],
    });
    // So does the way to one that was promoted without its steps.
    release(run, '1.1.0');
    run.run(10_000);
    expect(run.world.status.stableRevision).toMatchObject({ release: '1.1.0' });
  });

  it('edited steps start at the first one, at the weight reached', () => {
    const run = installed(canary([{ setWeight: 40 }, { pause: {} }]));
    release(run, '1.1.0');
    run.run(8000);
    run.world.edit((before) => withStrategy(before, canary([{ setWeight: 10 }, { pause: {} }, { setWeight: 60 }])));
    run.run(8000);
    expect(run.world.status).toMatchObject({ step: { index: 1, count: 3 }, weight: { requested: 40, routed: 40 } });
    expect(run.violations).toEqual([]);
  });
});

describe('a release in the middle of another', () => {
  /** The weights of 1.1.0 on its way back from 60 %, after 1.2.0 was released. */
  function wayBack(then: (run: WorldRun) => void): string[] {
    const run = installed(canary([{ setWeight: 60 }, { pause: {} }]));
    release(run, '1.1.0');
    run.run(8000);
    const hash = run.world.status.updateRevision?.hash ?? '';
    run.log.length = 0;
    release(run, '1.2.0');
    run.settle();
    then(run);
    run.run(20_000);
    expect(run.violations).toEqual([]);
    const weights = run.log.flatMap((line) => new RegExp(` route chat .*${hash}:(\\d+)`).exec(line)?.[1] ?? []);
    // Once at 0 the route is written for other reasons.
    return weights.filter((weight, index) => weight !== weights[index - 1]);
  }

  it('takes the first one back step by step', () => {
    expect(wayBack(() => undefined)).toEqual(['50', '25', '10', '0']);
  });

  it.each(['1.0.0', '1.2.0'])('asked for again while it makes way for %s, starts at its first step', (other) => {
    const steps = [{ setWeight: 20 }, { pause: {} }, { setWeight: 60 }, { pause: {} }];
    const run = installed(canary(steps));
    release(run, '1.1.0');
    run.run(8000);
    run.world.annotate({ [VERBS.promote]: 'step' });
    run.run(8000);
    expect(run.world.status).toMatchObject({ step: { index: 3 }, weight: { requested: 60, routed: 60 } });
    run.world.gatewayStalled = true;
    release(run, other);
    run.run(200);
    expect(run.world.status.weight?.requested).toBeLessThan(60);
    release(run, '1.1.0');
    run.world.gatewayStalled = false;
    run.run(10_000);
    expect(run.world.status).toMatchObject({ phase: 'Paused', step: { index: 1 } });
    expect(run.world.status.weight).toMatchObject({ requested: other === '1.0.0' ? 20 : 50 });
    expect(run.violations).toEqual([]);
  });

  it('behind its last step and on its way back, is not declared stable when it is asked for again', () => {
    const run = installed(canary([{ setWeight: 50 }]));
    release(run, '1.1.0');
    run.settle();
    while (run.world.status.weight?.requested !== 100) run.run(100);
    expect(run.world.status).toMatchObject({
      stableRevision: { release: '1.0.0' },
      updateRevision: { release: '1.1.0' },
    });
    run.world.gatewayStalled = true;
    release(run, '1.0.0');
    run.run(200);
    expect(run.world.status).toMatchObject({ weight: { requested: 0 } });
    release(run, '1.1.0');
    run.world.gatewayStalled = false;
    run.run(20_000);
    expect([run.world.status.stableRevision?.release, run.violations]).toEqual(['1.1.0', []]);
  });

  it('takes it back at once when a person aborts', () => {
    expect(wayBack((run) => run.world.annotate({ [VERBS.abort]: 'bad' }))).toEqual(['50', '0']);
  });
});

describe('blue-green', () => {
  it('with autoPromote false waits at the preview', () => {
    const run = installed(blueGreen({ autoPromote: false }));
    release(run, '1.1.0');
    run.run(60_000);
    expect([run.world.status.phase, waits(run)]).toEqual(['Paused', ['BlueGreenPause']]);
    expect([...run.world.services.keys()]).toContain('support-chat-preview');
    const { hash } = run.world.status.updateRevision!;
    expect(run.world.routes.get('chat')?.intent.byHeader.map(({ revision }) => revision)).toContain(hash);
    expect(podsOf(run, 'chat').filter((pod) => pod.revision === hash)).toHaveLength(2);
  });

  it('keeps the preview reachable by header while its pods restart', () => {
    const run = installed(blueGreen({ autoPromote: false }));
    release(run, '1.1.0');
    run.run(8000);
    const { hash } = run.world.status.updateRevision!;
    run.view = (snapshot) => ({
      ...snapshot,
      pods: snapshot.pods.map((pod) => (pod.revision === hash ? { ...pod, ready: false } : pod)),
    });
    run.world.annotate({ note: 'look' });
    run.run(5000);
    expect(run.world.routes.get('chat')?.intent.byHeader.map(({ revision }) => revision)).toContain(hash);
  });

  it('keeps the old set untouched for a while: going back then needs no new pods', () => {
    const run = installed(blueGreen({ scaleDownDelay: '30s' }));
    const before = run.world.pods.map(({ name }) => name);
    release(run, '1.1.0');
    run.run(8000);
    expect(run.world.status.stableRevision?.release).toBe('1.1.0');
    expect(run.world.pods.map(({ name }) => name)).toEqual(expect.arrayContaining(before));
    release(run, '1.0.0');
    run.run(3000);
    expect(run.world.status.stableRevision?.release).toBe('1.0.0');
    expect(run.world.pods.filter(({ name }) => before.includes(name))).toHaveLength(4);
    expect(run.violations).toEqual([]);
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

describe('contents that a revision refers to', () => {
  const reading = (run: WorldRun): void => {
    run.world.edit((before) => ({
      ...before,
      components: Object.fromEntries(
        Object.entries(before.components).map(([name, component]) => [
          name,
          { ...component, envFrom: [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'keys' } }] },
        ]),
      ),
    }));
  };
  const names = (run: WorldRun): string[] => [...run.world.copies.keys()].sort();
  const hashOf = (run: WorldRun): string => run.world.status.stableRevision?.hash ?? '';
  const template = (run: WorldRun, hash: string): string => JSON.stringify(run.world.records.get(hash)?.components);

  function started(): WorldRun {
    const run = installed();
    Object.assign(run.world.references, { 'ConfigMap/settings': 'one', 'Secret/keys': 'k1' });
    reading(run);
    run.run(30_000);
    expect(run.world.status.phase).toBe('Healthy');
    return run;
  }

  /** Somebody edits the ConfigMap, and half a minute passes. */
  function writeSettings(run: WorldRun, content: string): void {
    run.world.references['ConfigMap/settings'] = content;
    run.world.annotate({ note: 'the ConfigMap changed' });
    run.run(30_000);
  }

  it('are copied for it, and its pods read the copies', () => {
    const run = started();
    const hash = hashOf(run);
    expect(names(run)).toEqual([`ConfigMap/support-${hash}-settings`, `Secret/support-${hash}-keys`]);
    expect(template(run, hash)).toContain(`support-${hash}-settings`);
    expect(template(run, hash)).not.toContain('"settings"');
  });

  it('changed are another revision; going back finds the old contents where they were', () => {
    const run = started();
    const first = hashOf(run);
    writeSettings(run, 'two');
    const second = hashOf(run);
    expect(second).not.toBe(first);
    expect(names(run)).toHaveLength(4);
    writeSettings(run, 'one');
    expect(hashOf(run)).toBe(first);
    expect(names(run)).toHaveLength(4);
    expect(run.violations).toEqual([]);
  });

  it('[R-298] are what they were after an undo, whatever the originals hold by now', () => {
    const run = started();
    const first = hashOf(run);
    writeSettings(run, 'two');
    const second = hashOf(run);
    run.world.annotate({ [VERBS.undo]: first });
    run.run(90_000);
    expect(hashOf(run)).toBe(first);
    expect(run.told).toContain(`VerbTaken: undo taken: revision ${first} (1.0.0) with the contents that it had`);
    expect(run.world.pods.every((pod) => pod.revision === first)).toBe(true);
    const quiet = run.log.length;
    run.run(120_000, 1000);
    expect(run.log.length).toBe(quiet);
    // A restart would read the originals: it is answered.
    run.world.annotate({ [VERBS.restart]: '2026-01-31T12:00:00Z' });
    run.run(10_000);
    expect(run.told.at(-1)).toContain('give them these contents first');
    expect(hashOf(run)).toBe(first);
    // An edit of the contents is a release again, and so is the one that goes back to those of before.
    writeSettings(run, 'three');
    expect([first, second]).not.toContain(hashOf(run));
    writeSettings(run, 'two');
    expect(hashOf(run)).toBe(second);
    expect(run.violations).toEqual([]);
  });

  it('of an undo in mid-rollout are those of stable: all traffic returns at once', () => {
    const run = started();
    const first = hashOf(run);
    run.world.references['ConfigMap/settings'] = 'two';
    run.world.edit((before) => withStrategy(before, canary([{ setWeight: 50 }, { pause: {} }])));
    run.run(20_000);
    expect(run.world.status).toMatchObject({ phase: 'Paused', weight: { routed: 50 } });
    run.world.annotate({ [VERBS.undo]: first });
    run.run(20_000);
    expect(run.world.status).toMatchObject({ phase: 'Healthy', stableRevision: { hash: first } });
    expect(run.violations).toEqual([]);
  });

  it('are not restored by an undo to a revision that is not recorded, or of another spec; it is answered', () => {
    const run = started();
    const first = hashOf(run);
    run.world.annotate({ [VERBS.undo]: 'abcdef01' });
    run.run(5000);
    expect(run.told.at(-1)).toBe('VerbTaken: no undo: there is no record of revision abcdef01');
    release(run, '2.0.0');
    run.run(60_000);
    run.world.annotate({ [VERBS.undo]: first });
    run.run(5000);
    expect(run.told.at(-1)).toBe(`VerbTaken: no undo: the spec is not that of revision ${first}`);
    expect(run.world.annotations[VERBS.undo]).toBeUndefined();
    expect(run.world.status.stableRevision?.release).toBe('2.0.0');
  });

  it('that are gone hold a rollout that is under way, and one that was aborted says it, too', () => {
    const run = started();
    run.world.edit((before) => withStrategy(before, canary([{ setWeight: 50 }, { pause: { duration: '10s' } }])));
    release(run, '2.0.0');
    run.run(8000);
    delete run.world.references['ConfigMap/settings'];
    run.world.annotate({ note: 'the ConfigMap is gone' });
    run.run(60_000);
    expect(run.world.status).toMatchObject({
      weight: { routed: 50 },
      blockedBy: [{ reason: 'ReferenceMissing', message: expect.stringContaining('ConfigMap/settings') as string }],
    });
    run.world.annotate({ [VERBS.abort]: 'enough' });
    run.run(20_000);
    expect(run.world.status.blockedBy?.map(({ reason }) => reason)).toEqual(['Aborted', 'ReferenceMissing']);
    run.world.references['ConfigMap/settings'] = 'one';
    run.world.annotate({ [VERBS.retry]: '' });
    run.run(60_000);
    expect(run.world.status.stableRevision?.release).toBe('2.0.0');
    expect(run.violations).toEqual([]);
  });

  it('are forgotten with their revision, and all gone with the AssistantDeployment', () => {
    const run = started();
    const first = hashOf(run);
    for (const version of ['2.0.0', '3.0.0', '4.0.0', '5.0.0']) {
      release(run, version);
      run.run(60_000, 250);
    }
    expect(run.world.records.has(first)).toBe(false);
    expect(names(run).some((name) => name.includes(first))).toBe(false);
    expect(names(run).length).toBe(2 * run.world.records.size);
    run.world.delete();
    run.run(60_000);
    expect([run.world.exists, names(run)]).toEqual([false, []]);
  });

  it('that changed before they were copied make the decision anew', () => {
    const run = installed();
    Object.assign(run.world.references, { 'ConfigMap/settings': 'one', 'Secret/keys': 'k1' });
    reading(run);
    const snapshot = run.world.snapshot();
    run.world.references['ConfigMap/settings'] = 'two';
    const copy = {
      kind: 'CopyReference',
      reference: 'ConfigMap/settings',
      digest: 'one',
      name: 'x',
      revision: 'y',
    } as const;
    expect(() => run.world.write(copy, snapshot)).toThrow('ConfigMap/settings');
    run.run(30_000);
    expect(run.world.status.phase).toBe('Healthy');
  });
});

describe('restart', () => {
  it('replaces all pods of the same spec in a rollout, once, and is history like any other', () => {
    const run = installed();
    const first = run.world.status.stableRevision?.hash;
    run.world.annotate({ [VERBS.restart]: '2026-01-31T12:00:00Z' });
    run.run(1000);
    expect(run.world.annotations[VERBS.restart]).toBeUndefined();
    expect(run.world.status.phase).not.toBe('Healthy');
    run.run(60_000);
    const { stableRevision, history } = run.world.status;
    expect(stableRevision).toMatchObject({ release: '1.0.0' });
    expect(stableRevision?.hash).not.toBe(first);
    expect(run.world.pods.every((pod) => pod.revision === stableRevision?.hash)).toBe(true);
    expect(history?.map(({ outcome }) => outcome)).toEqual(['Promoted', 'Promoted']);
    const quiet = run.log.length;
    run.run(120_000, 1000);
    expect(run.log.length).toBe(quiet);
    expect(run.violations).toEqual([]);
  });

  it('ends with another spec, and the old spec is then the restarted one', () => {
    const run = installed();
    run.world.annotate({ [VERBS.restart]: '2026-01-31T12:00:00Z' });
    run.run(60_000);
    const restarted = run.world.status.stableRevision?.hash;
    release(run, '2.0.0');
    run.run(60_000);
    release(run, '1.0.0');
    run.run(60_000);
    expect(run.world.status.stableRevision?.hash).toBe(restarted);
  });

  it('without a time is answered and changes nothing', () => {
    const run = installed();
    const before = run.world.status.stableRevision?.hash;
    run.world.annotate({ [VERBS.restart]: 'now' });
    run.run(10_000);
    expect(run.told.at(-1)).toContain('"now" is no time; write one such as 2026-01-31T12:00:00Z');
    expect([run.world.status.stableRevision?.hash, run.world.annotations[VERBS.restart]]).toEqual([before, undefined]);
  });
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
  run.world.edit((before) => ({ ...before, slo: null }));
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
