// Admin ports for pods that exist in the API only (kwok runs no container): one HTTP server answers for all of them under
// /NAMESPACE/POD/sessions and /drain. A pod has the sessions that the test gives it; told to drain, they leave one by one.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PodSessions {
  open: number;
  drainingSince: number | null;
  /** `authorization` of each POST /drain. */
  readonly tokens: string[];
}

export class AdminPorts {
  readonly pods = new Map<string, PodSessions>();
  /** Sessions that a pod has when it is first asked. */
  initial = 2;
  /** A draining pod loses one session each so many milliseconds. */
  leaveEveryMs = 150;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  /** For the operator's --pod-address. */
  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/{namespace}/{pod}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Open sessions of a pod now. */
  open(pod: string): number {
    const state = this.pods.get(pod);
    if (state === undefined) return 0;
    const left = state.drainingSince === null ? 0 : Math.floor((Date.now() - state.drainingSince) / this.leaveEveryMs);
    return Math.max(0, state.open - left);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [, , pod = '', what] = (request.url ?? '').split('/');
    const state = this.pods.get(pod) ?? { open: this.initial, drainingSince: null, tokens: [] };
    this.pods.set(pod, state);
    if (request.method === 'POST' && what === 'drain') {
      state.tokens.push(request.headers.authorization ?? '');
      state.drainingSince ??= Date.now();
      response.writeHead(202).end();
    } else if (what === 'sessions') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ open: this.open(pod), busy: 0, oldestSeconds: 1, draining: state.drainingSince !== null }),
      );
    } else response.writeHead(404).end();
  }
}
