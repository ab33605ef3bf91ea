// Where the API server is and how to prove who we are: from the pod's service account, or from a kubeconfig.
import type { Agent } from 'node:http';
import type { RequestOptions as HttpsOptions } from 'node:https';
import { readFile } from 'node:fs/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../clock/clock.ts';
import { systemClock } from '../clock/clock.ts';

/** TLS material of an endpoint, in the forms that node:tls takes. */
export type TlsIdentity = Pick<
  HttpsOptions,
  'ca' | 'cert' | 'key' | 'passphrase' | 'pfx' | 'servername' | 'rejectUnauthorized'
>;

/** One moment's answer to where and as whom. */
export interface Endpoint {
  /** Base URL of the API server. */
  server: string;
  headers: Record<string, string>;
  tls: TlsIdentity;
  /** Set when the kubeconfig names a proxy: connections must go through this agent. */
  proxy?: Agent;
}

/** Gives the endpoint for each request; tokens and certificates may change over time. */
export interface Connection {
  /** @param refresh the last credentials were refused: read them anew. */
  endpoint(refresh?: boolean): Promise<Endpoint>;
}

/** A connection without credentials, for example to a test server. */
export const fixedConnection = (
  server: string,
  headers: Record<string, string> = {},
  tls: TlsIdentity = {},
): Connection => ({
  endpoint: () => Promise.resolve({ server, headers, tls }),
});

// client-go rereads a mounted token every minute; the kubelet renews it at 80 % of its life.
const tokenReadEveryMs = 60_000;

/** Remembers what `read` gave for `lifetime` ms; a refresh reads anew. Concurrent callers share one read. */
const remembered = (read: () => Promise<Endpoint>, lifetime: number, clock: Clock): Connection => {
  let current: { at: number; endpoint: Promise<Endpoint> } | undefined;
  return {
    endpoint: (refresh = false) => {
      const now = clock.monotonic();
      if (!current || refresh || now - current.at >= lifetime) {
        const mine = { at: now, endpoint: read() };
        // A failed read is not remembered; the error reaches the caller through the promise itself.
        mine.endpoint.catch(() => {
          if (current === mine) current = undefined;
        });
        current = mine;
      }
      return current.endpoint;
    },
  };
};

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/** True when the process runs in a pod with a service account. */
export const isInCluster = (env: NodeJS.ProcessEnv = process.env): boolean =>
  Boolean(env['KUBERNETES_SERVICE_HOST'] && env['KUBERNETES_SERVICE_PORT']);

/**
 * The connection of a pod by its service account, mounted at the usual place or where KUBERNETES_SERVICE_ACCOUNT_FOLDER says. It does not load client-node, which costs 90 MB of memory.
 * @throws Error when the process does not run in a pod.
 */
export const inClusterConnection = (
  options: { env?: NodeJS.ProcessEnv; folder?: string; clock?: Clock } = {},
): Connection => {
  const { env = process.env, clock = systemClock } = options;
  const folder = options.folder ?? env['KUBERNETES_SERVICE_ACCOUNT_FOLDER'] ?? serviceAccount;
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) {
    throw new Error(
      'not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; give a kubeconfig',
    );
  }
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return remembered(
    async () => {
      const [token, ca] = await Promise.all([readFile(`${folder}/token`, 'utf8'), readFile(`${folder}/ca.crt`)]);
      return { server, headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca } };
    },
    tokenReadEveryMs,
    clock,
  );
};

/** The connection that a loaded KubeConfig describes: certificates, tokens, exec and OIDC plug-ins, proxies. */
export const kubeConfigConnection = (config: KubeConfig, clock: Clock = systemClock): Connection =>
  remembered(
    async () => {
      const cluster = config.getCurrentCluster();
      if (!cluster) throw new Error(`kubeconfig: context "${config.getCurrentContext()}" names no known cluster`);
      const options: HttpsOptions = {};
      await config.applyToHTTPSOptions(options);
      const { ca, cert, key, passphrase, pfx, servername, rejectUnauthorized } = options;
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value);
      if (options.auth) headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
      const tls: TlsIdentity = Object.fromEntries(
        Object.entries({ ca, cert, key, passphrase, pfx, servername, rejectUnauthorized }).filter(
          ([, value]) => value !== undefined,
        ),
      );
      const agent = options.agent instanceof Object && cluster.proxyUrl ? options.agent : undefined;
      return { server: cluster.server, headers, tls, ...(agent ? { proxy: agent } : {}) };
    },
    tokenReadEveryMs,
    clock,
  );

/**
 * The usual way in: the given kubeconfig file, else the pod's service account, else KUBECONFIG or ~/.kube/config.
 * @throws Error when the file cannot be read or the context is not in it.
 */
export const connectionFromEnvironment = async (
  options: { kubeconfig?: string; context?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Connection> => {
  const { kubeconfig, context, env = process.env } = options;
  if (!kubeconfig && !context && isInCluster(env)) return inClusterConnection({ env });
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  if (kubeconfig) config.loadFromFile(kubeconfig);
  else config.loadFromDefault();
  if (context) {
    if (!config.getContextObject(context)) {
      const known = config.getContexts().map(({ name }) => name);
      throw new Error(`kubeconfig: no context "${context}"; there are: ${known.join(', ') || 'none'}`);
    }
    config.setCurrentContext(context);
  }
  return kubeConfigConnection(config);
};
