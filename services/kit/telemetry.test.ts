import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { trace } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { createLogger } from './log.ts';
import { startTelemetry } from './telemetry.ts';

const identity = { component: 'test', revision: 'r', release: '1' };

test('a collector that refuses the last traces does not make a stop fail: it is told', async () => {
  const collector = createServer((request, response) =>
    request.resume().on('end', () => response.writeHead(400).end()),
  );
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const lines: string[] = [];
  const log = createLogger('warn', identity, { write: (line) => void lines.push(line) });
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const telemetry = startTelemetry(identity, endpoint, log);
  trace.getTracer('test').startSpan('last').end();
  await expect(telemetry.close()).resolves.toBeUndefined();
  expect(lines).toEqual([expect.stringContaining('the last traces could not be sent')]);
  await new Promise((resolve) => collector.close(resolve));
});
