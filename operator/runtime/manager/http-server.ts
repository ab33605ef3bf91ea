// The operator's own HTTP port: health for the kubelet, metrics for Prometheus.
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../log/logger.ts';
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
  /** Told of requests that could not be answered as they should. */
  logger: Logger;
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

interface Answer {
  code: number;
  type?: string;
  body: string;
}

/** The answer to a request target, which may be any text that a client cares to send. */
const answerTo = async (target: string, options: HttpServerOptions): Promise<Answer> => {
  const base = 'http://localhost';
  if (!URL.canParse(target, base)) return { code: 400, body: 'the request target is no URL\n' }; // such as `//`
  const url = new URL(target, base);
  const health = (page: string, checks: readonly Check[]): Answer => {
    const { healthy, text } = report(page, checks);
    const short = healthy && !url.searchParams.has('verbose');
    return { code: healthy ? 200 : 503, body: short ? 'ok' : text };
  };
  switch (url.pathname) {
    case '/healthz':
    case '/livez':
      return health(url.pathname.slice(1), options.healthChecks);
    case '/readyz':
      return health('readyz', options.readyChecks);
    case '/metrics':
      return { code: 200, type: options.registry.contentType, body: await options.registry.metrics() };
    default:
      return { code: 404, body: 'there are /healthz, /readyz and /metrics\n' };
  }
};

/**
 * Serves `/healthz` (also `/livez`), `/readyz` and `/metrics`. No request ends the process: what cannot be parsed is answered 400, what fails 500.
 * Resolves when it listens. @throws Error when the port is taken.
 */
export const startHealthServer = async (options: HttpServerOptions): Promise<HealthServer> => {
  const { logger } = options;
  const server = createServer((request, response) => {
    const { method, url: target = '/' } = request;
    answerTo(target, options)
      .catch((error: unknown): Answer => {
        logger.error({ err: error, target }, 'a request to the port of health and metrics failed');
        return { code: 500, body: `cannot answer: ${String(error)}\n` };
      })
      .then(({ code, type = 'text/plain; charset=utf-8', body }) => {
        response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' });
        response.end(method === 'HEAD' ? undefined : body);
      })
      .catch((error: unknown) => {
        logger.error({ err: error, target }, 'an answer of the port of health and metrics could not be sent');
        response.destroy();
      });
  });
  await listening(server, options.port, options.host);
  // Such as no file descriptor for a connection: this one is not served, the next may be.
  server.on('error', (error) => logger.error({ err: error }, 'the port of health and metrics failed'));
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
