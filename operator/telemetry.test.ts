import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { trace } from '@opentelemetry/api';
import { jsonLogger } from '@assistant-platform/runtime';
import { expect, it } from 'vitest';
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
