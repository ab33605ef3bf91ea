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

async function main(namespace: string): Promise<void> {
  const config = await kubeConfig();
  const apps = config.makeApiClient(AppsV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const custom = config.makeApiClient(CustomObjectsApi);
  const discovery = config.makeApiClient(DiscoveryV1Api);
  const policy = config.makeApiClient(PolicyV1Api);
  const customList = async (type: typeof OURS | typeof ROUTES): Promise<KubernetesListObject<KubernetesObject>> =>
    (await custom.listNamespacedCustomObject({ ...type, namespace })) as KubernetesListObject<KubernetesObject>;
  const ours = makeInformer(config, `/apis/${OURS.group}/${OURS.version}/namespaces/${namespace}/${OURS.plural}`, () =>
    customList(OURS),
  );
  const others = [
    makeInformer(config, `/apis/apps/v1/namespaces/${namespace}/deployments`, () =>
      apps.listNamespacedDeployment({ namespace }),
    ),
    makeInformer(config, `/apis/apps/v1/namespaces/${namespace}/controllerrevisions`, () =>
      apps.listNamespacedControllerRevision({ namespace }),
    ),
    makeInformer(config, `/api/v1/namespaces/${namespace}/pods`, () => core.listNamespacedPod({ namespace })),
    makeInformer(config, `/api/v1/namespaces/${namespace}/services`, () => core.listNamespacedService({ namespace })),
    makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
      core.listNamespacedConfigMap({ namespace }),
    ),
    makeInformer(config, `/api/v1/namespaces/${namespace}/secrets`, () => core.listNamespacedSecret({ namespace })),
    makeInformer(config, `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, () =>
      discovery.listNamespacedEndpointSlice({ namespace }),
    ),
    makeInformer(config, `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`, () =>
      policy.listNamespacedPodDisruptionBudget({ namespace }),
    ),
    makeInformer(config, `/apis/${ROUTES.group}/${ROUTES.version}/namespaces/${namespace}/${ROUTES.plural}`, () =>
      customList(ROUTES),
    ),
  ];
  const seen = new Map<string, number>();
  ours.on('change', (object) => {
    const { name = '', generation = 0 } = object.metadata as { name?: string; generation?: number };
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

await main(process.argv[2] ?? '');
