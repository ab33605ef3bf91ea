// Which cluster and namespace a command speaks to: flags, KUBECONFIG, ~/.kube/config, or the pod's own account, like kubectl.
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { CommandError } from './errors.ts';

/** What flags and environment say. */
export interface SessionOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A cluster and a namespace. */
export interface Session {
  readonly config: KubeConfig;
  readonly namespace: string;
  /** The API server's address, for messages. */
  readonly server: string;
  readonly context: string;
}

/**
 * Reads the configuration; asks the cluster nothing yet.
 * @throws CommandError NoCluster, naming what is missing.
 */
export function openSession({ env, ...flags }: SessionOptions): Session {
  const [kubeconfig, chosen, namespace] = [flags.kubeconfig, flags.context, flags.namespace].map(given);
  const config = new KubeConfig();
  try {
    load(config, kubeconfig, env);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const text = error instanceof Error ? error.message : String(error);
    throw new CommandError('NoCluster', `the kubeconfig cannot be read: ${text}`, { cause: error });
  }
  if (chosen !== undefined) choose(config, chosen);
  const context = config.getContextObject(config.getCurrentContext());
  const cluster = config.getCurrentCluster();
  if (context === null) {
    throw new CommandError(
      'NoCluster',
      `the kubeconfig names no current context: choose one with --context; there are: ${contexts(config)}`,
    );
  }
  if (cluster === null) {
    throw new CommandError(
      'NoCluster',
      `context ${context.name} speaks of the cluster "${context.cluster}", which the kubeconfig does not have: correct it, or choose another --context; there are: ${contexts(config)}`,
    );
  }
  return {
    config,
    namespace: namespace ?? given(context.namespace) ?? 'default',
    server: cluster.server,
    context: context.name,
  };
}

/** An empty flag, or field of a kubeconfig, is none. */
const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

const IN_CLUSTER = '/var/run/secrets/kubernetes.io/serviceaccount/token';

function load(config: KubeConfig, kubeconfig: string | undefined, env: SessionOptions['env']): void {
  const home = join(env.HOME ?? homedir(), '.kube', 'config');
  const files =
    kubeconfig === undefined ? (env.KUBECONFIG ?? '').split(':').filter((path) => path !== '') : [kubeconfig];
  const readable = files.filter((path) => existsSync(path));
  if (files.length > 0 && readable.length === 0) {
    throw new CommandError(
      'NoCluster',
      `there is no kubeconfig at ${files.join(' or ')}: correct --kubeconfig or KUBECONFIG`,
    );
  }
  if (readable.length === 0 && existsSync(home)) readable.push(home);
  if (readable.length > 0) config.loadFromOptions(merged(readable.filter(hasText).map(fromFile)));
  else if (existsSync(IN_CLUSTER)) config.loadFromCluster();
  else {
    throw new CommandError(
      'NoCluster',
      'no cluster is configured: name a kubeconfig with --kubeconfig or KUBECONFIG (npm run where prints that of the embedded cluster)',
    );
  }
}

/** An empty file counts as one that is not there, as kubectl has it. */
const hasText = (path: string): boolean => readFileSync(path, 'utf8').trim() !== '';

function fromFile(path: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(path);
  return config;
}

/** As kubectl merges the files of KUBECONFIG: of each name, and of the current context, the first one counts. */
const merged = (parts: readonly KubeConfig[]) => ({
  clusters: firstOfEachName(parts.flatMap((part) => part.getClusters())),
  users: firstOfEachName(parts.flatMap((part) => part.getUsers())),
  contexts: firstOfEachName(parts.flatMap((part) => part.getContexts())),
  currentContext: parts.map((part) => given(part.getCurrentContext())).find((name) => name !== undefined) ?? '',
});

const firstOfEachName = <T extends { readonly name: string }>(list: readonly T[]): T[] =>
  list.filter(({ name }, index) => list.findIndex((other) => other.name === name) === index);

function choose(config: KubeConfig, context: string): void {
  if (config.getContextObject(context) === null) {
    throw new CommandError(
      'NoCluster',
      `there is no context "${context}" in the kubeconfig; there are: ${contexts(config)}`,
    );
  }
  config.setCurrentContext(context);
}

const contexts = (config: KubeConfig): string =>
  config
    .getContexts()
    .map(({ name }) => name)
    .join(', ') || 'none';
