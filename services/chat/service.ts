// The chat service, put together: two servers that listen at once, and the parts behind them as they become ready.
import compress from '@fastify/compress';
import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import { createAdminServer } from '@assistant-platform/kit/admin';
import { closeHttpServer, createHttpServer } from '@assistant-platform/kit/http';
import type { StopStep } from '@assistant-platform/kit/lifecycle';
import { openPod, openPodBase } from '@assistant-platform/kit/pod';
import type { Pod, PodBase } from '@assistant-platform/kit/pod';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { createRequestsUnderWay } from './requests-under-way.ts';
import { addRoutes } from './routes.ts';
import type { ChatSettings } from './settings.ts';

export interface ChatService {
  readonly base: PodBase;
  readonly app: FastifyInstance;
  readonly admin: FastifyInstance;
  /** Resolves when the pod is ready. */
  readonly ready: Promise<Pod>;
  /** What ends the service, in order. */
  readonly stopSteps: () => StopStep[];
}

/** Starts listening and returns; secrets, Redis and the rest are opened behind. */
export async function startChat(settings: ChatSettings): Promise<ChatService> {
  const base = openPodBase(settings, 'chat');
  const { log, metrics, lifecycle, identity } = base;
  const common = { log, metrics, lifecycle, revision: identity.revision };
  const underWay = createRequestsUnderWay(lifecycle, metrics);
  let pod: Pod | undefined;

  const app = createHttpServer(common);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  await app.register(helmet);
  // answers of 1,000 bytes and more; event streams are never held back by it.
  await app.register(compress, {
    threshold: 1_000,
    customTypes: /^(application\/(problem\+)?json|text\/(?!event-stream))/,
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Assistant chat', version: identity.release },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    },
    transform: jsonSchemaTransform,
  });
  await app.register((routes, _options, done) => {
    addRoutes(routes, () => pod, underWay);
    routes.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
    done();
  });

  const admin = createAdminServer({ ...common, sessions: underWay, tokenFile: settings.ASSISTANT_ADMIN_TOKEN_FILE });
  await app.listen({ host: settings.HOST, port: settings.PORT });
  await admin.listen({ host: settings.HOST, port: settings.ADMIN_PORT });
  log.info({ port: settings.PORT, adminPort: settings.ADMIN_PORT }, 'chat listens');

  const ready = openPod(base, settings).then((opened) => {
    pod = opened;
    lifecycle.started();
    log.info('chat is ready');
    return opened;
  });
  return {
    base,
    app,
    admin,
    ready,
    stopSteps: () => [
      { name: 'requests', run: () => closeHttpServer(app) },
      { name: 'admin port', run: () => closeHttpServer(admin) },
      ...base.closing,
    ],
  };
}
