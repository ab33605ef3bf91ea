// A Fastify server as all our services want it: request and trace ids, the revision on every answer, problem details
// for every error, request metrics, health routes, and a close that loses no request.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { SpanKind, SpanStatusCode, context, trace } from '@opentelemetry/api';
import type { Span } from '@opentelemetry/api';
import Fastify, { LogController } from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ZodError } from 'zod';
import type { Lifecycle } from './lifecycle.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { Problem, preferredLanguage, problemDetails } from './problems.ts';
import { contextOf, tracer } from './telemetry.ts';

export interface HttpServerOptions {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  readonly revision: string;
  /** Largest request body in bytes. */
  readonly bodyLimit?: number;
}

/** Ids given by a client are taken over when they are harmless in a log line; otherwise we make one. */
const harmlessId = /^[A-Za-z0-9._-]{1,128}$/;

declare module 'fastify' {
  interface FastifyRequest {
    /** The span of this request; handlers run inside it. */
    span?: Span;
  }
}

/** The error of any throw, as a problem. What is not ours and not Fastify's own refusal is `internal`. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof ZodError) {
    const fields = error.issues.map((issue) => ({ field: issue.path.join('.') || '(body)', message: issue.message }));
    return new Problem('invalid_input', { fields });
  }
  const { validation, validationContext, statusCode: status } = (error ?? {}) as Partial<FastifyError>;
  if (validation !== undefined) {
    const where = validationContext ?? 'body';
    const fields = validation.map(({ instancePath, message }) => ({
      field: `${where}${instancePath.replaceAll('/', '.')}`,
      message: message ?? 'is wrong',
    }));
    return new Problem('invalid_input', { fields, cause: error });
  }
  const code =
    status === 413
      ? 'payload_too_large'
      : status === 415
        ? 'unsupported_media_type'
        : status !== undefined && status >= 400 && status < 500
          ? 'bad_request'
          : 'internal';
  return new Problem(code, { cause: error });
}

/** Sends `problem` as application/problem+json. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.retryAfterSeconds !== undefined) void reply.header('retry-after', Math.ceil(problem.retryAfterSeconds));
  const language = preferredLanguage(request.headers['accept-language']);
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .header('content-language', language)
    .send(problemDetails(problem, request.id, language));
}

/** Headers of every answer, also of those that Fastify does not write (streams, socket handshakes). */
export function identityHeaders(revision: string, requestId: string): Record<string, string> {
  return { 'x-assistant-revision': revision, 'x-request-id': requestId };
}

/**
 * Closes the server: nothing new is accepted, requests under way are finished, those that do not arrive whole are cut. Node closes only the
 * connections that are idle at that moment; one that becomes idle later (a stream that ends) would be kept for keepAliveTimeout.
 */
export async function closeHttpServer(app: FastifyInstance): Promise<void> {
  const closer = setInterval(() => app.server.closeIdleConnections(), 50);
  try {
    await app.close();
  } finally {
    clearInterval(closer);
  }
}

/** At the end of a server: how long a request may take to arrive whole. */
const arrivalMs = 2_000;

/** Node waits for a client that has sent nothing, or half a request, and no longer looks at its time limits once a server is closing. */
function cutUnfinishedRequests(app: FastifyInstance): void {
  /** Each connection with the request that is being answered on it. */
  const connections = new Map<Socket, IncomingMessage | undefined>();
  app.server.on('connection', (socket) => {
    connections.set(socket, undefined);
    socket.once('close', () => connections.delete(socket));
  });
  app.server.on('request', (request, response) => {
    const { socket } = request;
    connections.set(socket, request);
    response.once('close', () => {
      if (connections.get(socket) === request) connections.set(socket, undefined);
    });
  });
  app.addHook('preClose', (done) => {
    const cutter = setInterval(() => {
      for (const [socket, request] of connections) if (request?.complete !== true) socket.destroy();
    }, arrivalMs);
    app.server.once('close', () => clearInterval(cutter));
    done();
  });
}

/** Builds the server; the caller adds routes and listens. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { lifecycle, metrics, revision } = options;
  const app = Fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: options.bodyLimit ?? 64 * 1024,
    // While draining requests are still answered: the pod is already leaving its Service, a refusal would be a loss.
    return503OnClosing: false,
    // Longer than a gateway keeps idle connections (Traefik: 90 s), so that we never close one just as it is used.
    keepAliveTimeout: 120_000,
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && harmlessId.test(given) ? given : randomUUID();
    },
  }) as unknown as FastifyInstance;

  cutUnfinishedRequests(app);
  app.addHook('onRequest', (request, reply, done) => {
    void reply.headers(identityHeaders(revision, request.id));
    if (lifecycle.state() === 'draining') void reply.header('connection', 'close');
    const parent = contextOf(request.headers);
    const span = tracer().startSpan(
      `${request.method} ${request.routeOptions.url ?? 'unknown'}`,
      { kind: SpanKind.SERVER, attributes: { 'http.request.method': request.method, 'request.id': request.id } },
      parent,
    );
    request.span = span;
    context.with(trace.setSpan(parent, span), done);
  });

  // Reading the body leaves the async context of onRequest, so handlers enter the span again.
  app.addHook('preHandler', (request, _reply, done) => {
    const { span } = request;
    if (span === undefined) done();
    else context.with(trace.setSpan(context.active(), span), done);
  });

  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const seconds = reply.elapsedTime / 1000;
    metrics.httpRequestSeconds.observe({ method: request.method, route, status: reply.statusCode }, seconds);
    request.span?.setAttribute('http.response.status_code', reply.statusCode);
    if (reply.statusCode >= 500) request.span?.setStatus({ code: SpanStatusCode.ERROR });
    request.span?.end();
    const level = route === '/healthz' || route === '/readyz' || route === '/metrics' ? 'debug' : 'info';
    request.log[level]({ method: request.method, route, status: reply.statusCode, seconds }, 'request');
    done();
  });

  app.setErrorHandler((error, request, reply) => {
    const problem = asProblem(error);
    if (problem.code === 'internal') request.log.error({ err: error }, 'request failed');
    return sendProblem(request, reply, problem);
  });
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, new Problem('not_found')));

  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) => {
    const readiness = lifecycle.readiness();
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  });
  return app;
}
