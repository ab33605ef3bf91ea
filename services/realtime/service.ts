// The realtime service, put together: HTTP for health, WebSockets by upgrade, the admin port, the parts behind them.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createAdminServer } from '@assistant-platform/kit/admin';
import { asProblem, closeHttpServer, createHttpServer, identityHeaders } from '@assistant-platform/kit/http';
import type { StopStep } from '@assistant-platform/kit/lifecycle';
import { openPod, openPodBase } from '@assistant-platform/kit/pod';
import type { Pod, PodBase } from '@assistant-platform/kit/pod';
import { Problem, preferredLanguage } from '@assistant-platform/kit/problems';
import { connectRedis } from '@assistant-platform/kit/redis';
import type { Identity } from '@assistant-platform/kit/tokens';
import type { FastifyInstance } from 'fastify';
import { WebSocketServer } from 'ws';
import { createAnswers } from './answers.ts';
import type { Answers } from './answers.ts';
import { createConnection } from './connection.ts';
import type { ConnectionParts } from './connection.ts';
import { createFanOut } from './fan-out.ts';
import { checkHandshake, handshakeToken, refuseUpgrade } from './handshake.ts';
import { createHub } from './hub.ts';
import type { Hub } from './hub.ts';
import { subprotocol } from './protocol.ts';
import { stopDrainMs } from './settings.ts';
import type { RealtimeSettings } from './settings.ts';

export interface RealtimeService {
  readonly base: PodBase;
  readonly app: FastifyInstance;
  readonly admin: FastifyInstance;
  readonly hub: Hub;
  readonly ready: Promise<Pod>;
  readonly stopSteps: () => StopStep[];
}

const now = () => performance.now();
/** After the last socket is gone: how long answers that nobody here listens to may still take. */
const answerGraceMs = 5_000;

/** Starts listening and returns; secrets, Redis and the rest are opened behind. */
export async function startRealtime(settings: RealtimeSettings): Promise<RealtimeService> {
  const base = openPodBase(settings, 'realtime');
  const { log, metrics, lifecycle, identity } = base;
  const common = { log, metrics, lifecycle, revision: identity.revision };
  const hub = createHub({
    lifecycle,
    metrics,
    log,
    jitterMs: settings.RECONNECT_JITTER_MS,
    now,
    random: Math.random,
  });
  let parts: ConnectionParts | undefined;
  let answers: Answers | undefined;

  const app = createHttpServer(common);
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: settings.MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: () => subprotocol,
  });
  sockets.on('headers', (headers) => {
    const ours = identityHeaders(identity.revision, randomUUID());
    headers.push(...Object.entries(ours).map(([name, value]) => `${name}: ${value}`));
  });

  const checkRoom = () => {
    if (hub.refusing()) throw new Problem('draining', { retryAfterSeconds: 0 });
    if (hub.size() >= settings.MAX_CONNECTIONS) throw new Problem('overloaded', { retryAfterSeconds: 5 });
  };
  const admit = async (request: IncomingMessage): Promise<{ parts: ConnectionParts; who: Identity | undefined }> => {
    checkHandshake(request, settings.ALLOWED_ORIGINS);
    checkRoom();
    if (parts === undefined) throw new Problem('not_ready', { retryAfterSeconds: 2 });
    const token = handshakeToken(request);
    const who = token === undefined ? undefined : await parts.pod.tokens.verify(token);
    // A drain that began meanwhile, and may have ended with no socket left, would never move this one away.
    checkRoom();
    return { parts, who };
  };

  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Until ws takes the socket over, its errors are ours; a client that leaves during the handshake is no event.
    const onError = (error: Error) => log.debug({ err: error }, 'a client left during its handshake');
    socket.on('error', onError);
    admit(request)
      .then((admitted) => {
        socket.off('error', onError);
        sockets.handleUpgrade(request, socket, head, (webSocket) => {
          const language = preferredLanguage(request.headers['accept-language']);
          hub.add(createConnection(webSocket, admitted.who, language, admitted.parts));
        });
      })
      .catch((error: unknown) => {
        const problem = asProblem(error);
        if (problem.code === 'internal') log.error({ err: error }, 'a handshake failed');
        refuseUpgrade(request, socket, problem, identity.revision);
      });
  });

  const admin = createAdminServer({ ...common, sessions: hub, tokenFile: settings.ASSISTANT_ADMIN_TOKEN_FILE });
  await app.listen({ host: settings.HOST, port: settings.PORT });
  await admin.listen({ host: settings.HOST, port: settings.ADMIN_PORT });
  log.info({ port: settings.PORT, adminPort: settings.ADMIN_PORT }, 'realtime listens');

  const ready = openPod(base, settings).then((pod) => {
    const name = `${identity.component}-${identity.revision}-listen`;
    const link = connectRedis({ settings, secrets: pod.secrets, log, name });
    base.closing.unshift({ name: 'subscriptions', run: () => link.close() });
    answers = createAnswers(pod);
    const fanOut = createFanOut(link, log);
    parts = { pod, settings, fanOut, answers, now, onClosed: (connection) => hub.remove(connection) };
    lifecycle.started();
    log.info('realtime is ready');
    return pod;
  });

  const stopSteps = (): StopStep[] => {
    const seconds = stopDrainMs(settings) / 1000;
    // Everybody is asked to move within half of the time, so that the other half is for answers under way.
    const needed = (hub.size() * 2) / Math.max(seconds, 1);
    const order = { deadlineSeconds: seconds, closePerSecond: Math.max(settings.ASSISTANT_DRAIN_PER_SECOND, needed) };
    return [
      { name: 'sockets', run: () => hub.drained(order) },
      { name: 'answers', run: () => answers?.finish(answerGraceMs) },
      { name: 'hub', run: () => hub.close() },
      { name: 'requests', run: () => closeHttpServer(app) },
      { name: 'admin port', run: () => closeHttpServer(admin) },
      ...base.closing,
    ];
  };
  return { base, app, admin, hub, ready, stopSteps };
}
