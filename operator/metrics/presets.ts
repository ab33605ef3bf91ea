/**
 * The presets: how each is read from the metrics of the pod contract (docs/reference/pod-contract.md). Rates are shares of events. Where more is better (tokens a
 * second, resumed sessions) `value` is as people know it, and the evidence counts what is bad.
 */
import type { MetricPreset } from '@assistant-platform/api';
import type { Evidence, Reading } from '../rollout/analysis/measurement.ts';
import {
  above,
  boundAbove,
  buckets,
  count,
  podMatchers,
  quantile,
  total,
  type Buckets,
  type RevisionPods,
  type Window,
} from './counters.ts';
import type { PrometheusClient } from './prometheus-client.ts';

/** What reading a preset needs. */
export interface PresetContext {
  readonly client: PrometheusClient;
  readonly signal: AbortSignal;
  readonly window: Window;
  /** When the analysis began, epoch ms: what is usual is learned from before. */
  readonly begun: number;
  readonly pods: RevisionPods;
  /** The revision it is compared with: its own past says what "slow" means. Null: there is none. */
  readonly stable: RevisionPods | null;
  /** What is usual, by histogram: learned once for both revisions of a measurement. */
  readonly usual: Map<string, Promise<number | null>>;
}

/** Probes and scrapes are no traffic. */
const TRAFFIC = 'route!~"/healthz|/readyz|/metrics"';

/**
 * What is slow is learned from the time before the analysis, so that the data that are judged have no say in it: from the shortest of these spans with
 * enough events, and from the longest where none has. A busy hour that is over would hide a slow revision, and a whole hour costs Prometheus most where there
 * is most traffic.
 */
const LEARNED_OVER_MS = [5, 15, 60].map((minutes) => minutes * 60_000);
/** Of so many events the share above their own 95th percentile is 5 %, give or take 1.5. */
const LEARNED_FROM = 200;

/** Reads a preset for one revision. @throws PrometheusError */
export function readPreset(preset: MetricPreset, context: PresetContext): Promise<Reading> {
  switch (preset) {
    case 'ErrorRate':
      return share(context, `http_server_request_duration_seconds_count`, `${TRAFFIC},status=~"5.."`, TRAFFIC);
    case 'FallbackRate':
      return share(context, 'assistant_answers_total', 'tier="rules"', '');
    case 'StreamAbortRate':
      return share(context, 'assistant_answers_total', 'outcome=~"aborted|failover"', '');
    case 'SessionResumeRate':
      return resumed(context);
    case 'LatencyP95':
      return slow(context, 'http_server_request_duration_seconds_bucket', TRAFFIC);
    case 'TimeToFirstChunkP95':
      return slow(context, 'gen_ai_client_time_to_first_chunk_seconds_bucket', '');
    case 'TokensPerSecond':
      return tokensPerSecond(context);
    case 'CostPerAnswer':
      return costPerAnswer(context);
  }
}

function select({ pods }: PresetContext, metric: string, matchers: string): string {
  return `${metric}{${[podMatchers(pods), matchers].filter((part) => part !== '').join(',')}}`;
}

const counted = (context: PresetContext, metric: string, matchers: string): Promise<number> =>
  count(context.client, select(context, metric, matchers), context.window, context.signal);

async function share(context: PresetContext, metric: string, bad: string, all: string): Promise<CountedReading> {
  const [events, trials] = await Promise.all([counted(context, metric, bad), counted(context, metric, all)]);
  return reading(events, trials);
}

type CountedReading = Reading & { readonly evidence: Evidence };

/** Two queries see two moments of one counter: a share is never told above 1. */
function reading(events: number, trials: number): CountedReading {
  const capped = Math.min(events, trials);
  return {
    value: trials === 0 ? null : capped / trials,
    samples: trials,
    evidence: { events: capped, trials },
  };
}

async function resumed(context: PresetContext): Promise<Reading> {
  const lost = await share(
    context,
    'assistant_session_resumes_total',
    'outcome="not_recovered"',
    'outcome=~"recovered|not_recovered"',
  );
  const { events, trials } = lost.evidence;
  // Not 1 less the share: 1 - 0.07 is a little less than 0.93.
  return { ...lost, value: trials === 0 ? null : (trials - events) / trials };
}

async function slow(context: PresetContext, metric: string, matchers: string): Promise<Reading> {
  const { client, window, signal, usual } = context;
  const learned = usual.get(metric) ?? usualP95(context, metric, matchers);
  usual.set(metric, learned);
  const [histogram, limit] = await Promise.all([
    buckets(client, select(context, metric, matchers), window, signal),
    learned,
  ]);
  const trials = total(histogram);
  const bound = boundAbove(histogram, limit ?? quantile(histogram, 0.95) ?? 0);
  return {
    value: quantile(histogram, 0.95),
    samples: trials,
    evidence: limit === null ? null : { events: above(histogram, bound), trials },
  };
}

/** The 95th percentile of the stable revision before the analysis began: about one in twenty of its events is above it. */
async function usualP95(context: PresetContext, metric: string, matchers: string): Promise<number | null> {
  const { client, begun, signal, stable } = context;
  if (stable === null) return null;
  let past: Buckets = [];
  for (const span of LEARNED_OVER_MS) {
    const before = { since: begun - span, at: begun };
    past = await buckets(client, select({ ...context, pods: stable }, metric, matchers), before, signal);
    if (total(past) >= LEARNED_FROM) break;
  }
  return quantile(past, 0.95);
}

/** Tokens by the time of the calls that wrote them. A revision that writes slower has more calls that take longer than usual. */
async function tokensPerSecond(context: PresetContext): Promise<Reading> {
  const calls = 'gen_ai_client_operation_duration_seconds';
  const [tokens, seconds, slowCalls] = await Promise.all([
    counted(context, 'gen_ai_client_tokens_total', 'direction="output"'),
    counted(context, `${calls}_sum`, 'outcome="ok"'),
    slow(context, `${calls}_bucket`, 'outcome="ok"'),
  ]);
  return { ...slowCalls, value: seconds === 0 ? null : tokens / seconds };
}

/** Dollars by answer. Costs have no bound that a test could rest on: the ratio is compared as it is. */
async function costPerAnswer(context: PresetContext): Promise<Reading> {
  const [dollars, answers] = await Promise.all([
    counted(context, 'assistant_answer_cost_usd_total', ''),
    counted(context, 'assistant_answers_total', ''),
  ]);
  return { value: answers === 0 ? null : dollars / answers, samples: answers, evidence: null };
}
