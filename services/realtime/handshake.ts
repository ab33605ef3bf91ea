// The upgrade request: may this client have a socket, and whose is it? Refusals are HTTP answers with problem details,
// so that a client (and a gateway's log) sees why.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { identityHeaders } from '@assistant-platform/kit/http';
import { Problem, preferredLanguage, problemDetails } from '@assistant-platform/kit/problems';
import { bearerToken } from '@assistant-platform/kit/tokens';
import { socketPath, subprotocol, tokenSubprotocol } from './protocol.ts';

/** The subprotocols that a client offers, in its order. */
export function offeredSubprotocols(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol'] ?? '';
  return header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The token in the Authorization header, or in a subprotocol `bearer.TOKEN`; undefined: a login frame must follow. */
export function handshakeToken(request: IncomingMessage): string | undefined {
  const header = bearerToken(request.headers.authorization);
  if (header !== undefined) return header;
  const offered = offeredSubprotocols(request).find((name) => name.startsWith(tokenSubprotocol));
  return offered?.slice(tokenSubprotocol.length);
}

/**
 * Checks everything that needs no secret.
 * @param origins allowed origins; undefined allows all. Clients outside of browsers send none and are let through.
 * @throws Problem not_found, bad_request, forbidden
 */
export function checkHandshake(request: IncomingMessage, origins: readonly string[] | undefined): void {
  const path = (request.url ?? '').split('?')[0];
  if (path !== socketPath) throw new Problem('not_found', { detail: `sockets are at ${socketPath}` });
  if (!offeredSubprotocols(request).includes(subprotocol)) {
    throw new Problem('bad_request', {
      fields: [{ field: 'Sec-WebSocket-Protocol', message: `must offer ${subprotocol}` }],
    });
  }
  const { origin } = request.headers;
  if (origins !== undefined && origin !== undefined && !origins.includes(origin)) {
    throw new Problem('forbidden', { fields: [{ field: 'Origin', message: `${origin} is not allowed` }] });
  }
}

/** Answers an upgrade request with a problem and closes the connection. */
export function refuseUpgrade(request: IncomingMessage, socket: Duplex, problem: Problem, revision: string): void {
  const requestId = randomUUID();
  const language = preferredLanguage(request.headers['accept-language']);
  const body = JSON.stringify(problemDetails(problem, requestId, language));
  const headers = {
    ...identityHeaders(revision, requestId),
    connection: 'close',
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    ...(problem.retryAfterSeconds === undefined ? {} : { 'retry-after': Math.ceil(problem.retryAfterSeconds) }),
    ...(problem.code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {}),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  // Node leaves it open until the client closes as well, and the end of the server would wait for that.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${problem.status} ${problem.code}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}
