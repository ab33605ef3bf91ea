// Which of stable's pasts stands in where it has no traffic beside the new revision.
import { expect, it } from 'vitest';
import { resolvedMetrics } from '../rollout/analysis/test-metrics.ts';
import { PrometheusClient } from './prometheus-client.ts';
import { PrometheusSource } from './prometheus-source.ts';

const NOW = Date.UTC(2026, 0, 2);
const HOUR = 3_600_000;
const MINUTE = 60_000;
const UPDATE = '0002bbbb';
const STABLE = '0001aaaa';
const [errors] = resolvedMetrics([
  { name: 'errors', preset: 'ErrorRate', comparedTo: { stable: { maxRatio: '1.5' } }, minSamples: 50 },
]);

/** Measures at 100 % since a minute ago, with stable having served until so long before; tells the ranges, in hours, that stable was asked for. */
async function againstPast(stableUntil: number, requests: number) {
  const asked = new Set<number>();
  const client = new PrometheusClient({
    url: 'http://prometheus:9090',
    fetch: (_, init) => {
      const query = (init?.body as URLSearchParams).get('query') ?? '';
      const range = Number(/last_over_time\(.*?\[(\d+)ms\]/.exec(query)?.[1]);
      const ofStable = query.includes(STABLE);
      if (ofStable) asked.add(range / HOUR);
      const count = query.includes('status=~') ? 1 : requests;
      const served = !ofStable || range > stableUntil;
      const result = served ? [{ metric: {}, value: [NOW / 1000, String(count)] }] : [];
      return Promise.resolve(Response.json({ status: 'success', data: { resultType: 'vector', result } }));
    },
  });
  const since = NOW - MINUTE;
  const revisions = { revision: UPDATE, stableRevision: STABLE, components: ['chat'] };
  const result = await new PrometheusSource(client, () => NOW).measure(
    {
      metric: errors!,
      subject: { name: 'support', namespace: 'assistants' },
      order: { metric: 'errors', since, dueAt: NOW, againstPast: true, ...revisions },
    },
    new AbortController().signal,
  );
  return { asked: [...asked], stable: result.kind === 'Reading' ? result.stable : result };
}

it('[R-295] the hour before is enough where it has enough', async () => {
  const { asked, stable } = await againstPast(MINUTE, 1000);
  expect(stable).toMatchObject({ samples: 1000, evidence: { events: 1, trials: 1000 } });
  expect(asked).toEqual([1]);
});

it('[R-295] behind a pause at 100 % the hours before that pause stand in', async () => {
  const { asked, stable } = await againstPast(2 * HOUR, 1000);
  expect(stable).toMatchObject({ samples: 1000, evidence: { events: 1, trials: 1000 } });
  expect(asked).toEqual([1, 6]);
});

it('[R-295] no more than a day is looked at, whatever that has', async () => {
  const few = await againstPast(2 * HOUR, 20);
  expect(few.stable).toMatchObject({ samples: 20 });
  expect(few.asked).toEqual([1, 6, 24]);
  expect((await againstPast(48 * HOUR, 1000)).stable).toMatchObject({ value: null, samples: 0 });
});
