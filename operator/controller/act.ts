// Carrying out a plan: write by write, in its order; the first failure ends it, that of a route after the other routes. What was done stands, the next
// look goes on from there.
import { randomBytes } from 'node:crypto';
import { LABELS } from '@assistant-platform/api';
import {
  type Api,
  type ApplyConfiguration,
  configMaps,
  deployments,
  isAlreadyExists,
  isConflict,
  isInvalid,
  isNotFound,
  type KubeObject,
  type Logger,
  type ObjectRef,
  podDisruptionBudgets,
  pods,
  type ResourceType,
  secrets,
  services,
} from '@assistant-platform/runtime';
import { adminSecretName, childLabels, COST_LEAVING, COST_RELEASED, POD_DELETION_COST } from '../rollout/names.ts';
import { drainAnnotations, ownerReference } from '../rollout/objects.ts';
import type { ChildRef, Write } from '../rollout/plan-types.ts';
import type { Subject } from '../rollout/snapshot.ts';
import { httpRoutes, toHttpRoute } from '../traffic/httpRoute.ts';
import { ForeignObjectError, isLabelledFor, refuseForeign } from './ownership.ts';
import type { PodsClient } from './pods-client.ts';
import { configMapDigest, secretDigest } from './references.ts';
import type { SessionBook } from './session-book.ts';
import { assistantDeployments, controllerRevisions, type StoredAssistantDeployment } from './resources.ts';

export interface ActContext {
  readonly api: Api;
  readonly podsClient: Pick<PodsClient, 'drain'>;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly subject: Subject;
  readonly stored: StoredAssistantDeployment;
  /** Token of the admin port; null while its Secret does not exist. */
  readonly adminToken: string | null;
  /** Uid of a child as it is known, undefined when nothing of that name is labelled as the subject's. */
  readonly ownUid: (ref: ChildRef) => string | undefined;
  /** Told of each write that is done, whatever becomes of the next ones. */
  readonly onDone?: (write: Write) => void;
  /** Remembers which pods took the order to drain. */
  readonly book: Pick<SessionBook, 'noteDrain' | 'noteFailedDrain' | 'wasTold'>;
}

/** How a plan ended. `Outdated`: something had changed since it was read, so that the rest means nothing any more. */
export type ActResult = { readonly kind: 'Done' } | { readonly kind: 'Outdated'; readonly write: Write };

/** Carries the writes out. @throws what the API server answers, conflicts apart; ForeignObjectError when somebody else's object is in the way. */
export async function act(writes: readonly Write[], context: ActContext): Promise<ActResult> {
  const drains = writes.filter((write) => write.kind === 'DrainPod');
  const failed: unknown[] = [];
  for (const write of writes) {
    // An abort must not leave all traffic where it is because the route of one component is refused.
    if (failed.length > 0 && write.kind !== 'WriteRoute') break;
    if (write.kind === 'DrainPod') {
      // All at once, when the first one comes: a pod that hangs must not hold up the others.
      if (write === drains[0]) await Promise.all(drains.map((each) => drainPod(each, context)));
      continue;
    }
    try {
      await carryOut(write, context);
      context.onDone?.(write);
    } catch (error) {
      if (
        error instanceof OutdatedError ||
        isConflict(error) ||
        isNamesake(error) ||
        (isNotFound(error) && write.kind !== 'Apply' && write.kind !== 'WriteRoute')
      ) {
        return { kind: 'Outdated', write };
      }
      failed.push(error);
      if (write.kind !== 'WriteRoute') break;
    }
  }
  if (failed.length > 0) throw failed[0];
  return { kind: 'Done' };
}

/** The object of that name is another one by now: a patch that names the uid is judged as a change of that field. */
const isNamesake = (error: unknown): boolean =>
  isInvalid(error) && error.causes.some(({ field }) => field === 'metadata.uid');

async function carryOut(write: Exclude<Write, { kind: 'DrainPod' }>, context: ActContext): Promise<void> {
  const { api, subject, signal } = context;
  const { namespace } = subject;
  switch (write.kind) {
    case 'Metadata':
      await api.patch(
        assistantDeployments,
        subject,
        {
          metadata: {
            resourceVersion: subject.resourceVersion,
            ...(write.finalizers === undefined ? {} : { finalizers: write.finalizers }),
            ...(write.annotations === undefined ? {} : { annotations: write.annotations }),
          },
        },
        { signal },
      );
      return;
    case 'Status':
      // A replacement with the version that was read: a decision made from an outdated object is refused.
      await api.updateStatus(
        assistantDeployments,
        { ...context.stored, status: write.status as StoredAssistantDeployment['status'] },
        { signal },
      );
      return;
    case 'Apply': {
      const type = typeOf(write.object.kind);
      const { name, labels } = write.object.metadata;
      // Names that end in the hash of a revision are nobody else's, and what was seen with our label is ours.
      const child = { kind: type.kind as ChildRef['kind'], name }; // one of TYPES
      const known = labels[LABELS.revision] !== undefined || context.ownUid(child) !== undefined;
      if (!known) await refuseForeign(type, name, context);
      await api.apply(type, write.object as unknown as ApplyConfiguration<KubeObject>, { signal });
      return;
    }
    case 'CreateAdminSecret':
      return createAdminSecret(context);
    case 'CopyReference':
      return copyReference(write, context);
    case 'PatchWorkload':
      await api.patch(
        deployments,
        { namespace, name: write.name },
        {
          metadata: { resourceVersion: write.resourceVersion, annotations: drainAnnotations(write.drain) },
          spec: { replicas: write.replicas },
        },
        { signal },
      );
      return;
    case 'WriteRoute': {
      const owner = { name: subject.name, namespace, reference: ownerReference(subject) };
      const route = toHttpRoute(owner, write.intent, write.resourceVersion);
      if (write.resourceVersion === null) await refuseForeign(httpRoutes, route.metadata.name, context);
      await api.apply(httpRoutes, route, { signal });
      return;
    }
    case 'MarkPod': {
      const cost = write.drain.released === true ? COST_RELEASED : COST_LEAVING;
      await api.patch(
        pods,
        { namespace, name: write.pod.name },
        {
          metadata: {
            uid: write.pod.uid,
            annotations: { ...drainAnnotations(write.drain), [POD_DELETION_COST]: String(cost) },
          },
        },
        { signal },
      );
      return;
    }
    case 'Delete':
      return remove(write.ref, context);
  }
}

const TYPES = {
  ConfigMap: configMaps,
  Deployment: deployments,
  Service: services,
  PodDisruptionBudget: podDisruptionBudgets,
  ControllerRevision: controllerRevisions,
  HTTPRoute: httpRoutes,
  Secret: secrets,
} as const satisfies Record<ChildRef['kind'], ResourceType>;

function typeOf(kind: string): ResourceType {
  const type = Object.entries(TYPES).find(([name]) => name === kind)?.[1];
  if (type === undefined) throw new Error(`the plan applies a ${kind}, which the operator does not write: a bug`);
  return type;
}

/** Deletes the very object that was seen with our label: one that came in its place meanwhile may be anybody's. */
async function remove(child: ChildRef, { api, subject, signal, ownUid }: ActContext): Promise<void> {
  const uid = ownUid(child);
  if (uid === undefined) return;
  const ref: ObjectRef = { namespace: subject.namespace, name: child.name };
  try {
    await api.delete(typeOf(child.kind), ref, { signal, propagationPolicy: 'Background', preconditions: { uid } });
  } catch (error) {
    if (!isNotFound(error)) throw error; // gone already: that is what was wanted
  }
}

/** What was to be copied is not there any more, or has other data: the decision is made again. */
class OutdatedError extends Error {}

/** Copies the data as it is now, if it is still that of the revision. Secrets pass through here and nowhere else; nothing of them is kept or logged. */
async function copyReference(
  { reference, digest, name, revision }: Extract<Write, { kind: 'CopyReference' }>,
  { api, subject, signal }: ActContext,
): Promise<void> {
  const { namespace } = subject;
  const [kind, original = ''] = reference.split('/');
  const metadata = {
    name,
    namespace,
    labels: childLabels(subject.name, undefined, revision),
    ownerReferences: [ownerReference(subject)],
  };
  try {
    if (kind === 'ConfigMap') {
      const source = await api.find(configMaps, { namespace, name: original }, { signal });
      if (source === undefined || configMapDigest(source) !== digest) throw new OutdatedError(reference);
      const { data, binaryData } = source;
      await api.create(configMaps, { metadata, immutable: true, data, binaryData }, { signal });
    } else {
      const source = await api.find(secrets, { namespace, name: original }, { signal });
      if (source === undefined || secretDigest(source) !== digest) throw new OutdatedError(reference);
      await api.create(secrets, { metadata, immutable: true, type: 'Opaque', data: source.data }, { signal });
    }
  } catch (error) {
    if (!isAlreadyExists(error)) throw error; // copied before: the cache has not heard of it
    await refuseForeign(kind === 'ConfigMap' ? configMaps : secrets, name, { api, subject, signal });
  }
}

async function createAdminSecret({ api, subject, signal }: ActContext): Promise<void> {
  const ref = { namespace: subject.namespace, name: adminSecretName(subject.name) };
  const metadata = { ...ref, labels: childLabels(subject.name) };
  const stringData = { token: randomBytes(32).toString('base64url') };
  try {
    await api.create(secrets, { type: 'Opaque', metadata, stringData }, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const there = await api.find(secrets, ref, { signal });
    if (there === undefined) throw new OutdatedError(ref.name);
    // Pods mount it by its name: none must be made while it is not ours.
    if (!isLabelledFor(there, subject.name)) throw new ForeignObjectError(secrets.kind, there, subject.name);
    // Made before, the cache has not heard of it: its token stays.
  }
}

/** Failing is noted, not thrown: the pod is told again at the next look, and the deadline of the drain stands. */
async function drainPod(write: Extract<Write, { kind: 'DrainPod' }>, context: ActContext): Promise<void> {
  const { pod, adminPort, deadlineSeconds, closePerSecond } = write;
  if (context.book.wasTold(pod.uid)) return;
  const address = { namespace: context.subject.namespace, name: pod.name, ip: pod.ip ?? '', port: adminPort };
  try {
    await context.podsClient.drain(
      address,
      { deadlineSeconds, closePerSecond },
      context.adminToken ?? '',
      context.signal,
    );
    context.book.noteDrain(pod.uid);
  } catch (error) {
    context.book.noteFailedDrain(pod.uid);
    context.log.warn(
      { err: error, pod: pod.name },
      `pod ${pod.name} did not take the order to drain; it is told again`,
    );
  }
}
