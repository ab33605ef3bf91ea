// What stays in memory of the objects that an AssistantDeployment is made of: what observe.ts reads, and nothing else. With ten thousand assistants
// the rest would be most of the memory; and when only the rest has changed, there is nothing to look at.
import { cutNesting, GROUP, LABELS, TEMPLATE_LEVELS } from '@assistant-platform/api';
import type {
  ChangeFilter,
  Deployment,
  EndpointSlice,
  KubeObject,
  ObjectMeta,
  Pod,
  PodDisruptionBudget,
  Service,
} from '@assistant-platform/runtime';
import { isSame } from '../rollout/digest.ts';
import { APPLIED_DIGEST, childLabels, POD_DELETION_COST } from '../rollout/names.ts';
import { digestOf } from '../rollout/objects.ts';
import type { StoredAssistantDeployment } from './resources.ts';

/** The label that names the Service of an EndpointSlice. */
export const SERVICE_NAME = 'kubernetes.io/service-name';

const KEPT_LABELS: ReadonlySet<string> = new Set([LABELS.name, LABELS.component, LABELS.revision, SERVICE_NAME]);
const isKeptLabel = (key: string): boolean => KEPT_LABELS.has(key);
const isKeptAnnotation = (key: string): boolean => key.startsWith(`${GROUP}/`) || key === POD_DELETION_COST;

/** Its controller could not make pods. */
export const isReplicaFailure = ({ type, status }: { readonly type: string; readonly status: string }): boolean =>
  type === 'ReplicaFailure' && status === 'True';

/** A template may hold whatever somebody wrote, ten thousand levels deep: what is cut here is still too deep for the spec to be read (SpecRefused). */
export const shallowSubject = (object: StoredAssistantDeployment): StoredAssistantDeployment => ({
  ...object,
  spec: cutNesting(object.spec, 2 * TEMPLATE_LEVELS),
});

export const leanDeployment = (object: Deployment): Deployment =>
  lean<Deployment>(object, {
    spec: { replicas: object.spec?.replicas },
    status: {
      replicas: object.status?.replicas,
      conditions: (object.status?.conditions ?? [])
        .filter(isReplicaFailure)
        .map(({ type, status, reason, message }) => ({ type, status, reason, message })),
    },
  });

export function leanService(object: Service): Service {
  const { selector, ports = [] } = object.spec ?? {};
  const ours = ports.filter(({ name }) => name === 'http');
  const spec = {
    selector,
    ports: ours.map(({ name, port, targetPort, protocol }) => ({ name, port, targetPort, protocol })),
  };
  return unlessEdited(lean<Service>(object, {}), object, { spec });
}

export function leanBudget(object: PodDisruptionBudget): PodDisruptionBudget {
  const { maxUnavailable, selector } = object.spec ?? {};
  return unlessEdited(lean<PodDisruptionBudget>(object, {}), object, { spec: { maxUnavailable, selector } });
}

/**
 * What is kept of an object, without the digest of what was applied where somebody else has edited that: it is applied again. What others have added
 * beside it stays.
 * @param body the fields of ours as they are now, as objects.ts writes them.
 */
function unlessEdited<T extends KubeObject>(kept: T, { metadata: { labels = {} } }: KubeObject, body: object): T {
  const { [APPLIED_DIGEST]: applied, ...annotations } = kept.metadata.annotations ?? {};
  const wanted = childLabels(labels[LABELS.name] ?? '', labels[LABELS.component], labels[LABELS.revision]);
  const present = Object.fromEntries(Object.keys(wanted).map((key) => [key, labels[key]]));
  return applied === digestOf(present, body) ? kept : { ...kept, metadata: { ...kept.metadata, annotations } };
}

export const leanEndpointSlice = (object: EndpointSlice): EndpointSlice =>
  lean<EndpointSlice>(object, {
    endpoints: object.endpoints?.map(({ conditions, targetRef }) => ({
      conditions: { ready: conditions?.ready },
      targetRef: { uid: targetRef?.uid },
    })),
  });

export const leanPod = (object: Pod): Pod =>
  lean<Pod>(object, {
    status: {
      phase: object.status?.phase,
      podIP: object.status?.podIP,
      conditions: object.status?.conditions
        ?.filter(({ type }) => type === 'Ready' || type === 'PodScheduled')
        .map(({ type, status, reason, message }) => ({ type, status, reason, message })),
      initContainerStatuses: object.status?.initContainerStatuses?.map(leanContainer),
      containerStatuses: object.status?.containerStatuses?.map(leanContainer),
    },
  });

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];
const leanContainer = ({ name, state, lastState, restartCount }: ContainerStatus) => ({
  name,
  state,
  lastState,
  restartCount,
});

/** For objects that are kept but for their metadata. */
export const leanMetadata = <T extends KubeObject>(object: T): T => ({ ...object, metadata: metadataOf(object) });

/**
 * False where an object has changed in nothing that is kept of it (its version apart): how many pods of a Deployment are ready, say, or the times in that of
 * a PodDisruptionBudget.
 */
export const contentChanged: ChangeFilter<KubeObject> = (change) =>
  change.type !== 'Updated' || !isSame(content(change.old), content(change.object));

const content = ({ metadata: { resourceVersion: _version, ...metadata }, ...rest }: KubeObject) => ({
  metadata,
  ...rest,
});

/** The fields that are required by the API but read by nobody are missing in what this returns: hence the cast, and the test that nobody misses them. */
const lean = <T extends KubeObject>(object: T, rest: object): T =>
  ({ apiVersion: object.apiVersion, kind: object.kind, metadata: metadataOf(object), ...rest }) as T;

function metadataOf({ metadata }: KubeObject): ObjectMeta {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp } = metadata;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  const labels = pick(metadata.labels, isKeptLabel);
  const annotations = pick(metadata.annotations, isKeptAnnotation);
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(generation === undefined ? {} : { generation }),
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function pick(
  entries: Record<string, string> | undefined,
  isKept: (key: string) => boolean,
): Record<string, string> | undefined {
  const kept = Object.entries(entries ?? {}).filter(([key]) => isKept(key));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
