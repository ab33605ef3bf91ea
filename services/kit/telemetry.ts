// Traces: a provider is always registered, so that every request has a W3C trace id in logs, headers and frames;
// spans leave the process only when OTEL_EXPORTER_OTLP_ENDPOINT names a collector.
import { SpanStatusCode, context, propagation, trace } from '@opentelemetry/api';
import type { Attributes, Context, Span } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { LogIdentity, Logger } from './log.ts';

export interface Telemetry {
  /** Ends tracing: sends what is left. Never rejects: a collector that is away must not make a clean stop fail. */
  close(): Promise<void>;
}

/**
 * @param endpoint base address of an OTLP/HTTP collector; `/v1/traces` is added as the specification says
 * @param processors further span processors (tests look at spans with one)
 */
export function startTelemetry(
  identity: LogIdentity,
  endpoint: string | undefined,
  log: Pick<Logger, 'warn'>,
  processors: readonly SpanProcessor[] = [],
): Telemetry {
  const spanProcessors = [...processors];
  if (endpoint !== undefined) {
    const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
    spanProcessors.push(new BatchSpanProcessor(new OTLPTraceExporter({ url })));
  }
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      'service.name': identity.component,
      'service.version': identity.release,
      'assistant.revision': identity.revision,
    }),
    spanProcessors,
  });
  provider.register();
  const close = () =>
    provider.shutdown().catch((error: unknown) => log.warn({ err: error }, 'the last traces could not be sent'));
  return { close };
}

/** The tracer of the services. Before startTelemetry (in unit tests) it gives spans that do nothing. */
export const tracer = () => trace.getTracer('assistant-platform');

/** Runs `work` in a span; the span ends with it and carries its error. */
export async function inSpan<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
  parent: Context = context.active(),
): Promise<T> {
  return await tracer().startActiveSpan(name, { attributes }, parent, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.recordException(error instanceof Error ? error : String(error));
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** The context that a W3C `traceparent` names, for a carrier such as request headers or a socket frame. */
export function contextOf(carrier: Readonly<Record<string, unknown>>): Context {
  return propagation.extract(context.active(), carrier);
}

/** Headers that carry the current trace on to another service. */
export function traceHeaders(): Record<string, string> {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier;
}
