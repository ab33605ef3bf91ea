// From what the API server stores to the snapshot that the decision reads. Pure: objects in, snapshot out. What it reads, lean.ts has to keep.
import { LABELS } from '@assistant-platform/api';
import type {
  Deployment,
  EndpointSlice,
  Pod as StoredPod,
  PodDisruptionBudget,
  Service,
} from '@assistant-platform/runtime';
import { cut } from '../rollout/cut.ts';
import {
  APPLIED_DIGEST,
  COST_RELEASED,
  DRAIN_DEADLINE,
  DRAIN_STARTED,
  POD_DELETION_COST,
  revisionObjectName,
} from '../rollout/names.ts';
import type { Release } from '../rollout/release.ts';
import type {
  BudgetObject,
  DrainWindow,
  Pod,
  PodDrain,
  RevisionRecord,
  ServiceObject,
  Sessions,
  Settings,
  Snapshot,
  Subject,
  Trouble,
  Workload,
} from '../rollout/snapshot.ts';
import { fromHttpRoute, type HttpRoute } from '../traffic/httpRoute.ts';
import { isReplicaFailure, SERVICE_NAME } from './lean.ts';
import type { ControllerRevision, StoredAssistantDeployment } from './resources.ts';

/** The objects of one AssistantDeployment. */
export interface Observed {
  readonly subject: StoredAssistantDeployment;
  readonly release: Release;
  readonly revisions: readonly ControllerRevision[];
  readonly deployments: readonly Deployment[];
  readonly pods: readonly StoredPod[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly budgets: readonly PodDisruptionBudget[];
  readonly routes: readonly HttpRoute[];
  readonly adminSecret: boolean;
  readonly copies: Snapshot['copies'];
  readonly references: Readonly<Record<string, string | null>>;
  readonly measurements: Snapshot['measurements'];
  readonly settings: Settings;
  readonly sessionsOf: (podUid: string) => Sessions;
}

/** Builds the snapshot. */
export function snapshotOf(observed: Observed): Snapshot {
  const served = servedPods(observed.endpointSlices);
  const isServed = (pod: StoredPod): boolean => {
    const [component, revision] = [LABELS.component, LABELS.revision].map((key) => label(pod.metadata.labels, key));
    const service = revisionObjectName(observed.subject.metadata.name, component ?? '', revision ?? '');
    return served.has(`${service}/${pod.metadata.uid ?? ''}`);
  };
  return {
    subject: subjectOf(observed.subject, observed.release),
    records: observed.revisions.flatMap(recordOf),
    workloads: observed.deployments.map(workloadOf),
    pods: observed.pods.filter(isActive).map((pod) => podOf(pod, isServed(pod), observed.sessionsOf)),
    services: observed.services.map(serviceOf),
    budgets: observed.budgets.map(budgetOf),
    routes: observed.routes.map((route) =>
      fromHttpRoute(observed.subject.metadata.name, label(route.metadata.labels, LABELS.component), route),
    ),
    adminSecret: observed.adminSecret,
    copies: observed.copies,
    references: observed.references,
    measurements: observed.measurements,
    settings: observed.settings,
  };
}

const label = (labels: Record<string, string> | undefined, key: string): string => labels?.[key] ?? '';

function subjectOf({ metadata, spec, status }: StoredAssistantDeployment, release: Release): Subject {
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    uid: metadata.uid ?? '',
    generation: metadata.generation ?? 0,
    resourceVersion: metadata.resourceVersion ?? '',
    annotations: metadata.annotations ?? {},
    finalizers: metadata.finalizers ?? [],
    deleting: metadata.deletionTimestamp !== undefined,
    release,
    source: { release: release.release, components: spec.components },
    status: status ?? {},
  };
}

function recordOf({ revision, data }: ControllerRevision): RevisionRecord[] {
  if (data === undefined) return [];
  const { hash, release, components, references = {}, source = null, restartedAt } = data;
  const restart = restartedAt === undefined ? {} : { restartedAt };
  return [{ hash, release, sequence: revision, components, references, source, ...restart }];
}

function drainOf(annotations: Record<string, string> | undefined): DrainWindow | null {
  const deadline = Date.parse(annotations?.[DRAIN_DEADLINE] ?? '');
  const startedAt = Date.parse(annotations?.[DRAIN_STARTED] ?? '');
  // Unreadable times are no drain: it is begun again rather than ended early.
  return Number.isNaN(deadline) || Number.isNaN(startedAt) ? null : { startedAt, deadline };
}

function podDrainOf(annotations: Record<string, string> | undefined): PodDrain | null {
  const drain = drainOf(annotations);
  const released = Number(annotations?.[POD_DELETION_COST] ?? 0) <= COST_RELEASED;
  return drain === null || !released ? drain : { ...drain, released };
}

function workloadOf({ metadata, spec, status }: Deployment): Workload {
  const failure = status?.conditions?.find(isReplicaFailure);
  return {
    name: metadata.name,
    component: label(metadata.labels, LABELS.component),
    revision: label(metadata.labels, LABELS.revision),
    replicas: spec?.replicas ?? 1,
    podCount: status?.replicas ?? 0,
    ...(failure === undefined ? {} : { trouble: troubleFrom(failure, 'FailedCreate', 'its pods cannot be made') }),
    drain: drainOf(metadata.annotations),
    digest: metadata.annotations?.[APPLIED_DIGEST] ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
  };
}

function serviceOf({ metadata }: Service): ServiceObject {
  return {
    name: metadata.name,
    component: label(metadata.labels, LABELS.component),
    revision: metadata.labels?.[LABELS.revision] ?? null,
    digest: metadata.annotations?.[APPLIED_DIGEST] ?? '',
  };
}

function budgetOf({ metadata }: PodDisruptionBudget): BudgetObject {
  return {
    name: metadata.name,
    component: label(metadata.labels, LABELS.component),
    revision: label(metadata.labels, LABELS.revision),
    digest: metadata.annotations?.[APPLIED_DIGEST] ?? '',
  };
}

/**
 * The ready endpoints of each Service, as `service/uid of the pod`. Gateways send to these: a pod is in them a moment after it is Ready, and a
 * weight for a Service without endpoints is answered 503.
 */
function servedPods(slices: readonly EndpointSlice[]): ReadonlySet<string> {
  return new Set(
    slices.flatMap(({ metadata, endpoints }) =>
      (endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready === true)
        .map(({ targetRef }) => `${label(metadata.labels, SERVICE_NAME)}/${targetRef?.uid ?? ''}`),
    ),
  );
}

function podOf(pod: StoredPod, served: boolean, sessionsOf: Observed['sessionsOf']): Pod {
  const { metadata, status } = pod;
  const running = isRunning(pod);
  const ready = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    component: label(metadata.labels, LABELS.component),
    revision: label(metadata.labels, LABELS.revision),
    ip: status?.podIP ?? null,
    running,
    phase: phaseOf(pod),
    ready: ready && served,
    terminating: metadata.deletionTimestamp !== undefined,
    removal: removalOf(metadata),
    createdAt: Date.parse(metadata.creationTimestamp ?? '') || 0,
    drain: podDrainOf(metadata.annotations),
    trouble: ready ? null : troubleOf(pod),
    sessions: sessionsOf(metadata.uid ?? ''),
  };
}

/** The deletion timestamp is the end of the grace period, not its beginning (metav1.ObjectMeta). */
function removalOf({ deletionTimestamp, deletionGracePeriodSeconds = 0 }: StoredPod['metadata']): DrainWindow | null {
  const deadline = Date.parse(deletionTimestamp ?? '');
  return Number.isNaN(deadline) ? null : { startedAt: deadline - deletionGracePeriodSeconds * 1000, deadline };
}

/** The component's container; named after the component, the first one if a patch renamed it. */
function mainStatus({ metadata, status }: StoredPod) {
  const statuses = status?.containerStatuses ?? [];
  return statuses.find(({ name }) => name === metadata.labels?.[LABELS.component]) ?? statuses[0];
}

/** A pod that has ended (evicted by its node, say) stays as a record; its controller does not count it and makes another. */
const isActive = ({ status }: StoredPod): boolean => status?.phase !== 'Failed' && status?.phase !== 'Succeeded';

function phaseOf({ status }: StoredPod): Pod['phase'] {
  if (status?.phase === 'Running') return 'Running';
  const scheduled = status?.conditions?.some(({ type, status: value }) => type === 'PodScheduled' && value === 'True');
  return scheduled === true ? 'Pending' : 'Unscheduled';
}

const isRunning = (pod: StoredPod): boolean =>
  pod.status?.phase === 'Running' && mainStatus(pod)?.state?.running !== undefined;

/** Messages of the kubelet may be long and name the pod: cut, for people. */
const MESSAGE_LENGTH = 200;

/** Of a condition; with the usual words where it has none. */
const troubleFrom = (
  { reason, message }: { readonly reason?: string; readonly message?: string },
  usualReason: string,
  usualMessage: string,
): Trouble => ({ reason: reason ?? usualReason, message: cut(message ?? usualMessage, MESSAGE_LENGTH) });

function troubleOf({ status }: StoredPod): Pod['trouble'] {
  const unschedulable = status?.conditions?.find(
    ({ type, status: value }) => type === 'PodScheduled' && value === 'False',
  );
  if (unschedulable !== undefined) {
    return troubleFrom(unschedulable, 'Unschedulable', 'no node takes it');
  }
  for (const { state, lastState, restartCount } of [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ]) {
    const waiting = state?.waiting;
    const ended = state?.terminated ?? lastState?.terminated;
    // ContainerCreating and PodInitializing are no trouble: every pod passes through them.
    if (
      waiting?.reason !== undefined &&
      waiting.reason !== 'ContainerCreating' &&
      waiting.reason !== 'PodInitializing'
    ) {
      const exit = ended === undefined ? '' : `; it ended with code ${ended.exitCode}`;
      return { reason: waiting.reason, message: `${cut(waiting.message ?? '', MESSAGE_LENGTH)}${exit}` };
    }
    if (ended !== undefined && ended.exitCode !== 0) {
      return {
        reason: ended.reason ?? 'Error',
        message: `it ended with code ${ended.exitCode}, ${restartCount} restarts`,
      };
    }
  }
  return null;
}
