// Analyses in the model world: what passes, what is called back, what waits, and what a person sees of it.
import type { CanaryStep, MetricSpec, StrategySpec } from '@assistant-platform/api';
import { VERBS } from '@assistant-platform/api';
import { describe, expect, it } from 'vitest';
import type { Measurement, MeasurementOrder, Reading } from './analysis/measurement.ts';
import { plan } from './plan.ts';
import { blueGreen, canary, SAMPLE_METRICS, sampleRelease, withVersion } from './releases.ts';
import { World } from './world.ts';
import { WorldRun } from './worldRun.ts';

const ANALYSIS = { analysis: { metrics: ['errors'], duration: '60s', interval: '10s' } } satisfies CanaryStep;
const STEPS: CanaryStep[] = [{ setWeight: 10 }, ANALYSIS, { setWeight: 50 }];

type Answers = (order: MeasurementOrder) => Measurement['result'];

const rate = (share: number, trials = 1000): Reading => ({
  value: trials === 0 ? null : share,
  samples: trials,
  evidence: { events: share * trials, trials },
});
const answer =
  (update: Reading, stable: Reading = rate(0.002)): Answers =>
  () => ({ kind: 'Reading', update, stable });
const GOOD = answer(rate(0.002));
const BAD = answer(rate(0.05));
const ERRS: Answers = () => ({ kind: 'Error', message: 'Prometheus does not answer' });

/** 1.0.0 is installed, 1.1.0 begins. */
function begin(strategy: StrategySpec, answers: Answers, metrics: MetricSpec[] = SAMPLE_METRICS): WorldRun {
  const run = new WorldRun(new World(sampleRelease('1.0.0', strategy, ['chat', 'realtime'], metrics)));
  run.run(8000);
  run.world.readings = answers;
  run.world.edit((before) => withVersion(before, '1.1.0'));
  run.settle();
  return run;
}

const waits = (run: WorldRun): string[] => (run.world.status.blockedBy ?? []).map(({ reason }) => reason);
const stable = (run: WorldRun): string | undefined => run.world.status.stableRevision?.release;
const share = (run: WorldRun): number | undefined =>
  run.world.traffic.get('chat')?.backends.find(({ revision }) => revision === run.world.status.updateRevision?.hash)
    ?.weight;

describe('an analysis step', () => {
  it('says that it goes on beside what a metric waits for, and not any more when its time is over', () => {
    const run = begin(canary(STEPS), answer(rate(0, 0), rate(0, 0)));
    run.run(40_000);
    expect(waits(run)).toEqual(['MetricNoData', 'AnalysisRunning']);
    const end = Date.parse(run.world.status.step?.startedAt ?? '') + 60_000;
    const at = (now: number) => plan(run.world.snapshot(), now).status.blockedBy?.map(({ reason }) => reason);
    expect(at(end - 1)).toEqual(['MetricNoData', 'AnalysisRunning']);
    expect(at(end)).toEqual(['MetricNoData']);
    run.run(60_000);
    expect(waits(run)).toEqual(['MetricNoData']);
  });

  it('passes when its time is over: seven checks in a minute, and says so until then [R-292]', () => {
    const run = begin(canary(STEPS), GOOD);
    run.run(40_000);
    expect(run.world.status).toMatchObject({
      phase: 'Progressing',
      step: { index: 1 },
      message: 'holding at 10 %: analysis of errors over 60 s; errors 0.2 %, at most 1 % wanted',
      analysis: [{ metric: 'errors', verdict: 'Passing', value: '0.002', samples: 1000, failures: 0 }],
    });
    expect(waits(run)).toEqual(['AnalysisRunning']);
    const next = Date.parse(run.world.status.blockedBy?.[0]?.nextCheckAt ?? '');
    expect(next - run.world.now).toBeLessThanOrEqual(10_000);
    run.run(40_000);
    expect(stable(run)).toBe('1.1.0');
    expect(run.world.status.analysis).toBeUndefined();
    expect(run.violations).toEqual([]);
  });

  it('names the check that comes first when one metric is answered later than the other', () => {
    const two = canary([
      { setWeight: 10 },
      { analysis: { metrics: ['errors', 'fallbacks'], duration: '60s', interval: '10s' } },
    ]);
    const run = begin(two, GOOD, [...SAMPLE_METRICS, { name: 'fallbacks', preset: 'FallbackRate', max: '0.01' }]);
    run.view = (snapshot) => ({
      ...snapshot,
      measurements: snapshot.measurements.filter(({ metric }) => metric !== 'fallbacks'),
    });
    run.run(25_000);
    expect(run.world.status.analysis?.find(({ metric }) => metric === 'errors')?.checks).toBeGreaterThan(0);
    const next = Date.parse(run.world.status.blockedBy?.[0]?.nextCheckAt ?? '');
    expect(next).toBeLessThanOrEqual(run.world.now);
  });

  it('[R-292] has its last check at the very end: what went bad after the one before is seen', () => {
    const once = canary([{ setWeight: 10 }, { analysis: { metrics: ['errors'], duration: '60s', interval: '40s' } }]);
    const run = begin(once, GOOD, [{ ...SAMPLE_METRICS[0]!, failureLimit: 0 }]);
    run.run(55_000);
    expect(run.world.status.analysis?.[0]).toMatchObject({ verdict: 'Passing', checks: 1 });
    run.world.readings = BAD;
    run.run(20_000);
    expect(run.world.status).toMatchObject({ abort: { by: 'Metric' }, analysis: [{ checks: 2 }] });
  });

  it('calls a failing release back without a person, and keeps what it saw [R-292]', () => {
    const run = begin(canary(STEPS), BAD);
    run.run(60_000);
    expect(run.world.status).toMatchObject({
      phase: 'Degraded',
      abort: { by: 'Metric', reason: 'errors 5 % > 1 % (2 of 2 checks failed, 1 allowed)' },
      analysis: [{ metric: 'errors', verdict: 'Failing', value: '0.05', failures: 2 }],
      history: [{ release: '1.1.0', outcome: 'Aborted' }, { release: '1.0.0' }],
    });
    expect(share(run) ?? 0).toBe(0);
    expect(run.told.filter((line) => line.startsWith('MetricFailing'))).toHaveLength(1);
    expect(run.violations).toEqual([]);
    run.world.readings = GOOD;
    run.world.annotate({ [VERBS.retry]: '' });
    run.run(90_000);
    expect(stable(run)).toBe('1.1.0');
  });

  it('starved of traffic waits for as long as it takes, and says so [R-296]', () => {
    const run = begin(canary(STEPS), answer(rate(0, 12)));
    run.run(3_600_000, 1000);
    expect(run.world.status.blockedBy?.[0]).toMatchObject({
      reason: 'MetricNoData',
      message: 'errors has 12 of 50 samples; onNoData is Wait',
    });
    expect(run.world.status.abort).toBeUndefined();
    run.world.readings = GOOD;
    run.run(20_000);
    expect(stable(run)).toBe('1.1.0');
  });

  it('waits out an outage of the source, and goes on when it is back', () => {
    const run = begin(canary(STEPS), ERRS);
    run.run(600_000, 500);
    expect(run.world.status.blockedBy?.[0]).toMatchObject({ reason: 'MetricSourceError' });
    expect(run.world.status.blockedBy?.[0]?.message).toContain('Prometheus does not answer');
    expect(run.told.filter((line) => line.startsWith('MetricSourceError'))).toHaveLength(1);
    run.world.readings = GOOD;
    run.run(20_000);
    expect(stable(run)).toBe('1.1.0');
  });

  it('tells once that a metric fails, and once that it does not any more', () => {
    const run = begin(canary(STEPS), GOOD, [{ ...SAMPLE_METRICS[0]!, failureLimit: 5 }]);
    run.run(15_000);
    run.world.readings = BAD;
    run.run(20_000);
    run.world.readings = GOOD;
    run.run(40_000);
    expect(run.told.filter((line) => line.startsWith('Metric'))).toEqual([
      'MetricFailing: errors 5 % > 1 %',
      'MetricRecovered: errors 0.2 %, at most 1 % wanted',
    ]);
    expect(stable(run)).toBe('1.1.0');
  });

  it('can be passed by a person, also while it waits for data', () => {
    const run = begin(canary(STEPS), answer(rate(0, 0)));
    run.run(30_000);
    run.world.annotate({ [VERBS.promote]: 'step' });
    run.run(20_000);
    expect(stable(run)).toBe('1.1.0');
  });

  it('ends before its time when the comparison is sure', () => {
    const steps: CanaryStep[] = [
      { setWeight: 10 },
      { analysis: { metrics: ['ratio'], duration: '1h', interval: '10s' } },
    ];
    const run = begin(canary(steps), answer(rate(0.002, 50_000), rate(0.01, 50_000)));
    run.run(30_000);
    expect(stable(run)).toBe('1.1.0');
  });

  it('has a verdict that a killed operator neither loses nor repeats', () => {
    for (let point = 0; point < 40; point++) {
      const run = begin(canary(STEPS), GOOD);
      run.run(8000);
      run.world.readings = BAD;
      run.killAfter = point;
      run.run(60_000);
      expect([point, run.world.status.analysis?.[0]?.failures, run.world.status.analysis?.[0]?.checks]).toEqual([
        point,
        2,
        2,
      ]);
      expect(run.world.status.abort?.by).toBe('Metric');
    }
  });
});

const IN_BACKGROUND: StrategySpec = {
  type: 'Canary',
  canary: {
    steps: [{ setWeight: 10 }, { pause: { duration: '1m' } }, { setWeight: 50 }, { pause: {} }],
    analysis: { metrics: ['errors', 'ratio'], interval: '10s' },
  },
  drain: { deadline: '20s' },
  progressDeadline: '1m',
};

describe('a background analysis', () => {
  const strategy = IN_BACKGROUND;

  it('calls back in the middle of a pause [R-292]', () => {
    const run = begin(strategy, GOOD);
    run.run(20_000);
    expect(run.world.status).toMatchObject({ phase: 'Paused', analysis: [{ metric: 'errors' }, { metric: 'ratio' }] });
    run.world.readings = BAD;
    run.run(30_000);
    expect(run.world.status).toMatchObject({ abort: { by: 'Metric' }, phase: 'Degraded' });
    expect(run.violations).toEqual([]);
  });

  it('is no wait of its own in a pause, and is looked at before the pause ends', () => {
    const run = begin(strategy, GOOD);
    run.run(20_000);
    expect(waits(run)).toEqual(['CanaryPauseStep']);
    const snapshot = run.world.snapshot();
    const { lookAgainAt, measure } = plan(snapshot, run.world.now);
    const ends = Date.parse(run.world.status.blockedBy?.[0]?.nextCheckAt ?? '');
    expect(lookAgainAt).toBe(Math.min(...measure.map(({ dueAt }) => dueAt)));
    expect(lookAgainAt).toBeLessThan(ends);
  });

  it('holds a pause whose time is over while it has not come to its judgement, and says which metrics it waits for', () => {
    const run = begin(strategy, answer(rate(0, 3)));
    run.run(40_000);
    expect(waits(run)).toEqual(['MetricNoData', 'MetricNoData', 'CanaryPauseStep']);
  });

  it('asks nothing on the first installation and at rest: no answer would be noted, and each would be due again at once', () => {
    const run = new WorldRun(new World(sampleRelease('1.0.0', strategy, ['chat', 'realtime'], SAMPLE_METRICS)));
    let asked = 0;
    run.world.readings = (order) => {
      asked += 1;
      return GOOD(order);
    };
    run.run(60_000);
    expect(stable(run)).toBe('1.0.0');
    expect(run.violations).toEqual([]);
    expect(asked).toBe(0);
  });

  it('looks anew at each step, at the window since that began', () => {
    const since = new Set<number>();
    const run = begin(strategy, (order) => {
      since.add(order.since);
      return GOOD(order);
    });
    run.run(120_000);
    expect(run.world.status).toMatchObject({ phase: 'Paused', step: { index: 3 } });
    expect(since.size).toBeGreaterThanOrEqual(2);
  });

  it('holds the end of a pause until there is data', () => {
    const run = begin(strategy, answer(rate(0, 3)));
    run.run(300_000, 250);
    expect(run.world.status).toMatchObject({ step: { index: 1 }, weight: { routed: 10 } });
    expect(waits(run)).toContain('MetricNoData');
    run.world.readings = GOOD;
    run.run(30_000);
    expect(run.world.status).toMatchObject({ step: { index: 3 }, weight: { routed: 50 } });
  });
});

const LOOK = { metrics: ['errors'], duration: '30s', interval: '10s' };

describe('blue-green', () => {
  const look = LOOK;

  it('judges the preview before traffic switches', () => {
    const run = begin(blueGreen({ prePromotion: look }), BAD);
    run.run(60_000);
    expect(run.world.status).toMatchObject({ abort: { by: 'Metric' }, weight: { routed: 0 } });
    expect(stable(run)).toBe('1.0.0');
  });

  it('after the switch goes back to the old colour, while that is healthy [R-302]', () => {
    const run = begin(blueGreen({ postPromotion: look }), BAD);
    run.run(10_000);
    expect(share(run)).toBe(100);
    run.run(40_000);
    expect(run.world.status).toMatchObject({ abort: { by: 'Metric' }, phase: 'Degraded' });
    expect(share(run) ?? 0).toBe(0);
    expect(run.violations).toEqual([]);
  });

  it('after the switch stays where it is when the old colour could not carry it, and says so', () => {
    const run = begin(blueGreen({ postPromotion: look }), BAD);
    run.run(8000);
    run.disturbed = true;
    const old = run.world.status.stableRevision?.hash;
    for (const pod of run.world.pods) if (pod.revision === old && pod.component === 'chat') pod.sick = true;
    run.run(120_000);
    expect(share(run)).toBe(100);
    expect(run.world.status.abort).toBeUndefined();
    expect(waits(run).slice(0, 2)).toEqual(['MetricFailing', 'StableUnavailable']);
    for (const pod of run.world.pods) pod.sick = false;
    run.run(20_000);
    expect(run.world.status).toMatchObject({ abort: { by: 'Metric' } });
  });

  it('after the switch goes back too when the old colour has a component that the new one is without: any pod of it will do', () => {
    const run = begin(blueGreen({ postPromotion: look }), BAD);
    run.world.edit((before) => ({ ...before, components: { realtime: before.components['realtime']! } }));
    run.run(60_000);
    expect(run.world.status).toMatchObject({ abort: { by: 'Metric' }, phase: 'Degraded' });
    expect(run.violations).toEqual([]);
  });

  it('after the switch is compared with what stable was before: it has no traffic any more', () => {
    const compared = blueGreen({ postPromotion: { ...look, metrics: ['ratio'] } });
    const answers =
      (update: Reading): Answers =>
      ({ againstPast }) => ({ kind: 'Reading', update, stable: againstPast ? rate(0.002, 50_000) : rate(0, 0) });
    const good = begin(compared, answers(rate(0.002, 2000)));
    good.run(60_000);
    expect(stable(good)).toBe('1.1.0');
    const bad = begin(compared, answers(rate(0.1, 2000)));
    bad.run(60_000);
    expect(bad.world.status).toMatchObject({ abort: { by: 'Metric' }, phase: 'Degraded' });
  });

  it('is promoted when the time after the switch passed well', () => {
    const run = begin(blueGreen({ postPromotion: look }), GOOD);
    run.run(60_000);
    expect(stable(run)).toBe('1.1.0');
    expect(run.world.status.history?.[0]).toMatchObject({ release: '1.1.0', outcome: 'Promoted' });
    expect(run.violations).toEqual([]);
  });
});

describe('while the metric source answers nothing but errors, the way back [R-303]', () => {
  const abort = (run: WorldRun): void => run.world.annotate({ [VERBS.abort]: 'too many complaints' });
  const undo = (run: WorldRun): void => run.world.edit((before) => withVersion(before, '1.0.0'));

  /** Milliseconds until the gateway sends nobody to the revision any more; Infinity: not within ten seconds. */
  function timeBack(run: WorldRun, revision: string): number {
    const from = run.world.now;
    const carries = (): boolean =>
      [...run.world.traffic.values()].some(({ backends }) =>
        backends.some((backend) => backend.revision === revision && backend.weight > 0),
      );
    while (carries() && run.world.now - from < 10_000) run.run(50);
    return carries() ? Infinity : run.world.now - from;
  }

  /** 1.1.0 carries traffic and is being measured; then somebody calls it back. */
  function calledBack(strategy: StrategySpec, answers: Answers, deed: (run: WorldRun) => void) {
    const run = begin(strategy, answers);
    run.run(20_000);
    const before = waits(run);
    expect(share(run)).toBeGreaterThan(0);
    const revision = run.world.status.updateRevision?.hash ?? '';
    deed(run);
    return { run, before, took: timeBack(run, revision) };
  }

  describe.each([
    ['of a canary in its analysis', canary(STEPS), ['MetricSourceError', 'AnalysisRunning']],
    ['of a canary in a pause', IN_BACKGROUND, ['MetricSourceError', 'MetricSourceError', 'CanaryPauseStep']],
    ['of a blue-green release after its switch', blueGreen({ postPromotion: LOOK }), ['MetricSourceError']],
  ])('%s', (_what, strategy, waitsFor) => {
    it('by an order takes as long as ever', () => {
      const usual = calledBack(strategy, GOOD, abort);
      const { run, before, took } = calledBack(strategy, ERRS, abort);
      expect(before).toEqual(expect.arrayContaining(waitsFor));
      expect(took).toBe(usual.took);
      expect(took).toBeLessThan(2000);
      run.run(60_000);
      expect(run.world.status).toMatchObject({
        phase: 'Degraded',
        abort: { by: 'User', reason: 'too many complaints' },
        stableRevision: { release: '1.0.0' },
        weight: { routed: 0 },
      });
      expect(run.world.pods.map(({ revision }) => revision)).not.toContain(run.world.status.updateRevision?.hash);
      expect(run.violations).toEqual([]);
    });

    it('by an undo takes as long as ever', () => {
      const usual = calledBack(strategy, GOOD, undo);
      const { run, took } = calledBack(strategy, ERRS, undo);
      expect(took).toBe(usual.took);
      expect(took).toBeLessThan(2000);
      run.run(60_000);
      expect(run.world.status).toMatchObject({ phase: 'Healthy', stableRevision: { release: '1.0.0' } });
      expect(run.world.status.history?.[0]).toMatchObject({ release: '1.1.0', outcome: 'RolledBack' });
      expect(new Set(run.world.pods.map(({ revision }) => revision)).size).toBe(1);
      expect(run.violations).toEqual([]);
    });
  });

  it.each([
    ['a canary', canary(STEPS)],
    ['a blue-green release', blueGreen({ prePromotion: LOOK })],
  ])('to the release before, of %s that is promoted already, asks nobody', (_what, strategy) => {
    const run = begin(strategy, ERRS);
    run.run(20_000);
    run.world.annotate({ [VERBS.promote]: 'full' });
    run.run(30_000);
    expect(stable(run)).toBe('1.1.0');
    const revision = run.world.status.stableRevision?.hash ?? '';
    undo(run);
    expect(timeBack(run, revision)).toBeLessThan(5000);
    run.run(60_000);
    expect(run.world.status).toMatchObject({ phase: 'Healthy', stableRevision: { release: '1.0.0' } });
    expect(run.violations).toEqual([]);
  });
});
