import { describe, expect, test } from 'vitest';
import { InvalidSpecError, withDefaults } from './defaults.ts';
import { blueGreenObject, canaryObject, smallestObject } from './specimens/base.ts';

describe('withDefaults', () => {
  test('fills everything that the smallest spec leaves out', () => {
    expect(withDefaults(smallestObject().spec)).toEqual({
      release: '',
      components: {
        chat: {
          image: 'localhost/assistant/chat:1.0.0',
          replicas: 1,
          port: 8080,
          adminPort: 9090,
          path: '/',
          env: [],
          envFrom: [],
          resources: {},
          template: {},
          autoscaling: null,
        },
      },
      gateway: { parentRef: { name: 'public' }, hostnames: [] },
      strategy: { type: 'Canary', steps: [{ kind: 'SetWeight', weight: 100 }], stickiness: 'Bucket', analysis: null },
      drain: { deadlineMs: 600_000, closePerSecond: 50 },
      progressDeadlineMs: 600_000,
      abortOnDeadline: true,
      rollbackWindow: 0,
      metrics: [],
      flags: [],
      slo: null,
      paused: false,
      revisionHistoryLimit: 5,
    });
  });

  test('makes each step a case of its own', () => {
    const { strategy } = withDefaults(canaryObject().spec);
    expect(strategy.type === 'Canary' && strategy.steps).toEqual([
      { kind: 'SetWeight', weight: 10 },
      { kind: 'Pause', durationMs: 120_000 },
      { kind: 'Analysis', metrics: ['error-rate', 'ttft'], durationMs: 180_000, intervalMs: 15_000 },
      { kind: 'SetFlag', feature: 'new-memory', rollout: 25 },
      { kind: 'Chaos', experiment: 'realtime-pod-kill' },
      { kind: 'SetWeight', weight: 50 },
      { kind: 'Pause', durationMs: null },
    ]);
  });

  test('reads decimals and the comparison', () => {
    expect(withDefaults(canaryObject().spec).metrics[0]).toEqual({
      name: 'error-rate',
      source: { kind: 'Preset', preset: 'ErrorRate' },
      max: 0.01,
      min: null,
      comparedToStable: { maxRatio: 1.2, confidence: 0.99 },
      minSamples: 50,
      onNoData: 'Wait',
      failureLimit: 1,
      consecutiveErrorLimit: 4,
    });
  });

  test('reads blue-green', () => {
    expect(withDefaults(blueGreenObject().spec).strategy).toEqual({
      type: 'BlueGreen',
      autoPromote: true,
      autoPromoteAfterMs: 30_000,
      scaleDownDelayMs: 30_000,
      prePromotion: { metrics: ['error-rate'], durationMs: 60_000, intervalMs: 10_000 },
      postPromotion: { metrics: ['error-rate'], durationMs: 120_000, intervalMs: 10_000 },
    });
  });

  test.each([
    ['chat', '/'],
    ['realtime', '/ws'],
    ['voice', '/voice'],
  ])('routes %s to %s', (name, path) => {
    const spec = { ...smallestObject().spec, components: { [name]: { image: 'a' } } };
    expect(withDefaults(spec).components[name]?.path).toBe(path);
  });

  test('an autoscaled component begins at its lower bound', () => {
    const autoscaling = { min: 3, max: 9, metrics: [{ type: 'CPU' as const, targetPerPod: 70 }] };
    const spec = { ...smallestObject().spec, components: { chat: { image: 'a', autoscaling } } };
    expect(withDefaults(spec).components.chat).toMatchObject({
      replicas: 3,
      autoscaling: { drainTimeoutMs: 600_000, freezeDuringRollout: true },
    });
  });

  test('names every field that it cannot read', () => {
    const { spec } = smallestObject();
    const strategy = {
      ...spec.strategy,
      progressDeadline: '1d',
      canary: { steps: [{ setWeight: 5, pause: {} } as never] },
    };
    const read = (): unknown => withDefaults({ ...spec, strategy, components: { chat: { image: '' } } });
    expect(read).toThrow(InvalidSpecError);
    expect(read).toThrow(
      /spec\.components\.chat\.image.*spec\.strategy\.canary\.steps\[0\].*spec\.strategy\.progressDeadline/,
    );
  });

  test('a strategy without its block is named', () => {
    expect(() => withDefaults({ ...smallestObject().spec, strategy: { type: 'BlueGreen' } })).toThrow(
      /spec\.strategy\.blueGreen: type BlueGreen needs blueGreen: \{\}/,
    );
  });

  test('changes nothing that it is given', () => {
    const { spec } = canaryObject();
    const before = structuredClone(spec);
    withDefaults(spec);
    expect(spec).toEqual(before);
  });
});
