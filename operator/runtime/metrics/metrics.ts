// Every metric of this package, under the names and labels of client-go and controller-runtime (v0.22), so that stock
// dashboards and alerts work unchanged. Sources: controller-runtime pkg/internal/controller/metrics, pkg/metrics;
// client-go tools/metrics, util/workqueue/metrics.go, tools/cache/reflector_metrics.go, tools/leaderelection/metrics.go.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const exponential = (start: number, factor: number, count: number) =>
  Array.from({ length: count }, (_unused, index) => start * factor ** index);

// workqueue: 1e-8 .. 1e1 s, as client-go.
const queueBuckets = exponential(10e-9, 10, 10);
// controller-runtime's reconcile time buckets, s.
const reconcileBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
const requestBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

const counter = <L extends string>(registry: Registry, name: string, help: string, labelNames: readonly L[]) =>
  new Counter<L>({ name, help, labelNames: [...labelNames], registers: [registry] });
const gauge = <L extends string>(registry: Registry, name: string, help: string, labelNames: readonly L[]) =>
  new Gauge<L>({ name, help, labelNames: [...labelNames], registers: [registry] });
const histogram = <L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly L[],
  buckets: number[],
) => new Histogram<L>({ name, help, labelNames: [...labelNames], buckets, registers: [registry] });

const families = (r: Registry) => ({
  client: {
    requests: counter(r, 'rest_client_requests_total', 'Number of HTTP requests, by status code, method and host.', [
      'code',
      'method',
      'host',
    ]),
    retries: counter(r, 'rest_client_request_retries_total', 'Number of request retries, by code, verb and host.', [
      'code',
      'verb',
      'host',
    ]),
    duration: histogram(
      r,
      'rest_client_request_duration_seconds',
      'Request latency in seconds, by verb and host.',
      ['verb', 'host'],
      requestBuckets,
    ),
    limited: histogram(
      r,
      'rest_client_rate_limiter_duration_seconds',
      'Client-side rate limiter latency in seconds, by verb and host.',
      ['verb', 'host'],
      requestBuckets,
    ),
  },
  queue: {
    depth: gauge(r, 'workqueue_depth', 'Current depth of workqueue, by priority.', ['name', 'controller', 'priority']),
    adds: counter(r, 'workqueue_adds_total', 'Total number of adds handled by workqueue.', ['name', 'controller']),
    waited: histogram(
      r,
      'workqueue_queue_duration_seconds',
      'How long in seconds an item stays in workqueue before being requested.',
      ['name', 'controller'],
      queueBuckets,
    ),
    worked: histogram(
      r,
      'workqueue_work_duration_seconds',
      'How long in seconds processing an item from workqueue takes.',
      ['name', 'controller'],
      queueBuckets,
    ),
    retries: counter(r, 'workqueue_retries_total', 'Total number of retries handled by workqueue.', [
      'name',
      'controller',
    ]),
  },
  controller: {
    reconciles: counter(r, 'controller_runtime_reconcile_total', 'Total number of reconciliations per controller.', [
      'controller',
      'result',
    ]),
    errors: counter(
      r,
      'controller_runtime_reconcile_errors_total',
      'Total number of reconciliation errors per controller.',
      ['controller'],
    ),
    terminalErrors: counter(
      r,
      'controller_runtime_terminal_reconcile_errors_total',
      'Total number of terminal reconciliation errors per controller.',
      ['controller'],
    ),
    timeouts: counter(
      r,
      'controller_runtime_reconcile_timeouts_total',
      'Total number of reconciliation timeouts per controller.',
      ['controller'],
    ),
    time: histogram(
      r,
      'controller_runtime_reconcile_time_seconds',
      'Length of time per reconciliation per controller.',
      ['controller'],
      reconcileBuckets,
    ),
    maxWorkers: gauge(
      r,
      'controller_runtime_max_concurrent_reconciles',
      'Maximum number of concurrent reconciles per controller.',
      ['controller'],
    ),
    activeWorkers: gauge(r, 'controller_runtime_active_workers', 'Number of currently used workers per controller.', [
      'controller',
    ]),
  },
  informer: {
    lists: counter(r, 'reflector_lists_total', 'Total number of API lists done by the reflectors.', ['name']),
    watches: counter(r, 'reflector_watches_total', 'Total number of API watches done by the reflectors.', ['name']),
    failures: counter(r, 'reflector_failures_total', 'Lists and watches that failed, by reason.', ['name', 'reason']),
    objects: gauge(r, 'reflector_store_objects', 'Objects held in the store of the informer.', ['name']),
  },
  leader: {
    status: gauge(r, 'leader_election_master_status', '1 while this process holds the lease, 0 while it does not.', [
      'name',
    ]),
  },
  events: {
    recorded: counter(r, 'event_recorder_events_total', 'Events by outcome: created, series, dropped or failed.', [
      'outcome',
    ]),
  },
});

/** The metric families of this package on one registry. */
export type RuntimeMetrics = ReturnType<typeof families>;

const known = new WeakMap<Registry, RuntimeMetrics>();

/** The metrics of this package on the given registry: made at first use, the same ones afterwards. */
export const runtimeMetrics = (registry: Registry): RuntimeMetrics => {
  const existing = known.get(registry);
  if (existing) return existing;
  const made = families(registry);
  known.set(registry, made);
  return made;
};

/** A gauge computed when it is scraped, for example the age of the oldest running work. */
export const computedGauge = <L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly L[],
  compute: (set: (labels: Record<L, string>, value: number) => void) => void,
): Gauge<L> =>
  new Gauge<L>({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      compute((labels, value) => this.set(labels as Parameters<Gauge<L>['set']>[0] & Record<L, string>, value));
    },
  });

export { Registry };
