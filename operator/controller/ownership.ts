// Whose an object is. Its name alone does not tell: the operator derives the names of what it makes, and somebody else's object may have one of them
// already. Nor does our label alone: people label objects of theirs with it, to find together what belongs together.
import { LABELS } from '@assistant-platform/api';
import { type Api, controllerOf, type KubeObject, type ResourceType } from '@assistant-platform/runtime';
import {
  adminSecretName,
  componentObjectName,
  copyPrefix,
  podPrefix,
  previewServiceName,
  revisionObjectName,
  revisionRecordName,
} from '../rollout/names.ts';
import type { ChildRef } from '../rollout/plan-types.ts';
import type { Subject } from '../rollout/snapshot.ts';

/** It carries the label of the AssistantDeployment of that name, as every object of ours does. */
export const isLabelledFor = ({ metadata }: KubeObject, name: string): boolean =>
  metadata.labels?.[LABELS.name] === name;

/** What an AssistantDeployment consists of: what the operator makes, and the pods that Kubernetes makes of it. */
export type PartKind = ChildRef['kind'] | 'Pod';

/** How the operator names an object with these labels, and Kubernetes a pod. */
const isNameOf: Readonly<
  Record<PartKind, (name: string, owner: string, component: string, revision: string) => boolean>
> = {
  Deployment: (name, ...labels) => name === revisionObjectName(...labels),
  PodDisruptionBudget: (name, ...labels) => name === revisionObjectName(...labels),
  Service: (name, owner, component, revision) =>
    revision === ''
      ? name === componentObjectName(owner, component) || name === previewServiceName(owner, component)
      : name === revisionObjectName(owner, component, revision),
  HTTPRoute: (name, owner, component) => name === componentObjectName(owner, component),
  Pod: (name, ...labels) => name.startsWith(podPrefix(...labels)),
  ControllerRevision: (name, owner, _, revision) => name === revisionRecordName(owner, revision),
  ConfigMap: (name, owner, _, revision) => revision !== '' && name.startsWith(copyPrefix(owner, revision)),
  Secret: (name, owner, _, revision) =>
    revision === '' ? name === adminSecretName(owner) : name.startsWith(copyPrefix(owner, revision)),
};

/** It was made for the AssistantDeployment of that name: it has that label, and the name that goes with its labels. */
export function isMadeFor({ metadata: { name, labels = {} } }: KubeObject, kind: PartKind, owner: string): boolean {
  const { [LABELS.name]: label, [LABELS.component]: component = '', [LABELS.revision]: revision = '' } = labels;
  return label === owner && isNameOf[kind](name, owner, component, revision);
}

/** An object of somebody else has the name of one that is to be written. Nothing of it is read or changed; a person has to make room. */
export class ForeignObjectError extends Error {
  override readonly name = 'ForeignObjectError';

  constructor(kind: string, { metadata }: KubeObject, subject: string) {
    const owner = metadata.labels?.[LABELS.name];
    super(
      `${kind} ${metadata.namespace ?? ''}/${metadata.name} is not of this AssistantDeployment (its label ${LABELS.name} ` +
        `${owner === undefined ? 'is missing' : `says ${owner}`}) but has the name of an object that it needs; it is left as it is. ` +
        `Rename it, or the AssistantDeployment; if it may become part of the AssistantDeployment, label it ${LABELS.name}=${subject}`,
    );
  }
}

/**
 * Looks before an apply, which takes over whatever is there. An object that has lost its label but is controlled by the subject is ours: it is put right.
 * @throws ForeignObjectError when there is one of this name that is not of the subject.
 */
export async function refuseForeign(
  type: ResourceType,
  name: string,
  { api, subject, signal }: { readonly api: Api; readonly subject: Subject; readonly signal: AbortSignal },
): Promise<void> {
  const there = await api.find(type, { namespace: subject.namespace, name }, { signal });
  if (there === undefined || isLabelledFor(there, subject.name) || controllerOf(there)?.uid === subject.uid) return;
  throw new ForeignObjectError(type.kind, there, subject.name);
}
