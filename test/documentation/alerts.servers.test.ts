// The alerts that docs/how-to/observe.md recommends, asked of a real Prometheus: they are silent while all is well, whatever other operators of the
// cluster tell, and each speaks of its trouble.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PrometheusClient } from '../../operator/metrics/prometheus-client.ts';
import { startPrometheus, type PrometheusServer } from '../servers/prometheus.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/how-to/observe.md'), 'utf8');
const QUERIES = [...page.matchAll(/^\| `(.+)`(?: for \d+ m)? \| .+ \|$/gm)].map(([, query = '']) =>
  query.replaceAll('\\|', '|'),
);

const EVERY = 15;
const SPAN = 3600;
const [WELL, TROUBLE] = [Math.floor(Date.now() / 1000) - 12 * SPAN, Math.floor(Date.now() / 1000) - 6 * SPAN];

/** A series with its value so many seconds before the end. */
type Line = readonly [name: string, labels: string, value: (ago: number) => number];

const ASSISTANT = 'namespace="assistants",name="support"';
const OURS = 'controller="assistantdeployment"';
const THEIRS = 'controller="backup"';
const info = (phase: string): Line => ['assistant_rollout_info', `${ASSISTANT},phase="${phase}"`, () => 1];
const blocked = (reason: string): Line => ['assistant_rollout_blocked', `${ASSISTANT},reason="${reason}"`, () => 1];
const leader = (name: string, pod: string, value: number): Line => [
  'leader_election_master_status',
  `name="${name}",pod="${pod}"`,
  () => value,
];
const longest = (name: string, seconds: number): Line => [
  'workqueue_longest_running_processor_seconds',
  `name="${name}",controller="${name}"`,
  () => seconds,
];
/** One failure every so many seconds, of which the API server's clock counts only whole ones. */
const errors = (labels: string, everySeconds: number): Line => [
  'controller_runtime_reconcile_errors_total',
  labels,
  (ago) => Math.floor((SPAN - ago) / everySeconds),
];

/** Another operator of the cluster: it leads, hangs and fails. */
const OTHER = [leader('backup', 'c', 1), longest('backup', 600), errors(THEIRS, 1)];
const WORLDS: Readonly<Record<number, readonly Line[]>> = {
  [WELL]: [
    ...[...OTHER, info('Healthy'), blocked('CanaryPauseStep')],
    ...[leader('assistant-operator', 'a', 1), leader('assistant-operator', 'b', 0)],
    ...[longest('assistantdeployment', 2), errors(OURS, Infinity)],
  ],
  // Both replicas are there and neither leads; one assistant fails for good, at the longest backoff of the work queue.
  [TROUBLE]: [
    ...[...OTHER, info('Degraded'), blocked('WriteRefused')],
    ...[leader('assistant-operator', 'a', 0), leader('assistant-operator', 'b', 0)],
    ...[longest('assistantdeployment', 90), errors(OURS, 330)],
  ],
};

function openMetrics(): string {
  const samples = Object.entries(WORLDS).flatMap(([end, lines]) =>
    lines.flatMap(([name, labels, value]) =>
      Array.from({ length: SPAN / EVERY + 1 }, (_unused, index) => SPAN - index * EVERY).map((ago) => ({
        name,
        line: `${name}{${labels}} ${value(ago)} ${Number(end) - ago}`,
      })),
    ),
  );
  const families = Map.groupBy(samples, ({ name }) => name);
  return `${[...families]
    .flatMap(([name, rows]) => [
      `# TYPE ${name.replace(/_total$/, '')} ${name.endsWith('_total') ? 'counter' : 'gauge'}`,
      ...rows.map(({ line }) => line),
    ])
    .join('\n')}\n# EOF\n`;
}

let prometheus: PrometheusServer;
let client: PrometheusClient;
beforeAll(async () => {
  prometheus = await startPrometheus([], { past: openMetrics() });
  client = new PrometheusClient({ url: prometheus.url });
});
afterAll(() => prometheus.remove());

const answers = async (query: string, at: number): Promise<number> =>
  (await client.query(query, at * 1000, AbortSignal.timeout(10_000))).length;

it('there are some', () => {
  expect(QUERIES.length).toBeGreaterThanOrEqual(5);
});

it.each(QUERIES)('%s', async (query) => {
  expect(await answers(query, WELL)).toBe(0);
  expect(await answers(query, TROUBLE)).toBe(1);
});

it('nobody leads where nobody is scraped, too', async () => {
  const query = QUERIES.find((each) => each.includes('leader_election')) ?? '';
  expect(await answers(query, TROUBLE - 3 * SPAN)).toBe(1);
});
