// The AssistantDeployments that are measured: small, valid, and without metrics, so that only the releasing itself is counted.
import { API_VERSION, type AssistantDeploymentSpec } from '@assistant-platform/api';
import type { Api } from '@assistant-platform/runtime';
import { assistantDeployments, type StoredAssistantDeployment } from '../../../operator/controller/resources.ts';

/** Four weights one after the other, as the peers were measured with. */
const FOUR_WEIGHTS: AssistantDeploymentSpec['strategy'] = {
  type: 'Canary',
  canary: { steps: [20, 40, 60, 80].map((setWeight) => ({ setWeight })) },
  drain: { deadline: '30s' },
  progressDeadline: '10m',
};

/** What a measured assistant consists of. */
export interface Shape {
  readonly components: readonly ('chat' | 'realtime')[];
  readonly replicas: number;
}

export function specOf(release: string, { components, replicas }: Shape): AssistantDeploymentSpec {
  return {
    release,
    components: Object.fromEntries(
      components.map((name) => [name, { image: `localhost/assistant/${name}:${release}`, replicas }]),
    ),
    gateway: { parentRef: { name: 'public', namespace: 'gateway-system' } },
    strategy: FOUR_WEIGHTS,
  };
}

/** Of the names of their namespaces. */
export const NAMESPACE_PREFIX = 'bench-';

/** What is measured is spread over these, as teams do; in a single one Kubernetes' own controllers look through all the others for each pod. */
export const NAMESPACES: readonly string[] = Array.from({ length: 100 }, (_, index) => `${NAMESPACE_PREFIX}${index}`);

/** Where the object of that name is: by the number at its end. */
export const namespaceOf = (name: string): string =>
  NAMESPACES[Number(/\d*$/.exec(name)?.[0]) % NAMESPACES.length] as string;

/** Writes as a person does: by server-side apply. */
export const release = (api: Api, name: string, version: string, shape: Shape) =>
  api.apply(
    assistantDeployments,
    {
      apiVersion: API_VERSION,
      metadata: { namespace: namespaceOf(name), name },
      spec: specOf(version, shape),
    } as never,
    { fieldManager: 'person' },
  );

/** Promoted, ready, and nothing of older revisions left. */
export function isFinished({ metadata, status }: StoredAssistantDeployment, version: string): boolean {
  return (
    status?.observedGeneration === metadata.generation &&
    status?.phase === 'Healthy' &&
    status.stableRevision?.release === version &&
    status.updateRevision?.release === version &&
    (status.draining ?? []).length === 0
  );
}
