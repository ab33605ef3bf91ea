import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { expect, test } from 'vitest';
import { defaultLogLimits, StorageUnavailable } from '../kit/conversation/log.ts';
import { createHttpServer } from '../kit/http.ts';
import { createLifecycle } from '../kit/lifecycle.ts';
import { createLogger } from '../kit/log.ts';
import { createMetrics } from '../kit/metrics.ts';
import type { Pod } from '../kit/pod.ts';
import { createRequestsUnderWay } from './requests-under-way.ts';
import { addRoutes } from './routes.ts';

const identity = { component: 'chat', revision: 'r', release: '1' };

test('nobody is asked to answer a client that left while its token was checked', async () => {
  const checking = Promise.withResolvers<undefined>();
  const checked = Promise.withResolvers<{ user: string }>();
  const asked = Promise.withResolvers<AbortSignal>();
  const log = createLogger('silent', identity);
  const pod = {
    log,
    tokens: {
      verify: () => {
        checking.resolve(undefined);
        return checked.promise;
      },
    },
    flags: { isOn: () => Promise.resolve(false) },
    conversations: { limits: defaultLogLimits, appendMessage: () => Promise.reject(new StorageUnavailable('away')) },
    engine: {
      answer: ({ signal }: { signal: AbortSignal }) => {
        asked.resolve(signal);
        return Promise.resolve({ text: '', tier: 'model', degraded: false, outcome: 'aborted' });
      },
    },
  } as unknown as Pod;
  const lifecycle = createLifecycle();
  const metrics = createMetrics(identity, false);
  const app = createHttpServer({ log, metrics, lifecycle, revision: 'r' });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  addRoutes(app, () => pod, createRequestsUnderWay(lifecycle, metrics));
  await app.listen({ host: '127.0.0.1', port: 0 });

  const seen = once(app.server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  const client = httpRequest({
    port: (app.server.address() as AddressInfo).port,
    host: '127.0.0.1',
    path: '/v1/conversations/c/messages',
    method: 'POST',
    headers: { authorization: 'Bearer x', 'content-type': 'application/json' },
  });
  client.on('error', () => undefined);
  client.end('{"text":"hello"}');
  const [, answer] = await seen;
  await checking.promise;
  client.destroy();
  await once(answer, 'close');
  checked.resolve({ user: 'anna' });
  expect((await asked.promise).aborted).toBe(true);
  await app.close();
});
