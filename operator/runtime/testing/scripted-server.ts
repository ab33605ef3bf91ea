// An HTTP server that plays a script: each request of a kind gets the next answer prepared for it, or waits for one. For
// faults that a real API server produces only now and then: 410, 500, a connection cut in the middle of an event.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Connection } from '../client/connection.ts';
import { fixedConnection } from '../client/connection.ts';

/** A request as it came. */
export interface RecordedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Answers one request. */
export type Answer = (request: RecordedRequest, response: ServerResponse) => void;

type Kind = 'list' | 'watch' | 'other';

/** See the head of the file. */
export class ScriptedServer implements AsyncDisposable {
  readonly requests: RecordedRequest[] = [];
  readonly #answers: Record<Kind, Answer[]> = { list: [], watch: [], other: [] };
  readonly #waiting: Record<Kind, ((answer: Answer) => void)[]> = { list: [], watch: [], other: [] };
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  static async start(): Promise<ScriptedServer> {
    const scripted = new ScriptedServer();
    await new Promise<void>((resolve) => scripted.#server.listen(0, '127.0.0.1', resolve));
    return scripted;
  }

  get connection(): Connection {
    const { port } = this.#server.address() as AddressInfo;
    return fixedConnection(`http://127.0.0.1:${port}`);
  }

  /** Prepares answers to the next requests of a kind. */
  on(kind: Kind, ...answers: Answer[]): this {
    for (const answer of answers) {
      const waiting = this.#waiting[kind].shift();
      if (waiting) waiting(answer);
      else this.#answers[kind].push(answer);
    }
    return this;
  }

  /** Requests of a kind so far. */
  of(kind: Kind): RecordedRequest[] {
    return this.requests.filter((request) => kindOf(request) === kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://scripted');
    const recorded: RecordedRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    };
    this.requests.push(recorded);
    const kind = kindOf(recorded);
    const answer =
      this.#answers[kind].shift() ?? (await new Promise<Answer>((resolve) => this.#waiting[kind].push(resolve)));
    answer(recorded, response);
  }
}

const kindOf = ({ method, query, path }: RecordedRequest): Kind => {
  if (query.get('watch') === 'true') return 'watch';
  // A collection's path ends with its plural; the tests list pods and config maps only.
  return method === 'GET' && /\/(pods|configmaps)$/.test(path) ? 'list' : 'other';
};

/** Any JSON. */
export const json =
  (code: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };

/** A page of a list. */
export const listPage = (items: unknown[], resourceVersion: string, continueToken?: string): Answer =>
  json(200, {
    kind: 'List',
    apiVersion: 'v1',
    metadata: { resourceVersion, ...(continueToken ? { continue: continueToken } : {}) },
    items,
  });

/** A refusal. */
export const refuse = (code: number, reason: string, headers: Record<string, string> = {}): Answer =>
  json(code, { kind: 'Status', status: 'Failure', code, reason, message: `${reason} by script` }, headers);

/** Cuts the connection without an answer. */
export const hangUp: Answer = (_request, response) => void response.socket?.destroy();

/** A watch that a test speaks through. */
export class WatchAnswer {
  readonly #opened = Promise.withResolvers<RecordedRequest>();
  #response: ServerResponse | undefined;

  readonly answer: Answer = (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    this.#response = response;
    this.#opened.resolve(request);
  };

  /** Resolves to the request when the client has opened the watch. */
  get opened(): Promise<RecordedRequest> {
    return this.#opened.promise;
  }

  send(type: string, object: unknown): this {
    this.write(`${JSON.stringify({ type, object })}\n`);
    return this;
  }

  bookmark(resourceVersion: string): this {
    return this.send('BOOKMARK', { kind: 'Pod', metadata: { resourceVersion } });
  }

  /** All that there was when the watch began has been sent. */
  initialEventsEnd(resourceVersion: string): this {
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    return this.send('BOOKMARK', { kind: 'Pod', metadata: { resourceVersion, annotations } });
  }

  /** Raw bytes. */
  write(text: string): this {
    if (!this.#response) throw new Error('the watch is not open: await opened first');
    this.#response.write(text);
    return this;
  }

  /** Ends it as the server does at its time-out. */
  end(): void {
    this.#response?.end();
  }

  /** Cuts the connection. */
  cut(): void {
    this.#response?.socket?.destroy();
  }
}
