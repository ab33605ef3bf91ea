// An HTTP proxy on loopback in front of a real API server that counts one client's writes, and can stop at one of them: for killing a process in
// the very moment between deciding to write and knowing that it was written.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Agent, request as send } from 'node:https';
import { Agent as HttpsAgent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { KubeConfig } from '@kubernetes/client-node';

/** At which write (from 0) the client dies: before the server gets it, or when it is carried out and not answered yet. */
export interface StopPoint {
  readonly write: number;
  readonly when: 'Before' | 'After';
}

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
/** Leases and Events are written by the way. */
const ASIDE = /\/(leases|events)(\/|\?|$)/;

export class WriteProxy {
  /** The client's writes so far, as `METHOD path`. */
  readonly writes: string[] = [];
  /** Whether the stop came. */
  stopped = false;
  readonly #target: URL;
  readonly #agent: Agent;
  readonly #stop: StopPoint | null;
  readonly #kill: () => Promise<void>;
  readonly #server: Server;
  #counting = false;

  /**
   * @param kubeconfig of the API server, with the rights that the client shall have.
   * @param kill called at the stop point; the request goes on only when it has resolved.
   */
  constructor(kubeconfig: string, stop: StopPoint | null, kill: () => Promise<void>) {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const [cluster, user] = [config.getCurrentCluster(), config.getCurrentUser()];
    if (cluster === null) throw new Error(`${kubeconfig} names no cluster`);
    const text = (data: string | undefined): string | undefined => data && Buffer.from(data, 'base64').toString('utf8');
    this.#target = new URL(cluster.server);
    this.#agent = new HttpsAgent({
      keepAlive: true,
      ca: text(cluster.caData),
      cert: text(user?.certData),
      key: text(user?.keyData),
    });
    this.#stop = stop;
    this.#kill = kill;
    this.#server = createServer((incoming, outgoing) => void this.#forward(incoming, outgoing));
  }

  /** Starts to listen, and writes a kubeconfig that leads here. */
  async start(file: string): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const config = new KubeConfig();
    const server = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    // Plain HTTP on loopback: the client library asks for this word of consent.
    config.loadFromClusterAndUser({ name: 'proxy', server, skipTLSVerify: true }, { name: 'nobody' });
    await writeFile(file, config.exportConfig());
  }

  /** From now on writes count. */
  count(): void {
    this.#counting = true;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#agent.destroy();
  }

  async #forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = incoming;
    const isWrite = this.#counting && WRITES.has(method) && !ASIDE.test(url);
    const number = isWrite ? this.writes.push(`${method} ${url.split('?')[0] ?? ''}`) - 1 : -1;
    const stopsHere = isWrite && !this.stopped && this.#stop?.write === number;
    if (stopsHere) this.stopped = true;
    if (stopsHere && this.#stop.when === 'Before') {
      await this.#kill();
      outgoing.destroy();
      return;
    }
    const forwarded = send(
      {
        host: this.#target.hostname,
        port: this.#target.port,
        method,
        path: url,
        headers: { ...incoming.headers, host: this.#target.host },
        agent: this.#agent,
      },
      (answer) => {
        if (stopsHere) {
          answer.resume();
          void this.#kill().then(() => outgoing.destroy());
          return;
        }
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        // A watch begins with its headers, long before its first event.
        outgoing.flushHeaders();
        answer.pipe(outgoing);
      },
    );
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  }
}
