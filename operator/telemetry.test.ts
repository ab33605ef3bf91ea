import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { trace } from '@opentelemetry/api';
import { jsonLogger } from '@assistant-platform/runtime';
import { afterEach, expect, it, vi } from 'vitest';
import { startTelemetry } from './telemetry.ts';

it('a collector that refuses the last traces does not make a stop fail: it is told', async () => {
  const collector = createServer((request, response) =>
    request.resume().on('end', () => response.writeHead(400).end()),
  );
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const lines: string[] = [];
  const end = startTelemetry(
    `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    jsonLogger((line) => void lines.push(line)),
  );
  trace.getTracer('test').startSpan('last').end();
  await expect(end()).resolves.toBeUndefined();
  expect(lines).toMatchObject([expect.stringContaining('the last traces could not be sent')]);
  await new Promise((resolve) => collector.close(resolve));
});

afterEach(() => {
  vi.unstubAllEnvs();
  trace.disable();
});

it('what is sent says which SDK made it, of which service, and what people add by the environment', async () => {
  vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'k8s.pod.name=operator-1,deployment.environment.name=test');
  interface Export {
    readonly resourceSpans: readonly { readonly resource: { readonly attributes: readonly Attribute[] } }[];
  }
  interface Attribute {
    readonly key: string;
    readonly value: { readonly stringValue?: string };
  }
  const bodies: string[] = [];
  const collector = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(body);
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const end = startTelemetry(`http://127.0.0.1:${(collector.address() as AddressInfo).port}`, jsonLogger());
  trace.getTracer('test').startSpan('last').end();
  await end();
  await new Promise((resolve) => collector.close(resolve));
  const [sent] = bodies.map((body) => JSON.parse(body) as Export);
  const attributes = Object.fromEntries(
    (sent?.resourceSpans[0]?.resource.attributes ?? []).map(({ key, value }) => [key, value.stringValue]),
  );
  expect(attributes).toMatchObject({
    'service.name': 'assistant-operator',
    'telemetry.sdk.name': 'opentelemetry',
    'telemetry.sdk.language': 'nodejs',
    'k8s.pod.name': 'operator-1',
    'deployment.environment.name': 'test',
  });
});
