// What the operator is compared with: the controller that one writes first with @kubernetes/client-node. makeInformer for the same types, nothing
// trimmed, no index, no queue: each new generation of an AssistantDeployment is answered at once by one write, an annotation.
import {
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  DiscoveryV1Api,
  KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
  PatchStrategy,
  PolicyV1Api,
  setHeaderOptions,
} from '@kubernetes/client-node';
import { inClusterConnection } from '@assistant-platform/runtime';

const OURS = { group: 'assistant-platform.io', version: 'v1alpha1', plural: 'assistantdeployments' } as const;
const ROUTES = { group: 'gateway.networking.k8s.io', version: 'v1', plural: 'httproutes' } as const;

async function main(): Promise<void> {
  const config = await kubeConfig();
  const apps = config.makeApiClient(AppsV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const custom = config.makeApiClient(CustomObjectsApi);
  const discovery = config.makeApiClient(DiscoveryV1Api);
  const policy = config.makeApiClient(PolicyV1Api);
  const customObjects = (type: typeof OURS | typeof ROUTES) =>
    makeInformer(
      config,
      `/apis/${type.group}/${type.version}/${type.plural}`,
      async () => (await custom.listClusterCustomObject(type)) as KubernetesListObject<KubernetesObject>,
    );
  const ours = customObjects(OURS);
  const others = [
    makeInformer(config, '/apis/apps/v1/deployments', () => apps.listDeploymentForAllNamespaces()),
    makeInformer(config, '/apis/apps/v1/controllerrevisions', () => apps.listControllerRevisionForAllNamespaces()),
    makeInformer(config, '/api/v1/pods', () => core.listPodForAllNamespaces()),
    makeInformer(config, '/api/v1/services', () => core.listServiceForAllNamespaces()),
    makeInformer(config, '/api/v1/configmaps', () => core.listConfigMapForAllNamespaces()),
    makeInformer(config, '/api/v1/secrets', () => core.listSecretForAllNamespaces()),
    makeInformer(config, '/apis/discovery.k8s.io/v1/endpointslices', () =>
      discovery.listEndpointSliceForAllNamespaces(),
    ),
    makeInformer(config, '/apis/policy/v1/poddisruptionbudgets', () =>
      policy.listPodDisruptionBudgetForAllNamespaces(),
    ),
    customObjects(ROUTES),
  ];
  const seen = new Map<string, number>();
  ours.on('change', (object) => {
    const {
      namespace = '',
      name = '',
      generation = 0,
    } = object.metadata as KubernetesObject['metadata'] & { generation?: number };
    const known = seen.get(name);
    seen.set(name, generation);
    if (known === undefined || known === generation) return;
    const body = { metadata: { annotations: { 'example.com/seen': String(generation) } } };
    custom
      .patchNamespacedCustomObject(
        { ...OURS, namespace, name, body },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      )
      .catch((error: unknown) => console.error(error));
  });
  await Promise.all([ours, ...others].map((informer) => informer.start()));
}

/** The same ServiceAccount as the operator has. */
async function kubeConfig(): Promise<KubeConfig> {
  const { server, headers, tls } = await inClusterConnection().endpoint();
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'here', server, caData: Buffer.from(String(tls.ca)).toString('base64'), skipTLSVerify: false },
    { name: 'plain', token: (headers['authorization'] ?? '').replace('Bearer ', '') },
  );
  return config;
}

await main();
