// The controller runtime: what a Kubernetes operator needs besides its decision. Everything public is exported here; each
// folder is one concept and opens with what it is. It knows nothing of assistants. See README.md for a whole small operator.
export * from './cache/informer.ts';
export * from './cache/label-selector.ts';
export * from './cache/observed-writes.ts';
export type { Indexer } from './cache/store.ts';
export { defaultWatchTuning, WatcherError, type WatchTuning } from './cache/watcher.ts';
export * from './client/api.ts';
export { ApiClient, type ApiClientOptions, defaultPageSize } from './client/api-client.ts';
export * from './client/connection.ts';
export * from './client/errors.ts';
export { type RateLimit, TokenBucket } from './client/token-bucket.ts';
export { inTime } from './clock/abort.ts';
export * from './clock/clock.ts';
export * from './election/leader-elector.ts';
export * from './log/logger.ts';
export type { Check } from './manager/http-server.ts';
export * from './manager/manager.ts';
export * from './manager/stop-signal.ts';
export { computedGauge, Registry, type RuntimeMetrics, runtimeMetrics } from './metrics/metrics.ts';
export * from './objects/builtin.ts';
export * from './objects/objects.ts';
export * from './objects/resource-type.ts';
export { backoffDelay, type BackoffPolicy, LoopBackoff } from './queue/backoff.ts';
export { type AddOptions, priority, type Work, WorkQueue, type WorkQueueOptions } from './queue/work-queue.ts';
export * from './reconcile/controller.ts';
export * from './reconcile/result.ts';
export * from './reconcile/sources.ts';
export { type EventInput, EventRecorder, type EventRecorderOptions } from './recorder/event-recorder.ts';
