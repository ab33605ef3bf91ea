// What the operator knows of the cluster: a cache for each kind of object that an AssistantDeployment consists of or refers to, and whom a change concerns.
import { LABELS, type ResolvedSpec } from '@assistant-platform/api';
import {
  configMaps,
  type Controller,
  deployments,
  endpointSlices,
  enqueueByLabel,
  type Informer,
  type KubeObject,
  type Manager,
  objectKey,
  type ObjectRef,
  podDisruptionBudgets,
  pods,
  type RequestMapper,
  type ResourceType,
  secrets,
  services,
} from '@assistant-platform/runtime';
import { adminSecretName } from '../rollout/names.ts';
import type { ChildRef } from '../rollout/plan-types.ts';
import type { Snapshot, Subject } from '../rollout/snapshot.ts';
import { type HttpRoute, httpRoutes } from '../traffic/httpRoute.ts';
import {
  contentChanged,
  leanBudget,
  leanDeployment,
  leanEndpointSlice,
  leanMetadata,
  leanPod,
  leanService,
  shallowSubject,
} from './lean.ts';
import { type Observed, snapshotOf } from './observe.ts';
import { isLabelledFor, isMadeFor, type PartKind } from './ownership.ts';
import { contentsOf, copiesOf, referenceKey, referenceKeysOf, trimConfigMap, trimSecret } from './references.ts';
import {
  assistantDeployments,
  type ControllerRevision,
  controllerRevisions,
  type StoredAssistantDeployment,
} from './resources.ts';

/** A set of pods that comes up or goes makes a storm of changes in Pods, Deployments and EndpointSlices: one look at what comes within this time. */
const GATHER_MS = 50;

/** The AssistantDeployment that an object of ours is labelled with. */
const labelledOwner = enqueueByLabel(LABELS.name);

const BY_REFERENCE = 'reference';
const BY_ASSISTANT = 'assistant';
const byAssistant = {
  [BY_ASSISTANT]: (object: KubeObject): string[] => {
    const { namespace = '', labels } = object.metadata;
    const name = labels?.[LABELS.name];
    return name === undefined ? [] : [objectKey({ namespace, name })];
  },
};

const labelledFor = <T extends KubeObject>(owner: ObjectRef, informer: Informer<T>): T[] =>
  informer.byIndex(BY_ASSISTANT, objectKey(owner));

/** What was made for it, of a kind. */
const madeFor = <T extends KubeObject>(owner: ObjectRef, kind: PartKind, informer: Informer<T>): T[] =>
  labelledFor(owner, informer).filter((object) => isMadeFor(object, kind, owner.name));

/** Registers its informers with the manager. Make it before manager.run. */
export class Caches {
  readonly subjects;
  readonly pods;
  readonly #deployments;
  readonly #services;
  readonly #endpointSlices;
  readonly #budgets;
  readonly #routes;
  readonly #revisions;
  readonly #configMaps;
  readonly #secrets;

  constructor(manager: Manager) {
    this.subjects = manager.informer(assistantDeployments, {
      indexers: { [BY_REFERENCE]: referenceKeysOf },
      compact: true,
      transform: shallowSubject,
    });
    const kept = { indexers: byAssistant, compact: true };
    const owned = { ...kept, labelSelector: LABELS.name };
    this.pods = manager.informer(pods, { ...owned, transform: leanPod });
    this.#deployments = manager.informer(deployments, { ...owned, transform: leanDeployment });
    this.#services = manager.informer(services, { ...owned, transform: leanService });
    // Kubernetes gives them the labels of their Service; routes go to those of the revisions only.
    const routed = { ...kept, labelSelector: `${LABELS.name},${LABELS.revision}` };
    this.#endpointSlices = manager.informer(endpointSlices, { ...routed, transform: leanEndpointSlice });
    this.#budgets = manager.informer(podDisruptionBudgets, { ...owned, transform: leanBudget });
    this.#routes = manager.informer(httpRoutes, { ...owned, transform: leanMetadata<HttpRoute> });
    this.#revisions = manager.informer(controllerRevisions, { ...owned, transform: leanMetadata<ControllerRevision> });
    this.#configMaps = manager.informer(configMaps, { ...kept, transform: trimConfigMap });
    this.#secrets = manager.informer(secrets, { ...kept, transform: trimSecret });
  }

  /** Has every change reconciled that concerns an AssistantDeployment. */
  feed(controller: Controller): void {
    controller
      .watches(this.subjects)
      .watches(this.#deployments, labelledOwner, contentChanged, GATHER_MS)
      .watches(this.pods, labelledOwner, contentChanged, GATHER_MS)
      .watches(this.#services, labelledOwner, contentChanged)
      .watches(this.#endpointSlices, labelledOwner, contentChanged, GATHER_MS)
      .watches(this.#budgets, labelledOwner, contentChanged)
      .watches(this.#routes, labelledOwner, contentChanged)
      .watches(this.#revisions, labelledOwner, contentChanged)
      .watches(this.#configMaps, this.#referrers)
      .watches(this.#secrets, this.#referrers);
  }

  /** Everything there is of one AssistantDeployment, with what is known from elsewhere. */
  observe(
    subject: StoredAssistantDeployment,
    release: ResolvedSpec,
    elsewhere: Pick<Observed, 'measurements' | 'settings' | 'sessionsOf'>,
  ): Snapshot {
    const { namespace = '', name } = subject.metadata;
    const key = { namespace, name };
    const ours = <T extends KubeObject>(kind: PartKind, informer: Informer<T>) => madeFor(key, kind, informer);
    return snapshotOf({
      ...elsewhere,
      subject,
      release,
      revisions: ours('ControllerRevision', this.#revisions),
      deployments: ours('Deployment', this.#deployments),
      pods: ours('Pod', this.pods),
      services: ours('Service', this.#services),
      endpointSlices: labelledFor(key, this.#endpointSlices),
      budgets: ours('PodDisruptionBudget', this.#budgets),
      routes: ours('HTTPRoute', this.#routes),
      adminSecret: this.#adminSecret(key) !== undefined,
      copies: [
        ...copiesOf(ours('ConfigMap', this.#configMaps), 'ConfigMap'),
        ...copiesOf(ours('Secret', this.#secrets), 'Secret'),
      ],
      references: contentsOf(release, namespace, { configMaps: this.#configMaps, secrets: this.#secrets }),
    });
  }

  /** What the pods of an AssistantDeployment expect from whoever tells them to drain; null: there is no Secret with it yet. */
  adminToken({ namespace, name }: Pick<Subject, 'namespace' | 'name'>): string | null {
    const token = this.#adminSecret({ namespace, name })?.data?.['token'];
    return token === undefined ? null : Buffer.from(token, 'base64').toString('utf8');
  }

  /** Somebody else's Secret may have that name: it is none of ours. */
  #adminSecret({ namespace, name }: Pick<Subject, 'namespace' | 'name'>) {
    const secret = this.#secrets.get({ namespace, name: adminSecretName(name) });
    return secret !== undefined && isLabelledFor(secret, name) ? secret : undefined;
  }

  /** Uid of a child of an AssistantDeployment; undefined when there is none of that name, or it is not labelled as its. */
  ownUid(
    { namespace, name: owner }: Pick<Subject, 'namespace' | 'name'>,
    { kind, name }: ChildRef,
  ): string | undefined {
    const informers = {
      ConfigMap: this.#configMaps,
      Deployment: this.#deployments,
      Service: this.#services,
      PodDisruptionBudget: this.#budgets,
      ControllerRevision: this.#revisions,
      HTTPRoute: this.#routes,
      Secret: this.#secrets,
    };
    const object: KubeObject | undefined = informers[kind].get({ namespace, name });
    return object !== undefined && isLabelledFor(object, owner) ? object.metadata.uid : undefined;
  }

  /** What no garbage collector removes when its AssistantDeployment is gone (see ownerReference), unless it is on its way already. */
  unowned(subject: ObjectRef): { type: ResourceType; metadata: KubeObject['metadata'] }[] {
    const of = <T extends KubeObject>(kind: ChildRef['kind'], type: ResourceType<T>, informer: Informer<T>) =>
      madeFor(subject, kind, informer).map(({ metadata }) => ({ type, metadata }));
    return [
      ...of('Deployment', deployments, this.#deployments),
      ...of('ControllerRevision', controllerRevisions, this.#revisions),
      ...of('Secret', secrets, this.#secrets),
    ].filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** The AssistantDeployments that refer to a changed ConfigMap or Secret, own it, or wait for it to make room for theirs. */
  readonly #referrers: RequestMapper<KubeObject> = (change) => {
    const { object } = change;
    const waiting = this.#hinderedBy(object);
    const concerned = [
      ...this.subjects.byIndex(BY_REFERENCE, referenceKey(object)),
      ...(waiting === undefined ? [] : [waiting]),
    ].map(({ metadata: { namespace: space, name } }) => (space === undefined ? { name } : { namespace: space, name }));
    return [...labelledOwner(change), ...concerned];
  };

  /** The AssistantDeployment whose admin Secret would have the name of a foreign one. */
  #hinderedBy(object: KubeObject): StoredAssistantDeployment | undefined {
    const { kind, metadata } = object;
    const suffix = adminSecretName('');
    if (kind !== secrets.kind || metadata.namespace === undefined || !metadata.name.endsWith(suffix)) return undefined;
    const name = metadata.name.slice(0, -suffix.length);
    return isLabelledFor(object, name) ? undefined : this.subjects.get({ namespace: metadata.namespace, name });
  }
}
