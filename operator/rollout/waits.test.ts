// One example of every wait: a situation that the decision is blocked in, and what a person reads of it: what was seen, what is needed, since when, and
// when it is looked at again. A reason without an example fails here.
import { VERBS, type CanaryStep, type MetricSpec, type StrategySpec } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import type { Measurement, Reading } from './analysis/measurement.ts';
import { plan } from './plan.ts';
import { withRefusal } from './refusal.ts';
import { blueGreen, canary, sampleRelease, withVersion } from './releases.ts';
import type { Pod } from './snapshot.ts';
import type { BlockedBy } from './state.ts';
import { blockedBy, countsAsStuck, waitingSince, WAIT_REASONS, type Wait, type WaitReason } from './waits.ts';
import { World } from './world.ts';
import type { WorldOptions } from './worldObjects.ts';
import { WorldRun } from './worldRun.ts';

/** What is read at a moment: the entries of blockedBy with their times in milliseconds from then (null: it is not looked at again by time). */
interface Seen {
  readonly waits: readonly { reason: string; message: string; since: number; next: number | null }[];
}

function seen(entries: readonly BlockedBy[] | undefined, now: number): Seen {
  return {
    waits: (entries ?? []).map(({ reason, message, since, nextCheckAt }) => ({
      ...{ reason, message, since: Date.parse(since) - now },
      next: nextCheckAt === undefined ? null : Date.parse(nextCheckAt) - now,
    })),
  };
}

/** What the decision says about the world as it is now, with some pods seen otherwise. */
function look({ world }: WorldRun, change: (pod: Pod) => Partial<Pod> = () => ({})): Seen {
  const snapshot = world.snapshot();
  const pods = snapshot.pods.map((pod) => ({ ...pod, ...change(pod) }));
  return seen(plan({ ...snapshot, pods }, world.now).status.blockedBy, world.now);
}

/** One component, so that there is one wait. */
function begin(strategy: StrategySpec, metrics: MetricSpec[] = [], options: Partial<WorldOptions> = {}): WorldRun {
  return new WorldRun(new World(sampleRelease('1.0.0', strategy, ['chat'], metrics), options));
}

/** 1.0.0 is stable, 1.1.0 has begun. */
function inRollout(strategy: StrategySpec, metrics: MetricSpec[] = []): WorldRun {
  const run = begin(strategy, metrics);
  run.run(8000);
  run.world.edit((before) => withVersion(before, '1.1.0'));
  run.settle();
  return run;
}

/** The pods of the first release do not start, for a reason that Kubernetes gives. */
function troubled(reason: string, message: string): Seen {
  const run = begin(canary());
  run.run(300);
  return look(run, () => ({ trouble: { reason, message } }));
}

const ERRORS: MetricSpec[] = [{ name: 'errors', preset: 'ErrorRate', max: '0.01', minSamples: 50, failureLimit: 9 }];
const ANALYSIS: CanaryStep = { analysis: { metrics: ['errors'], duration: '30s', interval: '10s' } };

const rate = (share: number, trials: number): Reading => ({
  value: share,
  samples: trials,
  evidence: { events: share * trials, trials },
});

/** In an analysis of half a minute that gets these answers, `afterMs` after the release began. */
function analysed(update: Reading | string, afterMs: number): Seen {
  const run = inRollout(canary([{ setWeight: 10 }, ANALYSIS]), ERRORS);
  run.world.readings = (): Measurement['result'] =>
    typeof update === 'string'
      ? { kind: 'Error', message: update }
      : { kind: 'Reading', update, stable: rate(0.001, 1000) };
  run.run(afterMs);
  return look(run);
}

/** Each reason: how it comes about, and what is read then. */
const EXAMPLES: Readonly<Record<WaitReason, { readonly example: () => Seen; readonly read: Seen['waits'] }>> = {
  PodsNotReady: {
    example: () => {
      const run = begin(canary());
      run.run(300);
      return look(run);
    },
    read: [{ reason: 'PodsNotReady', message: 'chat of release 1.0.0: 0 of 2 pods ready', since: -300, next: 59700 }],
  },
  ImagePullBackOff: {
    example: () => troubled('ErrImagePull', 'manifest unknown'),
    read: [
      {
        reason: 'ImagePullBackOff',
        message: 'chat of release 1.0.0: 0 of 2 pods ready; ErrImagePull: manifest unknown',
        since: -300,
        next: 59700,
      },
    ],
  },
  CrashLoopBackOff: {
    example: () => troubled('CrashLoopBackOff', 'exit code 1'),
    read: [
      {
        reason: 'CrashLoopBackOff',
        message: 'chat of release 1.0.0: 0 of 2 pods ready; CrashLoopBackOff: exit code 1',
        since: -300,
        next: 59700,
      },
    ],
  },
  ContainerConfigError: {
    example: () => troubled('CreateContainerConfigError', 'secret "keys" not found'),
    read: [
      {
        reason: 'ContainerConfigError',
        message: 'chat of release 1.0.0: 0 of 2 pods ready; CreateContainerConfigError: secret "keys" not found',
        since: -300,
        next: 59700,
      },
    ],
  },
  PodUnschedulable: {
    example: () => troubled('Unschedulable', '0/1 nodes are available'),
    read: [
      {
        reason: 'PodUnschedulable',
        message: 'chat of release 1.0.0: 0 of 2 pods ready; Unschedulable: 0/1 nodes are available',
        since: -300,
        next: 59700,
      },
    ],
  },
  RouteUpdating: {
    example: () => {
      const run = inRollout(canary([{ setWeight: 10 }]));
      run.world.advance(700); // the pod is ready, and nobody has looked yet
      return look(run);
    },
    read: [{ reason: 'RouteUpdating', message: 'the routes carry 0 %, 10 % is being written', since: 0, next: 60000 }],
  },
  RouteNotAccepted: {
    example: () => {
      const run = inRollout(canary([{ setWeight: 10 }]));
      run.world.gatewayStalled = true;
      run.run(5000);
      return look(run);
    },
    read: [
      {
        reason: 'RouteNotAccepted',
        message: 'the gateway has not accepted generation 2 of HTTPRoute support-chat yet',
        since: -4400,
        next: 55600,
      },
    ],
  },
  RouteSettling: {
    example: () => {
      const run = inRollout(canary([{ setWeight: 10 }]));
      run.run(1000);
      return look(run);
    },
    read: [
      {
        reason: 'RouteSettling',
        message: 'the gateway accepted 10 % (support-chat generation 2); traffic follows within 1000 ms',
        since: -350,
        next: 650,
      },
    ],
  },
  StableUnavailable: {
    example: () => {
      const steps = { metrics: ['errors'], duration: '30s', interval: '10s' };
      const [errors] = ERRORS;
      const run = inRollout(blueGreen({ postPromotion: steps }), [{ ...errors!, failureLimit: 0 }]);
      run.run(4000);
      run.disturbed = true;
      const stable = run.world.status.stableRevision?.hash;
      for (const pod of run.world.pods) if (pod.revision === stable) pod.sick = true;
      run.world.readings = () => ({ kind: 'Reading', update: rate(0.05, 1000), stable: null });
      run.run(20_000);
      return look(run);
    },
    read: [
      {
        reason: 'MetricFailing',
        message:
          'errors 5 % > 1 % (2 of 2 checks failed, 0 allowed); traffic stays, for 1.0.0 could not carry it. Promote to keep the new release, or repair 1.0.0',
        since: -12350,
        next: null,
      },
      {
        reason: 'StableUnavailable',
        message: '1.0.0 has fewer ready pods than it needs to take the traffic back',
        since: -12350,
        next: 47650,
      },
    ],
  },
  AnalysisRunning: {
    example: () => analysed(rate(0.002, 1000), 25_000),
    read: [
      {
        reason: 'AnalysisRunning',
        message: 'analysis of errors over 30 s; errors 0.2 %, at most 1 % wanted',
        since: -23350,
        next: 6650,
      },
    ],
  },
  MetricFailing: {
    example: () => analysed(rate(0.05, 1000), 45_000),
    read: [
      {
        reason: 'MetricFailing',
        message: 'errors 5 % > 1 % (4 of 4 checks failed, 9 allowed)',
        since: -33350,
        next: 6650,
      },
    ],
  },
  MetricNoData: {
    example: () => analysed(rate(0, 12), 45_000),
    read: [
      { reason: 'MetricNoData', message: 'errors has 12 of 50 samples; onNoData is Wait', since: -33350, next: 6650 },
    ],
  },
  MetricSourceError: {
    example: () => analysed('Prometheus does not answer', 45_000),
    read: [
      {
        reason: 'MetricSourceError',
        message: 'errors: Prometheus does not answer (4 errors in a row, 4 allowed)',
        since: -33350,
        next: 6650,
      },
    ],
  },
  CanaryPauseStep: {
    example: () => {
      const run = inRollout(canary([{ setWeight: 10 }, { pause: { duration: '1m' } }]));
      run.run(20_000);
      return look(run);
    },
    read: [{ reason: 'CanaryPauseStep', message: 'pause of 60 s at 10 %', since: -18350, next: 41650 }],
  },
  BlueGreenPause: {
    example: () => {
      const run = inRollout(blueGreen({ autoPromote: false }));
      run.run(20_000);
      return look(run);
    },
    read: [{ reason: 'BlueGreenPause', message: 'pause until promoted at 0 %', since: -19400, next: null }],
  },
  SpecPaused: {
    example: () => {
      const run = begin(canary());
      run.run(8000);
      run.world.edit((before) => ({ ...withVersion(before, '1.1.0'), paused: true }));
      run.run(5000);
      return look(run);
    },
    read: [{ reason: 'SpecPaused', message: 'spec.paused is true: 1.1.0 waits to begin', since: -5000, next: null }],
  },
  Aborted: {
    example: () => {
      const run = inRollout(canary([{ setWeight: 10 }, { pause: {} }]));
      run.run(8000);
      run.world.annotate({ [VERBS.abort]: 'wrong answers' });
      run.run(20_000);
      return look(run);
    },
    read: [
      {
        reason: 'Aborted',
        message: 'aborted by User: wrong answers; retry it, or edit the spec',
        since: -20000,
        next: null,
      },
    ],
  },
  StepKindNotSupported: {
    example: () => {
      const run = inRollout(canary([{ setWeight: 10 }, { chaos: { experiment: 'pod-kill' } }]));
      run.run(20_000);
      return look(run);
    },
    read: [
      {
        reason: 'StepKindNotSupported',
        message:
          'this version cannot carry out the step "chaos pod-kill" and does not skip it by itself: promote it by hand, or remove it',
        since: -18350,
        next: null,
      },
    ],
  },
  DrainBeforeDeletion: {
    example: () => {
      const run = begin(canary());
      run.run(8000);
      run.world.delete();
      run.run(2000);
      return look(run);
    },
    read: [
      {
        reason: 'DrainBeforeDeletion',
        message: 'the deletion goes on after the drain of 2 pods with 8 open sessions',
        since: -1000,
        next: 19_000,
      },
    ],
  },
  ReferenceMissing: {
    example: () => {
      const run = begin(canary());
      run.world.edit((before) => ({
        ...before,
        components: Object.fromEntries(
          Object.entries(before.components).map(([name, component]) => [
            name,
            { ...component, envFrom: [{ configMapRef: { name: 'settings' } }] },
          ]),
        ),
      }));
      run.run(2000);
      return look(run);
    },
    read: [
      {
        reason: 'ReferenceMissing',
        message: 'ConfigMap/settings does not exist; create it, or mark the reference optional',
        since: -2000,
        next: null,
      },
    ],
  },
  SpecRefused: {
    example: () => {
      const run = begin(canary());
      run.run(8000);
      const { world } = run;
      const refusal = { reason: 'SpecRefused', message: 'spec.release: at most 63 characters' } as const;
      return seen(withRefusal(world.status, refusal, world.generation, world.now).blockedBy, world.now);
    },
    read: [{ reason: 'SpecRefused', message: 'spec.release: at most 63 characters', since: 0, next: null }],
  },
  WriteRefused: {
    example: () => {
      const run = begin(canary());
      run.run(8000);
      const { world } = run;
      const first = withRefusal(
        world.status,
        { reason: 'WriteRefused', message: 'exceeded quota: pods' },
        world.generation,
        world.now - 3000,
      );
      return seen(
        withRefusal(first, { reason: 'WriteRefused', message: 'exceeded quota: pods' }, world.generation, world.now)
          .blockedBy,
        world.now,
      );
    },
    read: [{ reason: 'WriteRefused', message: 'exceeded quota: pods', since: -3000, next: null }],
  },
};

describe('every wait says what was seen, what is needed, since when, and when it is looked at again [R-299]', () => {
  it.each(WAIT_REASONS)('%s', (reason) => {
    const { example, read } = EXAMPLES[reason];
    expect(read.map((wait) => wait.reason)).toContain(reason);
    expect(example().waits).toEqual(read);
  });
});

describe('the clock of a wait', () => {
  const now = Date.UTC(2026, 0, 1, 12);
  const earlier = (reason: string, secondsAgo: number, message = ''): BlockedBy => ({
    ...{ reason, message },
    since: new Date(now - secondsAgo * 1000).toISOString(),
  });
  const lasts = (reason: WaitReason, before: readonly BlockedBy[], message = ''): number =>
    (now - waitingSince({ reason, message }, before, now)) / 1000;

  it('goes on through reasons of one family, from the earliest', () => {
    expect(lasts('PodsNotReady', [earlier('ImagePullBackOff', 5), earlier('CrashLoopBackOff', 9)])).toBe(9);
    expect(lasts('RouteNotAccepted', [earlier('RouteUpdating', 4)])).toBe(4);
    expect(lasts('StableUnavailable', [earlier('RouteUpdating', 4)])).toBe(4);
  });

  it('begins anew for another family, and where the entry is not ours', () => {
    expect(lasts('RouteUpdating', [earlier('PodsNotReady', 5), earlier('Invented', 9)])).toBe(0);
    expect(lasts('PodsNotReady', [])).toBe(0);
    expect(lasts('StableUnavailable', [earlier('PodsNotReady', 5)])).toBe(0);
    // Paused in the middle of an analysis: the pause is as old as the pause.
    expect(lasts('SpecPaused', [earlier('AnalysisRunning', 60)])).toBe(0);
  });

  it('of a settling route goes on only for the very generations that were accepted', () => {
    expect(lasts('RouteSettling', [earlier('RouteSettling', 3, 'generation 2')], 'generation 2')).toBe(3);
    expect(lasts('RouteSettling', [earlier('RouteSettling', 3, 'generation 1')], 'generation 2')).toBe(0);
    expect(lasts('RouteSettling', [earlier('RouteNotAccepted', 3, 'generation 2')], 'generation 2')).toBe(0);
  });

  it('of a person, a spec or a drain goes on only for the same reason: a pause of an hour does not make `spec.paused` an hour old', () => {
    expect(lasts('SpecPaused', [earlier('CanaryPauseStep', 3600)])).toBe(0);
    expect(lasts('SpecPaused', [earlier('CanaryPauseStep', 3600), earlier('SpecPaused', 60)])).toBe(60);
    expect(lasts('ReferenceMissing', [earlier('WriteRefused', 60)])).toBe(0);
    expect(lasts('DrainBeforeDeletion', [earlier('DrainBeforeDeletion', 60)])).toBe(60);
  });

  it('of a metric goes on only for the same reason', () => {
    expect(lasts('MetricFailing', [earlier('MetricNoData', 60)])).toBe(0);
    expect(lasts('MetricFailing', [earlier('MetricFailing', 60, 'errors 4 %')], 'errors 5 %')).toBe(60);
  });

  it('is never ahead of now, though the clock of another operator was', () => {
    expect(lasts('PodsNotReady', [earlier('PodsNotReady', -5)])).toBe(0);
  });

  it('is overridden by a wait that knows when it began, and gives the next look', () => {
    const wait: Wait = { reason: 'CanaryPauseStep', message: 'pause', since: now - 1000, lastsMs: 5000 };
    const entry = blockedBy(wait, [earlier('CanaryPauseStep', 60)], now);
    expect(entry).toEqual({
      ...{ reason: 'CanaryPauseStep', message: 'pause' },
      since: new Date(now - 1000).toISOString(),
      nextCheckAt: new Date(now + 4000).toISOString(),
    });
    const over = blockedBy({ ...wait, lastsMs: 1000 }, [], now);
    expect(over).not.toHaveProperty('nextCheckAt'); // it has passed: a change is waited for
    const asked = blockedBy({ ...wait, nextCheckAt: now + 7 }, [], now);
    expect(asked.nextCheckAt).toBe(new Date(now + 7).toISOString());
  });

  it('counts against progressDeadline where something is expected to happen by itself', () => {
    expect(WAIT_REASONS.filter(countsAsStuck)).toEqual([
      ...['PodsNotReady', 'ImagePullBackOff', 'CrashLoopBackOff', 'ContainerConfigError', 'PodUnschedulable'],
      ...['RouteUpdating', 'RouteNotAccepted', 'RouteSettling', 'StableUnavailable'],
    ]);
  });
});

describe('one is one', () => {
  it('pod, session and error', () => {
    const run = inRollout(canary([{ setWeight: 10 }, ANALYSIS]), ERRORS);
    run.world.readings = (): Measurement['result'] => ({ kind: 'Error', message: 'no answer' });
    run.run(14_000);
    expect(look(run).waits.map(({ message }) => message)).toContain('errors: no answer (1 error in a row, 4 allowed)');
  });
});
