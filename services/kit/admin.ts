// The admin port of the pod contract (docs/reference/pod-contract.md): metrics, sessions, drain. Never routed by a gateway;
// NetworkPolicy guards the reads, a bearer token the orders.
import { timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { createHttpServer } from './http.ts';
import type { HttpServerOptions } from './http.ts';
import { Problem } from './problems.ts';
import { bearerToken } from './tokens.ts';

/** What GET /sessions answers. `oldestSeconds` is 0 when none is open. */
export interface SessionCounts {
  readonly open: number;
  readonly busy: number;
  readonly oldestSeconds: number;
  readonly draining: boolean;
}

/**
 * Body of POST /drain. An empty body means the defaults of the AssistantDeployment: ten minutes, 50 a second. The deadline is counted from the arrival
 * of the order, also of a repeated one.
 */
export const drainOrder = z.strictObject({
  deadlineSeconds: z.number().min(0).max(86_400).default(600),
  closePerSecond: z.number().gt(0).max(100_000).default(50),
});
export type DrainOrder = z.output<typeof drainOrder>;

/** What the admin port needs of the service behind it. */
export interface Sessions {
  /** Also brings gauges up to date. */
  counts(): SessionCounts;
  /** Idempotent: the first order starts the drain, a later one may change its pace and deadline. */
  drain(order: DrainOrder): void;
}

/** @throws Problem `forbidden` without a token file, `unauthorized` for a missing or wrong token */
async function checkAdminToken(request: FastifyRequest, tokenFile: string | undefined): Promise<void> {
  if (tokenFile === undefined) {
    throw new Problem('forbidden', { detail: 'ASSISTANT_ADMIN_TOKEN_FILE is not set: orders are refused' });
  }
  const given = Buffer.from(bearerToken(request.headers.authorization) ?? '');
  // Read at each use: the kubelet swaps the file when the Secret changes.
  const expected = Buffer.from((await readFile(tokenFile, 'utf8')).trim());
  if (expected.length === 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new Problem('unauthorized', { detail: 'the admin token is missing or wrong' });
  }
}

/** Builds the admin server; the caller listens on ADMIN_PORT. */
export function createAdminServer(
  options: HttpServerOptions & { readonly sessions: Sessions; readonly tokenFile: string | undefined },
): FastifyInstance {
  const app = createHttpServer(options);
  const { sessions, tokenFile, metrics } = options;

  app.get('/metrics', async (_request, reply) => {
    // Gauges of sockets and dependencies are set when they are looked at.
    options.lifecycle.readiness();
    sessions.counts();
    return await reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  app.get('/sessions', () => sessions.counts());
  app.post('/drain', async (request) => {
    await checkAdminToken(request, tokenFile);
    const order = drainOrder.parse(request.body ?? {});
    sessions.drain(order);
    return sessions.counts();
  });
  app.post('/faults', async (request) => {
    await checkAdminToken(request, tokenFile);
    // A fault that is not injected must not look injected: an experiment sees 501 and ends Inconclusive.
    throw new Problem('not_implemented', { detail: 'fault points are not part of this version' });
  });
  return app;
}
