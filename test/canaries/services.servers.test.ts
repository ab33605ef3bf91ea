// The presets over the real services, each new revision with a real fault: one release of each kind here, a hundred in `npm run bench:presets`. What
// made-up traffic cannot show: that the services count what the presets read.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PrometheusClient } from '../../operator/metrics/prometheus-client.ts';
import { PrometheusSource } from '../../operator/metrics/prometheus-source.ts';
import { entryOf, judge, standingOf, type Watch } from '../../operator/rollout/analysis/judge.ts';
import { PRESETS } from './made-up.ts';
import {
  EACH,
  INTERVAL_MS,
  metricsOf,
  NAMESPACE,
  orderOf,
  presetsOf,
  RealServices,
  type Canary,
} from './real-services.ts';
import { bad, good } from './releases.ts';

const MAX_RATIO = '2.5';

let services: RealServices;
let canaries: readonly Canary[];

beforeAll(async () => {
  services = await RealServices.start();
  canaries = await services.run([
    good('good', 'chat'),
    good('resumes', 'realtime'),
    ...PRESETS.map((preset) => bad(`bad-${preset.toLowerCase()}`, preset)),
  ]);
}, 180_000);
afterAll(async () => {
  await services.stop();
});

test('[R-292] [R-295] each fault of a real service is seen by its own metric, and a good release passes all', async () => {
  const outcomes = await services.judge(
    3,
    (release) => (release.seenBy === null ? presetsOf(release) : [release.seenBy]),
    MAX_RATIO,
  );
  const told = outcomes.map(({ release, verdicts }) => {
    return `  ${release.fault.padEnd(50)} ${verdicts.map(({ message }) => message).join('; ')}`;
  });
  console.log(told.join('\n'));
  const wrong = outcomes.flatMap(({ release, verdicts }) =>
    verdicts.flatMap(({ kind, message }) =>
      kind === (release.seenBy === null ? 'Good' : 'Failed') ? [] : [`${release.name} is ${kind}: ${message}`],
    ),
  );
  expect(wrong, wrong.join('; ')).toEqual([]);
}, 180_000);

test('[R-296] a Prometheus that hangs, then dies, counts as errors in a row; back again it knows what was scraped before', async () => {
  const { prometheus } = services;
  const [metric] = metricsOf(['ErrorRate'], MAX_RATIO);
  const client = new PrometheusClient({ url: prometheus.url, timeoutMs: 500 });
  const source = new PrometheusSource(client, Date.now);
  const since = Date.now();
  const watch: Watch = { metric: metric!, since, intervalMs: INTERVAL_MS, endsAt: null, errorProbability: 0.01 };
  const order = orderOf('errorrate', 'chat', since);
  const request = { order, metric: metric!, subject: { name: 'good', namespace: NAMESPACE } };
  let [entry, checks] = [entryOf(watch, []), 0];
  const check = async (): Promise<typeof entry> => {
    const result = await source.measure(request, AbortSignal.timeout(30_000));
    checks += 1;
    entry = judge(watch, entry, { metric: 'errorrate', since, at: since + checks * INTERVAL_MS, result });
    return entry;
  };
  await Promise.all([services.questions(services.stable('chat')), services.questions(canaries[0]!)]);
  await prometheus.scraped();
  expect(await check()).toMatchObject({ errors: 0, samples: EACH });

  prometheus.process().freeze();
  expect(await check()).toMatchObject({ verdict: 'SourceError', errors: 1 });
  expect(entry.message).toMatch(/does not answer within 500 ms/);
  await prometheus.down('crash');
  const dead = await check();
  expect(dead).toMatchObject({ verdict: 'SourceError', errors: 2 });
  expect(standingOf(watch, dead, true)).toMatchObject({ kind: 'Waits', reason: 'MetricSourceError' });
  expect(dead.message).toMatch(/does not answer: ECONNREFUSED/);

  await prometheus.up();
  await prometheus.scraped();
  expect(await check()).toMatchObject({ errors: 0, checks: 4, samples: EACH });
  expect(entry.verdict).not.toBe('SourceError');
}, 60_000);
