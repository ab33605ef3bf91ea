// Traces of the operator, sent by OTLP/HTTP when OTEL_EXPORTER_OTLP_ENDPOINT names a collector; without it nothing of this file is loaded.
import type { Logger } from '@assistant-platform/runtime';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  type IdGenerator,
  NodeTracerProvider,
  RandomIdGenerator,
} from '@opentelemetry/sdk-trace-node';
import { type RootIds, rootIds } from './controller/rollout-trace.ts';

/** Random ids, but for the root spans of rollouts: theirs follow from the rollout. */
class RolloutIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  readonly #roots: RootIds;

  constructor(roots: RootIds) {
    this.#roots = roots;
  }

  readonly generateTraceId = (): string => this.#roots.next?.traceId ?? this.#random.generateTraceId();
  readonly generateSpanId = (): string => this.#roots.next?.spanId ?? this.#random.generateSpanId();
}

/**
 * Registers the provider.
 * @param endpoint base address of the collector; `/v1/traces` is added as the specification of OTLP/HTTP says.
 * @returns ends it: sends what is left. It never rejects: a collector that is away must not make a clean stop fail, nor hide why the process ends.
 */
export function startTelemetry(endpoint: string, logger: Pick<Logger, 'warn'>): () => Promise<void> {
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  const provider = new NodeTracerProvider({
    idGenerator: new RolloutIds(rootIds),
    // With what the SDK says of itself, and what people add (OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME).
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'assistant-operator' }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }))],
  });
  provider.register();
  return () => provider.shutdown().catch((err: unknown) => logger.warn({ err }, 'the last traces could not be sent'));
}
