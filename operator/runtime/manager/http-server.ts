// The operator's own HTTP port: health for the kubelet, metrics for Prometheus.
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from '../metrics/metrics.ts';

/** A named check: undefined when well, otherwise what is wrong. */
export interface Check {
  name: string;
  run: () => string | undefined;
}

export interface HttpServerOptions {
  /** 0 takes a free port. */
  port: number;
  /** Default: all addresses. */
  host?: string;
  registry: Registry;
  /** Failing: the process is stuck, restart it. */
  healthChecks: readonly Check[];
  /** Failing: it cannot work now. */
  readyChecks: readonly Check[];
}

/** A listening server. */
export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** The report of kube-apiserver's health pages: a line a check, and the verdict. */
const report = (page: string, checks: readonly Check[]): { healthy: boolean; text: string } => {
  const lines: string[] = [];
  let healthy = true;
  for (const { name, run } of checks) {
    const problem = run();
    healthy &&= problem === undefined;
    lines.push(problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`);
  }
  return { healthy, text: [...lines, `${page} check ${healthy ? 'passed' : 'failed'}`, ''].join('\n') };
};

/** Serves `/healthz` (also `/livez`), `/readyz` and `/metrics`. Resolves when it listens. @throws Error when the port is taken. */
export const startHealthServer = async (options: HttpServerOptions): Promise<HealthServer> => {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const answer = (code: number, type: string, body: string) => {
      response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    const health = (page: string, checks: readonly Check[]) => {
      const { healthy, text } = report(page, checks);
      const short = healthy && !url.searchParams.has('verbose');
      answer(healthy ? 200 : 503, 'text/plain; charset=utf-8', short ? 'ok' : text);
    };
    switch (url.pathname) {
      case '/healthz':
      case '/livez':
        health(url.pathname.slice(1), options.healthChecks);
        break;
      case '/readyz':
        health('readyz', options.readyChecks);
        break;
      case '/metrics':
        options.registry.metrics().then(
          (text) => answer(200, options.registry.contentType, text),
          (error: unknown) => answer(500, 'text/plain; charset=utf-8', `cannot collect metrics: ${String(error)}\n`),
        );
        break;
      default:
        answer(404, 'text/plain; charset=utf-8', 'there are /healthz, /readyz and /metrics\n');
    }
  });
  await listening(server, options.port, options.host);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const listening = (server: Server, port: number, host: string | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
