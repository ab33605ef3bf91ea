// Metrics as gates on the whole chain: services, Prometheus, operator, gateway. A release with a bug is called back without a person; one that nobody
// comes to waits, and says so.
import { afterEach, describe, expect, inject, it } from 'vitest';
import { runHttpLoad, type Outcome } from '../demo/http-load.ts';
import { questions, seeded } from '../demo/questions.ts';
import { settled } from '../demo/releases.ts';
import { demo } from './access.ts';

type Spec = Awaited<ReturnType<ReturnType<typeof demo>['read']>>['spec'];

/** Release 1.3.0 of chat answers one request in ten with 500. */
const BROKEN = '1.3.0';

const image = (spec: Spec, component: string, version: string) => ({
  image: spec.components[component]?.image.replace(/:[^:/]+$/, `:${version}`),
});

/** The broken release behind an analysis of its errors. */
function gated(spec: Spec, duration: string): Record<string, unknown> {
  return {
    release: BROKEN,
    components: { chat: image(spec, 'chat', BROKEN), realtime: image(spec, 'realtime', BROKEN) },
    metrics: [{ name: 'errors', preset: 'ErrorRate', max: '0.02', minSamples: 40, failureLimit: 0 }],
    strategy: {
      type: 'Canary',
      blueGreen: null,
      canary: { steps: [{ setWeight: 30 }, { analysis: { metrics: ['errors'], duration, interval: '10s' } }] },
    },
  };
}

describe('a release behind a gate', () => {
  let before: Spec | undefined;

  afterEach(async () => {
    if (before === undefined) return;
    const { release, components, strategy, metrics } = before;
    const { type, canary = null, blueGreen = null } = strategy;
    const images = Object.fromEntries(Object.entries(components).map(([name, each]) => [name, { image: each.image }]));
    const edited = await demo().edit({
      ...{ release, components: images, metrics: metrics ?? null },
      strategy: { type, canary, blueGreen },
    });
    await demo().until(settled(edited), { timeoutMs: 180_000, what: 'back on the stable spec' });
  });

  it('[R-292] with a bug is called back by its metric, without a person and without a failed request', async () => {
    const releases = demo();
    before = (await releases.read()).spec;
    const outcomes: Outcome[] = [];
    const over = new AbortController();
    const load = runHttpLoad({
      gateway: inject('where').gateway,
      requestsPerSecond: 30,
      questions: questions(seeded(3)),
      onOutcome: (outcome) => outcomes.push(outcome),
      signal: over.signal,
    });
    try {
      await releases.edit(gated(before, '3m'));
      const aborted = await releases.until(({ status }) => status?.abort !== undefined, {
        timeoutMs: 150_000,
        what: 'the abort',
      });
      expect(aborted.status?.abort).toMatchObject({
        by: 'Metric',
        reason: expect.stringMatching(/^errors \d.* > 2 %/) as string,
      });
      const entry = aborted.status?.analysis?.find(({ metric }) => metric === 'errors');
      expect(entry).toMatchObject({ verdict: 'Failing' });
      expect(entry?.samples).toBeGreaterThanOrEqual(40);
      await releases.until(({ status }) => status?.weight?.routed === 0, {
        timeoutMs: 30_000,
        what: 'traffic at stable',
      });
    } finally {
      over.abort();
      await load;
    }
    // The bug is the bug's; nothing else may fail.
    expect(outcomes.filter(({ status }) => status !== 200 && status !== 500)).toEqual([]);
    expect(outcomes.some(({ status }) => status === 500)).toBe(true);
  });

  it('[R-296] that nobody comes to waits for data and says how much there is', async () => {
    const releases = demo();
    before = (await releases.read()).spec;
    await releases.edit(gated(before, '10s'));
    const waiting = await releases.until(
      ({ status }) =>
        status?.blockedBy?.[0]?.reason === 'MetricNoData' && status.blockedBy[0].message.includes('onNoData'),
      { timeoutMs: 120_000, what: 'the wait for data' },
    );
    expect(waiting.status?.blockedBy?.[0]?.message).toMatch(/errors has (no data|\d+ of 40 samples)/);
    expect(waiting.status?.blockedBy?.[0]?.nextCheckAt).toBeTruthy();
    await releases.verb('abort', 'nobody came');
    await releases.until(({ status }) => status?.weight?.routed === 0, {
      timeoutMs: 30_000,
      what: 'traffic at stable',
    });
  });
});
