// Installs our CustomResourceDefinitions into a cluster and waits until the API server serves them.
import { ApiextensionsV1Api, KubeConfig, PatchStrategy, setHeaderOptions, Watch } from '@kubernetes/client-node';
import type { V1CustomResourceDefinition } from '@kubernetes/client-node';
import { assistantDeploymentDefinition } from '@assistant-platform/api/crd';

const FIELD_MANAGER = 'assistant-platform-test';

/** Applies the CRD as it is in the source, and returns once it is established. Safe to repeat. */
export async function installCustomResources(kubeconfig: string): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const body = assistantDeploymentDefinition();
  const { name } = body.metadata;
  await config
    .makeApiClient(ApiextensionsV1Api)
    .patchCustomResourceDefinition(
      { name, body, fieldManager: FIELD_MANAGER, force: true },
      setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
    );
  await established(config, name);
}

/** Resolves when the condition Established is true; the watch starts with the present state. */
async function established(config: KubeConfig, name: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const controller = await new Watch(config).watch(
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    { fieldSelector: `metadata.name=${name}` },
    (_type, object: V1CustomResourceDefinition) => {
      const conditions = object.status?.conditions ?? [];
      if (conditions.some(({ type, status }) => type === 'Established' && status === 'True')) resolve(undefined);
      const refused = conditions.find(({ type, status }) => type === 'NamesAccepted' && status === 'False');
      if (refused !== undefined) reject(new Error(`the names of ${name} are not accepted: ${refused.message ?? ''}`));
    },
    (error: unknown) =>
      reject(error instanceof Error ? error : new Error(`the watch of ${name} ended before it was established`)),
  );
  try {
    await promise;
  } finally {
    controller.abort();
  }
}
