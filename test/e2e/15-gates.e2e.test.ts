// Metrics as gates on the whole chain: services, Prometheus, operator, gateway. A release with a bug is called back without a person; one that nobody
// comes to waits, and says so; one whose model became slow is called back by the time to the first chunk. Each time the operator is killed on the way.
// The slow model comes first, before any load: what is slow is learned from stable's past, and a small machine under load answers as slowly as the fault does.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { AssistantDeployment } from '@assistant-platform/api';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { Crowd } from '../demo/crowd.ts';
import { runHttpLoad, type Outcome } from '../demo/http-load.ts';
import { type Question, questions, seeded } from '../demo/questions.ts';
import { settled } from '../demo/releases.ts';
import { demo, eventually, killOperator, kubectl, measured, tellOnFailure } from './access.ts';

type Spec = AssistantDeployment['spec'];

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
    const images = Object.fromEntries(
      Object.entries(components).map(([name, { image, env = null }]) => [name, { image, env }]),
    );
    const edited = await demo().edit({
      ...{ release, components: images, metrics: metrics ?? null },
      strategy: { type, canary, blueGreen },
    });
    await demo().until(settled(edited), { timeoutMs: 180_000, what: 'back on the stable spec' });
  });
  tellOnFailure();

  it('[R-292, R-295] whose model became slow is called back by the time to the first chunk, without a lost message', async () => {
    const releases = demo();
    before = (await releases.read()).spec;
    const { gateway } = inject('where');
    const random = seeded(5);
    const over = new AbortController();
    const outcomes: Outcome[] = [];
    const load = runHttpLoad({
      ...{ gateway, questions: newQuestions(), signal: over.signal },
      // The model of a small and busy machine answers two questions in three seconds: one that is full would be slow for both releases.
      requestsPerSecond: 0.3,
      onOutcome: (outcome) => outcomes.push(outcome),
    });
    const crowd = new Crowd({
      ...{ gateway, people: 40, meanPauseMs: 120_000, questions: questions(random), random },
      run: `slow-${Date.now()}`,
    });
    try {
      await slowModel('apply');
      await crowd.connect();
      crowd.talk();
      const stable = (await releases.read()).status?.stableRevision?.hash ?? '';
      // What is slow is learned from these. A model that is full, as one that has just started may be, keeps stable's people waiting as long as the fault does.
      await eventually('the stable release is known to answer well before five seconds', 420, async () => {
        const chunks = (part: string): string =>
          `increase(gen_ai_client_time_to_first_chunk_seconds_${part}{revision="${stable}"}[1h])`;
        const answers = await measured(`sum(${chunks('count')})`);
        return answers >= 100 && (await measured(`histogram_quantile(0.95, sum by (le) (${chunks('bucket')}))`)) <= 4;
      });
      const aborted = await abortedBehindTheGate(slow(before), 240_000);
      expect(aborted.status?.abort).toMatchObject({
        by: 'Metric',
        reason: expect.stringContaining('first-chunk') as string,
      });
      await trafficAtStable();
    } finally {
      over.abort();
      await load;
      await crowd.quiet();
      await slowModel('delete');
    }
    const { sockets } = crowd.counts();
    const messages = await crowd.audit();
    expect(outcomes.filter(({ status }) => status !== 200)).toEqual([]);
    expect(messages).toMatchObject({ lost: 0, duplicated: 0 });
    expect(messages.acknowledged).toBeGreaterThan(40);
    expect(sockets).toMatchObject({ broken: 0, notRecovered: 0 });
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
      const aborted = await abortedBehindTheGate(gated(before, '3m'), 150_000);
      expect(aborted.status?.abort).toMatchObject({
        by: 'Metric',
        reason: expect.stringMatching(/^errors \d.* > 2 %/) as string,
      });
      const entry = aborted.status?.analysis?.find(({ metric }) => metric === 'errors');
      expect(entry).toMatchObject({ verdict: 'Failing' });
      expect(entry?.samples).toBeGreaterThanOrEqual(40);
      await trafficAtStable();
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
    await killOperator();
    const { since } = waiting.status?.blockedBy?.[0] ?? {};
    // A later check, by the operator's next pod: it still waits, and for the same thing since the same time.
    const later = await releases.until(
      ({ status }) => status?.blockedBy?.[0]?.nextCheckAt !== waiting.status?.blockedBy?.[0]?.nextCheckAt,
      { timeoutMs: 120_000, what: 'the check after the operator was killed' },
    );
    expect(later.status?.blockedBy?.[0]).toMatchObject({ reason: 'MetricNoData', since });
    expect(later.status?.weight).toMatchObject({ requested: 30, routed: 30 });
    await releases.verb('abort', 'nobody came');
    await trafficAtStable();
  });
});

/** Releases, kills the operator once the metric has been looked at, and waits for the abort. */
async function abortedBehindTheGate(change: Record<string, unknown>, timeoutMs: number): Promise<AssistantDeployment> {
  const releases = demo();
  await releases.edit(change);
  await releases.until(({ status }) => (status?.analysis?.[0]?.samples ?? 0) > 0, {
    timeoutMs: 120_000,
    what: 'the first look at the metric',
  });
  await killOperator();
  return releases.until(({ status }) => status?.abort !== undefined, { timeoutMs, what: 'the abort' });
}

async function trafficAtStable(): Promise<void> {
  await demo().until(({ status }) => status?.weight?.routed === 0, { timeoutMs: 30_000, what: 'traffic at stable' });
}

/** Questions that no cache knows. */
function* newQuestions(): Generator<Question, never> {
  for (let n = 1; ; n++) yield { kind: 'new', text: `In one sentence, what is ${n} times ${Date.now()}?` };
}

/** A release of the stable images whose model takes five seconds longer to its first chunk, behind a comparison with the stable release. */
function slow(spec: Spec): Record<string, unknown> {
  const env = [{ name: 'MODEL_URL', value: 'http://slow-model:8080/v1' }];
  return {
    release: 'slow-model',
    components: Object.fromEntries(Object.keys(spec.components).map((name) => [name, { env }])),
    metrics: [
      {
        name: 'first-chunk',
        preset: 'TimeToFirstChunkP95',
        comparedTo: { stable: { maxRatio: '1.5', confidence: '0.99' } },
        minSamples: 10,
      },
    ],
    strategy: {
      type: 'Canary',
      blueGreen: null,
      canary: {
        steps: [{ setWeight: 50 }, { analysis: { metrics: ['first-chunk'], duration: '5m', interval: '5s' } }],
      },
    },
  };
}

/** A proxy in front of the model that holds each answer back for five seconds: a model on a machine that is too busy. */
async function slowModel(verb: 'apply' | 'delete'): Promise<void> {
  const manifest = path.join(inject('stateDir'), 'slow-model.yaml');
  const [chat] = Object.values((await demo().read()).spec.components);
  const text = readFileSync(path.join(import.meta.dirname, 'slow-model.yaml'), 'utf8');
  writeFileSync(manifest, text.replace('image: any', `image: ${chat?.image ?? ''}`));
  await kubectl(verb, '-n', 'assistants', '-f', manifest);
  if (verb === 'apply')
    await kubectl('rollout', 'status', '-n', 'assistants', 'deployment/slow-model', '--timeout=90s');
  rmSync(manifest);
}
