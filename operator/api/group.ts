// Names that every part must spell alike: the API group, its kinds, labels, annotations and the finalizer.

/** The API group of the custom resources, and the prefix of our labels and annotations. */
export const GROUP = 'assistant-platform.io';
export const VERSION = 'v1alpha1';
/** `apiVersion` of every custom resource of ours. */
export const API_VERSION = `${GROUP}/${VERSION}` as const;

export const ASSISTANT_DEPLOYMENT = {
  kind: 'AssistantDeployment',
  listKind: 'AssistantDeploymentList',
  plural: 'assistantdeployments',
  singular: 'assistantdeployment',
  shortName: 'ad',
  category: 'all',
} as const;

/** Name of the CustomResourceDefinition. */
export const ASSISTANT_DEPLOYMENT_CRD = `${ASSISTANT_DEPLOYMENT.plural}.${GROUP}` as const;

/** Labels on every object that the operator makes. */
export const LABELS = {
  name: `${GROUP}/name`,
  component: `${GROUP}/component`,
  revision: `${GROUP}/revision`,
} as const;

/** Verbs: annotations that people write and the operator consumes and removes, so that GitOps does not revert them. */
export const VERBS = {
  /** `step`: end the present pause; `full`: skip all remaining steps. */
  promote: `${GROUP}/promote`,
  /** The reason, for people. */
  abort: `${GROUP}/abort`,
  /** Begin an aborted rollout again; the value is empty. */
  retry: `${GROUP}/retry`,
  /** Replace all pods in a rollout of the same images; the value is the time of asking. */
  restart: `${GROUP}/restart`,
  /** The spec has been set back to that of this revision: so are the contents of its ConfigMaps and Secrets, whatever these hold by now. */
  undo: `${GROUP}/undo`,
} as const;

export type Verb = keyof typeof VERBS;
export const PROMOTE_VALUES = ['step', 'full'] as const;
export type PromoteValue = (typeof PROMOTE_VALUES)[number];

/** Held by an AssistantDeployment until its open sessions are drained and its objects are gone. */
export const FINALIZER = `${GROUP}/drain`;

/** Request header that routes to one revision by hand; also on every response (pod contract). */
export const REVISION_HEADER = 'x-assistant-revision';
/** Request header or cookie with the bucket 0..99 of a conversation. */
export const BUCKET_HEADER = 'x-assistant-bucket';

/**
 * How long a revision hash may be. Services are named `<name>-<component>-<hash>` and may have 63 characters, so this
 * and the two dashes bound the length of name and component together (see {@link NAME_BUDGET}).
 */
export const MAX_HASH_LENGTH = 10;
/** Most characters that the object's name and a component's name may have together. */
export const NAME_BUDGET = 63 - 2 - MAX_HASH_LENGTH;
