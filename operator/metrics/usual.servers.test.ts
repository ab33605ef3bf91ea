// What is usual, learned from stable's past, on a real Prometheus that has an hour of it.
import { afterEach, expect, it } from 'vitest';
import { startPrometheus, type PrometheusServer } from '../../test/servers/prometheus.ts';
import { resolvedMetrics } from '../rollout/analysis/test-metrics.ts';
import { revisionObjectName } from '../rollout/names.ts';
import { PrometheusClient } from './prometheus-client.ts';
import { PrometheusSource } from './prometheus-source.ts';

const METRIC = 'gen_ai_client_time_to_first_chunk_seconds';
const BOUNDS = [0.5, 1, 2.5, 5, 10, Infinity];
const SCRAPE_SECONDS = 15;
const HOUR = 3600;
/** How long the new revision has been judged, in seconds. */
const JUDGED = 120;
const STABLE = '0001aaaa';
const UPDATE = '0002bbbb';

let prometheus: PrometheusServer;
afterEach(() => prometheus.remove());

/** Events between two scrapes, and how long each took, `ago` seconds ago. */
type Past = (ago: number) => { readonly events: number; readonly seconds: number };

const quick = { events: 5, seconds: 0.8 };
const tooBusy = { events: 40, seconds: 7 };
const none = { events: 0, seconds: 0 };

/** Overloaded until twenty minutes ago, and as soon as ever since. */
const overIt: Past = (ago) => (ago > 1200 ? tooBusy : quick);
/** The new revision takes as long as stable took when it was overloaded. */
const slowUpdate: Past = (ago) => (ago > JUDGED ? none : tooBusy);

it('[R-295] an overload that is over does not hide a revision that is as slow without one', async () => {
  const { update, stable } = await judged(overIt, slowUpdate);
  expect(update.evidence?.trials).toBeGreaterThan(200);
  expect(update.evidence?.events).toBe(update.evidence?.trials);
  expect(stable.evidence).toMatchObject({ events: 0 });
});

it('[R-295] few events in the minutes before: the whole hour says what is usual', async () => {
  // Three in a quarter of an hour, 12 in the hour, one of them slow: too few minutes to say that this one is unusual.
  const seldom: Past = (ago) => {
    if (ago % 300 >= SCRAPE_SECONDS) return none;
    return { events: 1, seconds: ago < HOUR && ago > HOUR - 600 ? 7 : 0.8 };
  };
  const { update } = await judged(seldom, slowUpdate);
  expect(update.evidence).toMatchObject({ events: 0 });
});

it('[R-295] a revision that has all the traffic is compared with what stable was before', async () => {
  // Stable served until the switch, the new revision since.
  const until: Past = (ago) => (ago > JUDGED ? quick : none);
  const now = await judged(until, slowUpdate);
  expect(now.stable).toMatchObject({ value: null, samples: 0 });
  await prometheus.remove();
  const past = await judged(until, slowUpdate, { againstPast: true });
  expect(past.update).toEqual(now.update);
  expect(past.stable.samples).toBeGreaterThan(1000);
  expect(past.stable.evidence).toMatchObject({ events: 0 });
});

async function judged(stable: Past, update: Past, { againstPast = false } = {}) {
  const now = Math.floor(Date.now() / 1000);
  prometheus = await startPrometheus([], {
    past: `# TYPE ${METRIC} histogram\n${series(STABLE, now, stable)}${series(UPDATE, now, update)}# EOF\n`,
  });
  const [metric] = resolvedMetrics([
    { name: 'first-chunk', preset: 'TimeToFirstChunkP95', comparedTo: { stable: { maxRatio: '1.5' } } },
  ]);
  const since = (now - JUDGED) * 1000;
  const revisions = { revision: UPDATE, stableRevision: STABLE };
  const reading = await new PrometheusSource(new PrometheusClient({ url: prometheus.url }), () => now * 1000).measure(
    {
      metric: metric!,
      subject: { name: 'support', namespace: 'assistants' },
      order: { metric: 'first-chunk', since, components: ['chat'], dueAt: since, againstPast, ...revisions },
    },
    AbortSignal.timeout(30_000),
  );
  if (reading.kind !== 'Reading' || reading.stable === null) throw new Error(JSON.stringify(reading));
  return { update: reading.update, stable: reading.stable };
}

/** The histogram of a revision's pod as it was scraped over the last hour and five minutes. */
function series(revision: string, now: number, past: Past): string {
  const labels = `namespace="assistants",pod="${revisionObjectName('support', 'chat', revision)}-7b5d-aaaaa"`;
  const counts = BOUNDS.map(() => 0);
  const lines: string[] = [];
  for (let ago = HOUR + 300; ago >= 0; ago -= SCRAPE_SECONDS) {
    const { events, seconds } = past(ago);
    for (const [index, bound] of BOUNDS.entries()) {
      if (seconds <= bound) counts[index] = (counts[index] ?? 0) + events;
      const le = bound === Infinity ? '+Inf' : bound;
      lines.push(`${METRIC}_bucket{${labels},le="${le}"} ${counts[index]} ${now - ago}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
