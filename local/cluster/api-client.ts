// The few requests that starting a cluster needs of its API server, without the weight of a client library.
import { Agent, request } from 'node:https';
import { parse } from 'yaml';
import type { IncomingMessage } from 'node:http';

/** A Kubernetes object, as far as this package cares. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** An answer that is no success. */
export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

/** Plural names of the kinds that this package applies; cluster-scoped ones say so. */
const RESOURCES: Readonly<Record<string, { readonly plural: string; readonly cluster?: true }>> = {
  ClusterRole: { plural: 'clusterroles', cluster: true },
  ClusterRoleBinding: { plural: 'clusterrolebindings', cluster: true },
  ConfigMap: { plural: 'configmaps' },
  CustomResourceDefinition: { plural: 'customresourcedefinitions', cluster: true },
  Deployment: { plural: 'deployments' },
  Namespace: { plural: 'namespaces', cluster: true },
  Node: { plural: 'nodes', cluster: true },
  PersistentVolumeClaim: { plural: 'persistentvolumeclaims' },
  PersistentVolume: { plural: 'persistentvolumes', cluster: true },
  PodDisruptionBudget: { plural: 'poddisruptionbudgets' },
  Service: { plural: 'services' },
  ServiceAccount: { plural: 'serviceaccounts' },
  StorageClass: { plural: 'storageclasses', cluster: true },
  ValidatingAdmissionPolicy: { plural: 'validatingadmissionpolicies', cluster: true },
  ValidatingAdmissionPolicyBinding: { plural: 'validatingadmissionpolicybindings', cluster: true },
};

const FIELD_MANAGER = 'assistant-platform-local';

/** The path of an object on the API server, e.g. `/apis/apps/v1/namespaces/kube-system/deployments/coredns`. */
export function pathOf(object: Pick<KubernetesObject, 'apiVersion' | 'kind' | 'metadata'>): string {
  const resource = RESOURCES[object.kind];
  if (resource === undefined) throw new Error(`apiClient: kind ${object.kind} is not in its table of resources`);
  const group = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
  const scope = resource.cluster === true ? '' : `/namespaces/${object.metadata.namespace ?? 'default'}`;
  return `${group}${scope}/${resource.plural}/${object.metadata.name}`;
}

/** Talks to one API server with a client certificate. */
export class ApiClient {
  readonly #server: string;
  readonly #agent: Agent;

  /** From the text of a kubeconfig that holds its certificates. Uses the current context. */
  constructor(kubeconfig: string) {
    interface Named<T> {
      readonly name: string;
      readonly value?: T;
    }
    const config = parse(kubeconfig) as {
      readonly 'current-context': string;
      readonly contexts: readonly (Named<never> & {
        readonly context: { readonly cluster: string; readonly user: string };
      })[];
      readonly clusters: readonly (Named<never> & { readonly cluster: Readonly<Record<string, string>> })[];
      readonly users: readonly (Named<never> & { readonly user: Readonly<Record<string, string>> })[];
    };
    const context = config.contexts.find(({ name }) => name === config['current-context'])?.context;
    const cluster = config.clusters.find(({ name }) => name === context?.cluster)?.cluster;
    const user = config.users.find(({ name }) => name === context?.user)?.user;
    const decode = (value: string | undefined): Buffer => Buffer.from(value ?? '', 'base64');
    this.#server = cluster?.['server'] ?? '';
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 8,
      ca: decode(cluster?.['certificate-authority-data']),
      cert: decode(user?.['client-certificate-data']),
      key: decode(user?.['client-key-data']),
    });
  }

  /** GET; the parsed answer, or undefined for 404. @throws ApiError for any other failure. */
  async get<T>(path: string): Promise<T | undefined> {
    try {
      return JSON.parse(await this.#text('GET', path)) as T;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Server-side apply; conflicts are taken over, for the objects are ours. */
  async apply(object: KubernetesObject): Promise<void> {
    const path = `${pathOf(object)}?fieldManager=${FIELD_MANAGER}&force=true`;
    await this.#text('PATCH', path, JSON.stringify(object), 'application/apply-patch+yaml');
  }

  /** Merge patch. */
  async patch(path: string, change: unknown): Promise<void> {
    await this.#text('PATCH', path, JSON.stringify(change), 'application/merge-patch+json');
  }

  /** Deletes; an object that is not there is as good as deleted. */
  async delete(path: string): Promise<void> {
    try {
      await this.#text('DELETE', path);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }

  /** The lines of a watch as parsed objects, until the server ends it or the signal aborts. */
  async *watch<T>(path: string, signal: AbortSignal): AsyncGenerator<T> {
    const response = await this.#open('GET', path, undefined, undefined, signal);
    let rest = '';
    for await (const chunk of response.setEncoding('utf8')) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield JSON.parse(line) as T;
    }
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent.destroy();
  }

  async #text(method: string, path: string, body?: string, type?: string): Promise<string> {
    let text = '';
    const response = await this.#open(method, path, body, type, AbortSignal.timeout(30_000));
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
    return text;
  }

  #open(
    method: string,
    path: string,
    body: string | undefined,
    type: string | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { accept: 'application/json', ...(type === undefined ? {} : { 'content-type': type }) };
      const question = request(this.#server + path, { method, headers, agent: this.#agent, signal }, (response) => {
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) {
          resolve(response);
          return;
        }
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => {
          reject(new ApiError(status, `${method} ${path}: ${status} ${messageOf(text)}`));
        });
      });
      question.on('error', reject);
      question.end(body);
    });
  }
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text;
  }
}
