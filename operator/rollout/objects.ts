// The Kubernetes objects we want, as pure data: Deployment, Services, disruption budget, revision record.
import { digest } from './digest.ts';
import {
  APPLIED_DIGEST,
  childLabels,
  componentObjectName,
  DRAIN_DEADLINE,
  DRAIN_STARTED,
  podSelector,
  previewServiceName,
  revisionObjectName,
  revisionRecordName,
} from './names.ts';
import type { DrainWindow, RevisionComponent, RevisionRecord, Subject } from './snapshot.ts';

/** metav1.OwnerReference. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller: boolean;
  blockOwnerDeletion: boolean;
}

/** An object as it is sent to the API server. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: { readonly [APPLIED_DIGEST]: string };
    readonly ownerReferences?: readonly OwnerReference[];
    readonly resourceVersion?: string;
  };
  readonly [field: string]: unknown;
}

/**
 * The subject as controlling owner, so that nothing of ours outlives it.
 *
 * Not on what a drain needs (Deployments, the records that know the admin port, the admin token): a foreground deletion of the owner makes the garbage
 * collector delete all dependents at once, whatever blockOwnerDeletion says, and the pods would go from under their open sockets before our finalizer
 * has drained them. These are removed by the finalizer alone.
 */
export function ownerReference(subject: Subject): OwnerReference {
  return {
    apiVersion: 'assistant-platform.io/v1alpha1',
    kind: 'AssistantDeployment',
    name: subject.name,
    uid: subject.uid,
    controller: true,
    blockOwnerDeletion: false,
  };
}

function manifest(
  subject: Subject,
  head: { apiVersion: string; kind: string; name: string; labels: Record<string, string> },
  body: Record<string, unknown>,
): Manifest {
  return {
    apiVersion: head.apiVersion,
    kind: head.kind,
    metadata: {
      name: head.name,
      namespace: subject.namespace,
      labels: head.labels,
      annotations: { [APPLIED_DIGEST]: digestOf(head.labels, body) },
      ownerReferences: [ownerReference(subject)],
    },
    ...body,
  };
}

/** Without its owner: outlives the begin of a foreground deletion. See {@link ownerReference}. */
function untilDrained(object: Manifest): Manifest {
  const { ownerReferences: _owners, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** What {@link APPLIED_DIGEST} of an object with these labels and this body says. */
export const digestOf = (labels: Readonly<Record<string, string | undefined>>, body: object): string =>
  digest({ labels, body }, 16);

/** The digest that a manifest carries, to compare with what was applied before. */
export const appliedDigest = (object: Manifest): string => object.metadata.annotations[APPLIED_DIGEST];

/** Annotations that say a drain is on; null values remove them (merge patch). */
export function drainAnnotations(drain: DrainWindow | null): Record<string, string | null> {
  return {
    [DRAIN_STARTED]: drain === null ? null : new Date(drain.startedAt).toISOString(),
    [DRAIN_DEADLINE]: drain === null ? null : new Date(drain.deadline).toISOString(),
  };
}

/** The Deployment of a revision. Its template never changes, so Kubernetes' own rolling update never runs. */
export function deployment(
  subject: Subject,
  component: string,
  hash: string,
  content: RevisionComponent,
  replicas: number,
): Manifest {
  const base = manifest(
    subject,
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: revisionObjectName(subject.name, component, hash),
      labels: childLabels(subject.name, component, hash),
    },
    {
      spec: {
        revisionHistoryLimit: 0,
        selector: { matchLabels: podSelector(subject.name, component, hash) },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: content.template,
      },
    },
  );
  // Replicas stay outside the digest: scaling is a write of its own.
  return { ...untilDrained(base), spec: { ...(base['spec'] as Record<string, unknown>), replicas } };
}

function service(
  subject: Subject,
  name: string,
  component: string,
  hash: string,
  port: number,
  own: boolean,
): Manifest {
  return manifest(
    subject,
    { apiVersion: 'v1', kind: 'Service', name, labels: childLabels(subject.name, component, own ? hash : undefined) },
    {
      spec: {
        selector: podSelector(subject.name, component, hash),
        ports: [{ name: 'http', port, targetPort: 'http', protocol: 'TCP' }],
      },
    },
  );
}

export const revisionService = (subject: Subject, component: string, hash: string, port: number): Manifest =>
  service(subject, revisionObjectName(subject.name, component, hash), component, hash, port, true);

export const activeService = (subject: Subject, component: string, hash: string, port: number): Manifest =>
  service(subject, componentObjectName(subject.name, component), component, hash, port, false);

export const previewService = (subject: Subject, component: string, hash: string, port: number): Manifest =>
  service(subject, previewServiceName(subject.name, component), component, hash, port, false);

/** One pod at a time may be evicted; pods that are not ready because they drain are protected by it as well. */
export function disruptionBudget(subject: Subject, component: string, hash: string): Manifest {
  return manifest(
    subject,
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      name: revisionObjectName(subject.name, component, hash),
      labels: childLabels(subject.name, component, hash),
    },
    { spec: { maxUnavailable: 1, selector: { matchLabels: podSelector(subject.name, component, hash) } } },
  );
}

/** The record as a ControllerRevision: immutable, made by nobody but us. */
export function controllerRevision(subject: Subject, record: RevisionRecord): Manifest {
  const object = manifest(
    subject,
    {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      name: revisionRecordName(subject.name, record.hash),
      labels: childLabels(subject.name, undefined, record.hash),
    },
    {
      revision: record.sequence,
      data: {
        hash: record.hash,
        release: record.release,
        components: record.components,
        references: record.references,
        source: record.source,
        ...(record.restartedAt === undefined ? {} : { restartedAt: record.restartedAt }),
      },
    },
  );
  return untilDrained(object);
}
