// The gateway itself: Traefik as a process of its own, on a real API server, with backends that are servers of this process.
//
// The API server takes no endpoint on loopback, so the backends listen on addresses of the test network that the loopback device is given for the time
// of the test (needs root). No packet leaves the machine.
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { packageFile } from '@assistant-platform/local/packages';
import { type Api, endpointSlices, type KubeObject, resourceType, services } from '@assistant-platform/runtime';
import { WebSocketServer } from 'ws';
import { freePort, type ServerProcess, startServer } from '../servers/child-process.ts';

const GROUP = 'gateway.networking.k8s.io';
const gatewayClasses = resourceType<KubeObject & { spec: object }>(
  `${GROUP}/v1`,
  'GatewayClass',
  'gatewayclasses',
  'Cluster',
);
const gateways = resourceType<KubeObject & { spec: object }>(`${GROUP}/v1`, 'Gateway', 'gateways');
const PORT = 8080;

/** Servers behind Services; each says which Service it was reached by. */
export class Backends {
  readonly #stops: (() => Promise<void>)[] = [];

  /** Makes a Service with one ready endpoint, which is served here. */
  async add(api: Api, namespace: string, name: string): Promise<void> {
    const address = `198.19.254.${this.#stops.length + 1}`;
    execFileSync('ip', ['address', 'replace', `${address}/32`, 'dev', 'lo']);
    const server = createServer((_request, response) => {
      response.setHeader('x-backend', name);
      response.end();
    });
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => socket.on('message', () => socket.send(name)));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(PORT, address, resolve);
    });
    this.#stops.push(async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      execFileSync('ip', ['address', 'delete', `${address}/32`, 'dev', 'lo']);
    });
    await api.create(services, {
      metadata: { name, namespace },
      spec: { clusterIP: 'None', ports: [{ name: 'http', port: PORT, protocol: 'TCP' }] },
    });
    await api.create(endpointSlices, {
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: PORT, protocol: 'TCP' }],
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
    });
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) await stop();
  }
}

export interface Traefik {
  /** Where it listens. */
  readonly port: number;
  readonly process: ServerProcess;
  /** Stops it and takes its GatewayClass away. */
  stop(): Promise<void>;
}

/** Starts Traefik for one namespace, with the flags of infra/components/public-gateway.ts, and its Gateway `public`. */
export async function startTraefik(api: Api, options: { kubeconfig: string; namespace: string }): Promise<Traefik> {
  const { kubeconfig, namespace } = options;
  const port = await freePort();
  const adminPort = await freePort();
  await api.create(gatewayClasses, {
    metadata: { name: namespace },
    spec: { controllerName: 'traefik.io/gateway-controller' },
  });
  await api.create(gateways, {
    metadata: { name: 'public', namespace },
    spec: { gatewayClassName: namespace, listeners: [{ name: 'web', protocol: 'HTTP', port }] },
  });
  const process = await startServer({
    name: 'Traefik',
    command: await packageFile('traefik', 'traefik'),
    args: [
      `--entrypoints.web.address=127.0.0.1:${port}`,
      `--entrypoints.admin.address=127.0.0.1:${adminPort}`,
      '--ping=true',
      '--ping.entrypoint=admin',
      '--providers.kubernetesgateway=true',
      `--providers.kubernetesgateway.namespaces=${namespace}`,
      '--providers.providersthrottleduration=100ms',
      '--global.checknewversion=false',
      '--global.sendanonymoususage=false',
      '--log.level=INFO',
    ],
    environment: { KUBECONFIG: kubeconfig },
    isReady: async () => (await fetch(`http://127.0.0.1:${adminPort}/ping`)).ok,
  });
  return {
    port,
    process,
    async stop() {
      await process.kill();
      await api.delete(gatewayClasses, { name: namespace });
    },
  };
}
