// What the tests against a real API server share: clients, a namespace of their own, waiting for a condition.
import { randomUUID } from 'node:crypto';
import { ApiClient } from '../client/api-client.ts';
import { connectionFromEnvironment } from '../client/connection.ts';
import { sleep, systemClock } from '../clock/clock.ts';
import { configMaps, namespaces } from '../objects/builtin.ts';

/** A client of the cluster that the kubeconfig names. */
export const clientOf = async (kubeconfig: string, fieldManager = 'runtime-test'): Promise<ApiClient> =>
  new ApiClient({ connection: await connectionFromEnvironment({ kubeconfig }), fieldManager });

/** Makes a namespace for one test. It is removed with all that is in it. */
export const ownNamespace = async (client: ApiClient): Promise<AsyncDisposable & { name: string }> => {
  const name = `runtime-${randomUUID().slice(0, 8)}`;
  await client.create(namespaces, { metadata: { name } });
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      await client.delete(namespaces, { name });
    },
  };
};

/**
 * Asks until the answer is true, 20 times a second.
 * @throws Error saying what was waited for after `timeoutMs`.
 */
export const until = async (
  what: string,
  question: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> => {
  const deadline = performance.now() + timeoutMs;
  while (!(await question())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await sleep(systemClock, 50);
  }
};

/** A ConfigMap to write. */
export const configMap = (
  namespace: string,
  name: string,
  data: Record<string, string> = {},
  labels?: Record<string, string>,
) => ({
  metadata: { namespace, name, ...(labels ? { labels } : {}) },
  data,
});

export { configMaps };
