// Whose an object is: what its label says, never what its name suggests. The operator derives the names of what it makes, and somebody else's object may
// have one of them already.
import { LABELS } from '@assistant-platform/api';
import { type Api, controllerOf, type KubeObject, type ResourceType } from '@assistant-platform/runtime';
import type { Subject } from '../rollout/snapshot.ts';

/** It carries the label of the AssistantDeployment of that name, as every object of ours does. */
export const isLabelledFor = ({ metadata }: KubeObject, name: string): boolean =>
  metadata.labels?.[LABELS.name] === name;

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
