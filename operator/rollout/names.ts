// Names, labels and annotations of everything the operator makes. One place, so that no two files spell one differently.

import { GROUP, LABELS } from '@assistant-platform/api';

/** The order a verb was turned into (see orders.ts); written by the operator only. */
export const ORDER_ANNOTATION = `${GROUP}/order`;
/** What the restart verb was turned into (see orders.ts); written by the operator only. */
export const RESTART_ANNOTATION = `${GROUP}/restarted`;
/** The way back in force (see orders.ts). */
export const UNDO_ANNOTATION = `${GROUP}/undone`;
/** On a Deployment or a pod: it is being drained since, and until when it may take. Absolute times (RFC 3339). */
export const DRAIN_STARTED = `${GROUP}/drain-started`;
export const DRAIN_DEADLINE = `${GROUP}/drain-deadline`;
/** On child objects: digest of what was applied, so that a change of what is wanted is seen without a comparison of defaults. */
export const APPLIED_DIGEST = `${GROUP}/applied` as const;
/** Kubernetes' own hint to the ReplicaSet controller: lower goes first. */
export const POD_DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
/** Its values: on a pod that leaves while others stay, and on one that may go at once. */
export const COST_LEAVING = -1000;
export const COST_RELEASED = -2000;

/** Where a component's container finds the admin token (pod contract). */
export const ADMIN_TOKEN_DIRECTORY = '/var/run/assistant/admin';

/** Deployment, Service and PodDisruptionBudget of one revision of one component. */
export const revisionObjectName = (name: string, component: string, hash: string): string =>
  `${name}-${component}-${hash}`;
/** Kubernetes gives pods at most so many characters of the name of what makes them, and five random ones (k8s.io/apiserver/pkg/storage/names). */
const POD_NAME_BASE = 58;
/** How the names of the pods of that Deployment begin. */
export const podPrefix = (name: string, component: string, hash: string): string =>
  `${revisionObjectName(name, component, hash)}-`.slice(0, POD_NAME_BASE);
/** The active Service and the HTTPRoute of a component. */
export const componentObjectName = (name: string, component: string): string => `${name}-${component}`;
export const previewServiceName = (name: string, component: string): string => `${name}-${component}-preview`;
export const adminSecretName = (name: string): string => `${name}-admin`;
export const revisionRecordName = (name: string, hash: string): string => `${name}-${hash}`;
/** How the names of a revision's copies of ConfigMaps and Secrets begin; the name of the original follows (see copyName). */
export const copyPrefix = (name: string, hash: string): string => `${name}-${hash}-`;

/** Labels that every child carries; component and revision where the child belongs to one. */
export function childLabels(name: string, component?: string, revision?: string): Record<string, string> {
  return {
    'app.kubernetes.io/name': component ?? 'assistant',
    'app.kubernetes.io/instance': name,
    'app.kubernetes.io/managed-by': 'assistant-operator',
    [LABELS.name]: name,
    ...(component === undefined ? {} : { 'app.kubernetes.io/component': component, [LABELS.component]: component }),
    ...(revision === undefined ? {} : { [LABELS.revision]: revision }),
  };
}

/** Selects the pods of a component, of one revision or of all. */
export function podSelector(name: string, component: string, revision?: string): Record<string, string> {
  return {
    [LABELS.name]: name,
    [LABELS.component]: component,
    ...(revision === undefined ? {} : { [LABELS.revision]: revision }),
  };
}
