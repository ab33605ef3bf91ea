// Every metric name of the services, in one place: the operator's presets, the dashboards and the alerts read them.
// Labels that all carry: component, revision. Durations are in seconds, as Prometheus wants them.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Bounds for requests and answers: from a cached answer to a stream that takes half a minute. */
const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Bounds for drains. */
const drainBuckets = [1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];

/** The metrics of one process. Each process has its own registry, so that tests can start several side by side. */
export type Metrics = ReturnType<typeof createMetrics>;

/** @param processMetrics also collect memory, event-loop delay and the like (off in unit tests) */
export function createMetrics(labels: { component: string; revision: string }, processMetrics = true) {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  if (processMetrics) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    httpRequestSeconds: new Histogram({
      name: 'http_server_request_duration_seconds',
      help: 'Time from the first byte of a request to the last byte of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: secondsBuckets,
      registers,
    }),
    realtimeConnections: new Gauge({
      name: 'assistant_realtime_connections',
      help: 'Open sockets by state: idle, or busy with an answer.',
      labelNames: ['state'],
      registers,
    }),
    realtimeMessages: new Counter({
      name: 'assistant_realtime_messages_total',
      help: 'Frames by direction and type.',
      labelNames: ['direction', 'type'],
      registers,
    }),
    realtimeCloses: new Counter({
      name: 'assistant_realtime_closes_total',
      help: 'Closed sockets by close code.',
      labelNames: ['code'],
      registers,
    }),
    sessionResumes: new Counter({
      name: 'assistant_session_resumes_total',
      help: 'Conversations taken up again: recovered with all that was missed, not_recovered, or new.',
      labelNames: ['outcome'],
      registers,
    }),
    drainSeconds: new Histogram({
      name: 'assistant_drain_seconds',
      help: 'Time from the order to drain to the last closed session.',
      labelNames: ['outcome'],
      buckets: drainBuckets,
      registers,
    }),
    modelOperationSeconds: new Histogram({
      name: 'gen_ai_client_operation_duration_seconds',
      help: 'Time of one call to a model, to its end or failure.',
      labelNames: ['tier', 'outcome'],
      buckets: secondsBuckets,
      registers,
    }),
    modelFirstChunkSeconds: new Histogram({
      name: 'gen_ai_client_time_to_first_chunk_seconds',
      help: 'Time from the call to the first text that a model gave.',
      labelNames: ['tier'],
      buckets: secondsBuckets,
      registers,
    }),
    modelTokens: new Counter({
      name: 'gen_ai_client_tokens_total',
      help: 'Tokens read (input) and written (output) by models.',
      labelNames: ['direction'],
      registers,
    }),
    answers: new Counter({
      name: 'assistant_answers_total',
      help: 'Answers by the tier that gave them and how they ended.',
      labelNames: ['tier', 'outcome'],
      registers,
    }),
    answerCostUsd: new Counter({
      name: 'assistant_answer_cost_usd_total',
      help: 'Cost of model calls in US dollars, by the price per token of each tier; the local model costs nothing.',
      labelNames: ['tier'],
      registers,
    }),
    breakerState: new Gauge({
      name: 'assistant_dependency_breaker_state',
      help: 'Circuit breaker of a dependency: 0 closed, 1 half-open, 2 open.',
      labelNames: ['dependency'],
      registers,
    }),
    dependencyUp: new Gauge({
      name: 'assistant_dependency_up',
      help: '1 when the dependency answered at its last use or check.',
      labelNames: ['dependency'],
      registers,
    }),
  };
}
