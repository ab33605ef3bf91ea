// HTTP/1.1 to the API server over kept-alive connections: one pool for requests, one for watches, so that long watches
// never take the place of a request. Knows nothing of Kubernetes but the address.
import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { unlessAborted } from '../clock/abort.ts';
import type { Connection, Endpoint, TlsIdentity } from './connection.ts';
import { TransportError } from './errors.ts';
import { TooLongError, textOf } from './text-of.ts';

/** One HTTP request. */
export interface HttpRequest {
  method: string;
  /** Path with query. */
  path: string;
  headers?: Record<string, string>;
  body?: string | undefined;
  signal?: AbortSignal | undefined;
  /** A watch: takes its connection from a pool of its own. */
  streaming?: boolean;
  /** Read the credentials anew: the last ones were refused. */
  refreshCredentials?: boolean;
}

/** An answer whose body has yet to be read. */
export interface HttpResponse {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: http.IncomingMessage;
}

interface Pools {
  /** The object that `identity` was made from: the same object means the same identity, without comparing. */
  tls: TlsIdentity;
  identity: string;
  requests: http.Agent;
  streams: http.Agent;
}

// TCP keep-alive probes start after this idle time, so that a dead peer is noticed on quiet watches.
const probeAfterMs = 15_000;

/** Sends requests over a {@link Connection}. Give each purpose that must not wait for others a transport of its own. */
export class Transport {
  readonly #connection: Connection;
  readonly #maxSockets: number;
  #pools: Pools | undefined;

  /** @param maxSockets connections for requests at the same time; watches are not counted. */
  constructor(connection: Connection, maxSockets = 64) {
    this.#connection = connection;
    this.#maxSockets = maxSockets;
  }

  /** Host and port last spoken to, for metrics. */
  host = '';

  /**
   * Sends and resolves when the head of the answer is there.
   * @throws TransportError Credentials, Connection or Aborted.
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const what = `${request.method} ${request.path}`;
    let endpoint: Endpoint;
    try {
      endpoint = await unlessAborted(this.#connection.endpoint(request.refreshCredentials), request.signal);
    } catch (error) {
      if (request.signal?.aborted) throw asTransportError(what, error, request.signal);
      throw new TransportError(what, 'Credentials', `cannot get credentials: ${String(error)}`, error);
    }
    if (request.signal?.aborted) throw asTransportError(what, undefined, request.signal);
    const url = new URL(endpoint.server.replace(/\/+$/, '') + request.path);
    this.host = url.host;
    const pools = this.#poolsFor(url, endpoint.tls);
    const options: https.RequestOptions = {
      method: request.method,
      agent: endpoint.proxy ?? (request.streaming ? pools.streams : pools.requests),
      headers: {
        accept: 'application/json',
        ...endpoint.headers,
        ...request.headers,
        ...(request.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(request.body)) }),
      },
      ...(request.signal ? { signal: request.signal } : {}),
    };
    return new Promise((resolve, reject) => {
      const client = url.protocol === 'http:' ? http : https;
      const outgoing = client.request(url, options, (body) => {
        resolve({ status: body.statusCode ?? 0, headers: body.headers, body });
      });
      outgoing.on('error', (error) => reject(asTransportError(what, error, request.signal)));
      outgoing.on('socket', (socket) => socket.setKeepAlive(true, probeAfterMs));
      outgoing.end(request.body);
    });
  }

  /** Closes all connections, those in use as well. */
  close(): void {
    this.#pools?.requests.destroy();
    this.#pools?.streams.destroy();
    this.#pools = undefined;
  }

  /** Connections are bound to a TLS identity: a renewed client certificate gets new pools. */
  #poolsFor(url: URL, tls: TlsIdentity): Pools {
    const old = this.#pools;
    if (old?.tls === tls) return old;
    const identity = createHash('sha256')
      .update(JSON.stringify([url.origin, tls]))
      .digest('hex');
    if (old?.identity === identity) {
      old.tls = tls;
      return old;
    }
    const agent = (maxSockets: number) =>
      url.protocol === 'http:'
        ? new http.Agent({ keepAlive: true, maxSockets })
        : new https.Agent({ keepAlive: true, maxSockets, ...tls });
    this.#pools = { tls, identity, requests: agent(this.#maxSockets), streams: agent(Infinity) };
    // Idle connections of the old identity are of no use any more; running ones end by themselves.
    for (const pool of old ? [old.requests, old.streams] : []) {
      for (const sockets of Object.values(pool.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
    }
    return this.#pools;
  }
}

/** Names what went wrong on the way; an abort by the caller's signal is told apart from a broken connection. */
export const asTransportError = (what: string, error: unknown, signal?: AbortSignal): TransportError => {
  if (error instanceof TransportError) return error;
  if (signal?.aborted) {
    const reason: unknown = signal.reason;
    return reason instanceof TransportError ? reason : new TransportError(what, 'Aborted', 'aborted', reason);
  }
  const message = error instanceof Error ? error.message || error.name : String(error);
  return new TransportError(what, 'Connection', `connection failed: ${message}`, error);
};

/** Reads a whole body as text. @throws TransportError when the connection breaks before its end; TooLong when it is longer than `maxBytes`. */
export const readText = async (
  what: string,
  response: HttpResponse,
  signal?: AbortSignal,
  maxBytes = Infinity,
): Promise<string> => {
  try {
    return await textOf(response.body, maxBytes);
  } catch (error) {
    if (error instanceof TooLongError) throw new TransportError(what, 'TooLong', error.message, error);
    throw asTransportError(what, error, signal);
  }
};
