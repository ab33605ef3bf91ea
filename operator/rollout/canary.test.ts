// Canaries, and releases that come in the middle of one: single situations, each with what a person sees of it.
import { VERBS } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import { plan } from './plan.ts';
import { canary, withReplicas, withStrategy, withVersion } from './releases.ts';
import { condition, installed, podsOf, release, share, waits } from './test-rollouts.ts';
import type { WorldRun } from './worldRun.ts';

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

  it('at a single percent makes way for another release, too', () => {
    const run = installed(canary([{ setWeight: 1 }, { pause: {} }]));
    release(run, '1.1.0');
    run.run(8000);
    expect(run.world.status).toMatchObject({ phase: 'Paused', weight: { routed: 1 } });
    release(run, '1.2.0');
    run.run(20_000);
    expect(run.world.status).toMatchObject({ phase: 'Paused', updateRevision: { release: '1.2.0' } });
    expect(run.violations).toEqual([]);
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

  it('that is to be retried while the spec is paused begins when it is not any more', () => {
    const run = installed(canary([{ setWeight: 50 }, { pause: {} }]));
    release(run, '1.1.0');
    run.run(20_000);
    run.world.annotate({ [VERBS.abort]: 'bad' });
    run.world.edit((before) => ({ ...before, paused: true }));
    run.run(60_000);
    const pods = run.world.pods.length;
    run.world.annotate({ [VERBS.retry]: '' });
    run.run(60_000);
    expect(run.world.status).toMatchObject({ phase: 'Degraded', abort: { reason: 'bad' } });
    expect(run.world.status.blockedBy).toMatchObject([
      { reason: 'SpecPaused', message: 'spec.paused is true: 1.1.0 waits to begin again' },
    ]);
    expect(run.world.pods).toHaveLength(pods);
    run.world.edit((before) => ({ ...before, paused: false }));
    run.run(20_000);
    expect(run.world.status).toMatchObject({ phase: 'Paused', weight: { routed: 50 } });
    expect(run.violations).toEqual([]);
  });

  it('ends a pause in time although somebody has taken its begin out of the status', () => {
    const run = installed(canary([{ setWeight: 20 }, { pause: { duration: '1m' } }, { setWeight: 60 }, { pause: {} }]));
    release(run, '1.1.0');
    run.run(20_000);
    expect(waits(run)).toEqual(['CanaryPauseStep']);
    const { pauseConditions, ...rest } = run.world.status;
    expect(pauseConditions).toHaveLength(1);
    run.world.status = rest;
    run.run(60_000);
    expect(run.world.status.step).toMatchObject({ index: 3 });
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
