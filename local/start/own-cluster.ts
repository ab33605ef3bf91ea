// Somebody's own cluster (`--context NAME`): looks whether it answers and has what the platform needs, and brings the images there.
import { ensureBinary } from '../toolchain/toolchain.ts';
import { runCommand } from '../toolchain/command.ts';
import { locate } from '../toolchain/path-tools.ts';
import { GATEWAY_API_FILE } from '../cluster/add-ons.ts';
import type { BuiltImage } from '../images/images.ts';
import type { Progress } from '../progress/progress.ts';
import type { Target } from './target.ts';

/** What the stack has to know of the cluster. */
export interface OwnClusterFacts {
  /** Address of a node, for the NodePorts. */
  readonly nodeAddress: string;
  readonly storageClass: string;
}

/** How images reach the nodes. Pure; `context` is the name as the tool made it. */
export type ImageRoute =
  | { readonly kind: 'tool'; readonly program: string; args(archive: string): string[] }
  | { readonly kind: 'registry'; readonly prefix: string }
  | { readonly kind: 'unknown' };

/** kind, k3d and minikube name their contexts, and each loads archives; any other cluster needs a registry. */
export function imageRoute(context: string, registry: string | undefined): ImageRoute {
  if (registry !== undefined) return { kind: 'registry', prefix: registry };
  if (context.startsWith('kind-')) {
    const name = context.slice('kind-'.length);
    return { kind: 'tool', program: 'kind', args: (archive) => ['load', 'image-archive', archive, '--name', name] };
  }
  if (context.startsWith('k3d-')) {
    const name = context.slice('k3d-'.length);
    return { kind: 'tool', program: 'k3d', args: (archive) => ['image', 'import', archive, '--cluster', name] };
  }
  if (context === 'minikube') {
    return { kind: 'tool', program: 'minikube', args: (archive) => ['image', 'load', archive] };
  }
  return { kind: 'unknown' };
}

/** What a person is told whose cluster cannot be given archives. */
export const IMAGE_WAYS = `The nodes of this cluster must be able to get the platform's images. The ways:
  kind, k3d, minikube   npm start loads the images by itself when the context has its usual name and the tool is in PATH
  any other cluster     npm run images -- --contexts      writes build contexts for docker, podman or buildah, with commands;
                        push the images to a registry that the nodes can pull from, then
                        npm start -- --context NAME --registry PREFIX      (PREFIX/chat:1.0.0 and so on)`;

/** @throws Error when the cluster does not answer, has no storage class, or no node with an address. */
export async function inspectOwnCluster(target: Target, progress: Progress): Promise<OwnClusterFacts> {
  const kubectl = await kubectlFor(target, progress);
  const contexts = (await kubectl(['config', 'get-contexts', '-o', 'name'], false))
    .split('\n')
    .filter((name) => name !== '');
  if (!contexts.includes(target.context)) throw new Error(unknownContext(target, contexts));
  await kubectl(['version', '--request-timeout=10s']).catch((cause: unknown) => {
    throw new Error(
      `The cluster of context ${target.context} (kubeconfig ${target.kubeconfig}) does not answer: ${(cause as Error).message}`,
      { cause },
    );
  });
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', GATEWAY_API_FILE]);
  const text = await kubectl(['get', 'nodes', '-o', 'json']);
  return {
    nodeAddress: nodeAddressOf(text),
    storageClass: storageClassOf(await kubectl(['get', 'storageclasses', '-o', 'json'])),
  };
}

/** What a person is told who named a context that the kubeconfig does not have. Pure. */
export function unknownContext({ context, kubeconfig }: Target, known: readonly string[]): string {
  const choice = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`;
  return `There is no context "${context}" in the kubeconfig ${kubeconfig}: ${choice}. Write one of these after --context, or point KUBECONFIG at another file.`;
}

/** Brings every image to the nodes by the cluster's own tool. */
export async function loadByTool(
  route: ImageRoute,
  images: readonly BuiltImage[],
  onLine: (line: string) => void,
): Promise<void> {
  if (route.kind !== 'tool') return;
  if ((await locate(route.program)) === undefined) {
    throw new Error(`${route.program} is not in PATH, and it is what loads images into this cluster.\n${IMAGE_WAYS}`);
  }
  for (const { ref, archive } of images) {
    onLine(ref);
    await runCommand(route.program, route.args(archive), { onLine });
  }
}

/** InternalIP of the first node in the text of `kubectl get nodes -o json`. Pure. */
export function nodeAddressOf(json: string): string {
  interface Nodes {
    readonly items: readonly {
      readonly status?: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] };
    }[];
  }
  const { items } = JSON.parse(json) as Nodes;
  const address = items[0]?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  if (address === undefined)
    throw new Error('The cluster has no node with an InternalIP: kubectl get nodes -o wide shows what there is.');
  return address;
}

/** The default class in the text of `kubectl get storageclasses -o json`. Pure. */
export function storageClassOf(json: string): string {
  interface Classes {
    readonly items: readonly {
      readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
    }[];
  }
  const { items } = JSON.parse(json) as Classes;
  const marked = items.find(
    ({ metadata }) => metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true',
  );
  const name = (marked ?? (items.length === 1 ? items[0] : undefined))?.metadata.name;
  if (name === undefined) {
    throw new Error(
      'The cluster has no default StorageClass: mark one (storageclass.kubernetes.io/is-default-class: "true").',
    );
  }
  return name;
}

/** kubectl with the target's kubeconfig and, unless told otherwise, in its context. */
async function kubectlFor(
  target: Target,
  progress: Progress,
): Promise<(args: readonly string[], inContext?: boolean) => Promise<string>> {
  const program = await ensureBinary('kubectl', progress);
  const env = { KUBECONFIG: target.kubeconfig };
  return (args, inContext = true) =>
    runCommand(program, [...(inContext ? ['--context', target.context] : []), ...args], { env });
}
