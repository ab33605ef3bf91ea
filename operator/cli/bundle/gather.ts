// Everything about an assistant that helps somebody who cannot look at the cluster: the object, its children, events, versions, the
// operator's logs. What may not be read is noted; nothing is left out in silence.
import {
  ASSISTANT_DEPLOYMENT_CRD,
  GROUP,
  LABELS,
  VERSION,
  ASSISTANT_DEPLOYMENT,
  type AssistantDeployment,
} from '@assistant-platform/api';
import { rawGet } from '../raw.ts';
import { referencesIn } from '../references.ts';
import type { Session } from '../session.ts';

/** One object of the cluster, with its kind filled in. */
export interface GatheredObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** One text. */
export interface GatheredText {
  readonly path: string;
  readonly text: string;
}

export interface Gathered {
  readonly objects: readonly GatheredObject[];
  readonly texts: readonly GatheredText[];
  /** What could not be read, one sentence each. */
  readonly gaps: readonly string[];
}

const TIMEOUT_MS = 15_000;
/** Lines of each operator pod's log. */
const LOG_LINES = 5_000;

interface Listed {
  readonly kind: string;
  /** The collection in the assistant's namespace, from the root. */
  readonly path: (namespace: string) => string;
}

const core = (plural: string) => (namespace: string) => `/api/v1/namespaces/${namespace}/${plural}`;
const group = (name: string, plural: string) => (namespace: string) =>
  `/apis/${name}/namespaces/${namespace}/${plural}`;

/** Kinds of children, found by the label that all of them carry. */
const CHILDREN: readonly Listed[] = [
  { kind: 'Deployment', path: group('apps/v1', 'deployments') },
  { kind: 'ReplicaSet', path: group('apps/v1', 'replicasets') },
  { kind: 'ControllerRevision', path: group('apps/v1', 'controllerrevisions') },
  { kind: 'Pod', path: core('pods') },
  { kind: 'Service', path: core('services') },
  { kind: 'ConfigMap', path: core('configmaps') },
  { kind: 'Secret', path: core('secrets') },
  { kind: 'EndpointSlice', path: group('discovery.k8s.io/v1', 'endpointslices') },
  { kind: 'PodDisruptionBudget', path: group('policy/v1', 'poddisruptionbudgets') },
  { kind: 'HorizontalPodAutoscaler', path: group('autoscaling/v2', 'horizontalpodautoscalers') },
  { kind: 'HTTPRoute', path: group('gateway.networking.k8s.io/v1', 'httproutes') },
];

interface RawObject extends Readonly<Record<string, unknown>> {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
}

/** Gathers. Never throws for a part that may not be read. */
export async function gather(session: Session, subject: AssistantDeployment): Promise<Gathered> {
  const reader = new Reader(session);
  const { namespace } = session;
  const { name } = subject.metadata;
  const children = (
    await Promise.all(CHILDREN.map(({ kind, path }) => reader.list(kind, path(namespace), `${LABELS.name}=${name}`)))
  ).flat();
  const references = referencesIn(subject.spec);
  if (references === null) reader.gaps.push('what the spec refers to: this version cannot read the spec');
  const referenced = (
    await Promise.all(referencedPaths(references ?? [], namespace).map(([kind, path]) => reader.one(kind, path)))
  ).flat();
  const { parentRef } = subject.spec.gateway;
  const gatewayPath = group('gateway.networking.k8s.io/v1', 'gateways')(parentRef.namespace ?? namespace);
  const gateway = await reader.one('Gateway', `${gatewayPath}/${parentRef.name}`);
  const events = await reader.list('Event', group('events.k8s.io/v1', 'events')(namespace), null);
  const operator = await reader.list('Pod', '/api/v1/pods', 'app.kubernetes.io/name=assistant-operator');
  const crd = await reader.one(
    'CustomResourceDefinition',
    `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${ASSISTANT_DEPLOYMENT_CRD}`,
  );
  const own: GatheredObject = {
    kind: ASSISTANT_DEPLOYMENT.kind,
    namespace,
    name,
    object: { ...subject, apiVersion: `${GROUP}/${VERSION}`, kind: ASSISTANT_DEPLOYMENT.kind },
  };
  const family = [own, ...children, ...referenced];
  const version = await reader.text('/version');
  return {
    objects: distinct([
      ...family,
      ...gateway,
      ...operator,
      ...crd,
      ...events.filter((event) => isAbout(event, family)),
    ]),
    texts: [
      ...(version === null ? [] : [{ path: 'versions/server.json', text: version }]),
      ...(await logsOf(reader, operator)),
    ],
    // They were asked at the same time.
    gaps: [...reader.gaps].sort(),
  };
}

/** ConfigMaps and Secrets that components name: that they are there, and which keys they have. */
function referencedPaths(references: readonly string[], namespace: string): (readonly [kind: string, path: string])[] {
  return references.map((reference) => {
    const [kind = '', name = ''] = reference.split('/');
    return [kind, `${core(kind === 'Secret' ? 'secrets' : 'configmaps')(namespace)}/${name}`];
  });
}

function distinct(objects: readonly GatheredObject[]): GatheredObject[] {
  return [...new Map(objects.map((each) => [`${each.kind}/${each.namespace}/${each.name}`, each])).values()];
}

function isAbout({ object }: GatheredObject, family: readonly GatheredObject[]): boolean {
  const { regarding } = object as { readonly regarding?: { readonly kind?: string; readonly name?: string } };
  return family.some(({ kind, name }) => kind === regarding?.kind && name === regarding.name);
}

async function logsOf(reader: Reader, pods: readonly GatheredObject[]): Promise<GatheredText[]> {
  const logs = await Promise.all(
    pods.map(async ({ name, namespace, object }) => {
      const path = `${core('pods')(namespace)}/${name}/log?timestamps=true&tailLines=${LOG_LINES}`;
      const { status } = object as {
        readonly status?: { readonly containerStatuses?: readonly { readonly restartCount?: number }[] };
      };
      const restarted = (status?.containerStatuses ?? []).some(({ restartCount = 0 }) => restartCount > 0);
      const now = await reader.text(path);
      const before = restarted ? await reader.text(`${path}&previous=true`) : null;
      return [
        { path: `operator/${namespace}.${name}.log`, text: now },
        { path: `operator/${namespace}.${name}.previous.log`, text: before },
      ];
    }),
  );
  return logs.flat().flatMap(({ path, text }) => (text === null ? [] : [{ path, text }]));
}

/** Reads, and notes what it may not. */
class Reader {
  readonly gaps: string[] = [];
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Objects of a collection; lists leave out the kind of their items: it is filled in. */
  async list(kind: string, path: string, labels: string | null): Promise<GatheredObject[]> {
    const body = await this.text(labels === null ? path : `${path}?labelSelector=${encodeURIComponent(labels)}`);
    if (body === null) return [];
    const { items = [], apiVersion } = JSON.parse(body) as {
      readonly items?: readonly RawObject[];
      readonly apiVersion?: string;
    };
    return items.map((item) => this.#gathered(kind, { apiVersion, kind, ...item }));
  }

  async one(kind: string, path: string): Promise<GatheredObject[]> {
    const body = await this.text(path);
    return body === null ? [] : [this.#gathered(kind, JSON.parse(body) as RawObject)];
  }

  #gathered(kind: string, object: RawObject): GatheredObject {
    return { kind, namespace: object.metadata?.namespace ?? '', name: object.metadata?.name ?? '', object };
  }

  /** The body of an answer; null, with a note, when there is none to be had. */
  async text(path: string): Promise<string | null> {
    try {
      const { code, body } = await rawGet(this.#session, path, { timeoutMs: TIMEOUT_MS });
      if (code === 200) return body;
      this.gaps.push(`${path.split('?')[0] ?? path}: ${reason(code, body)}`);
    } catch (error) {
      this.gaps.push(`${path.split('?')[0] ?? path}: ${error instanceof Error ? error.message : String(error)}`);
    }
    return null;
  }
}

function reason(code: number, body: string): string {
  if (code === 404) return 'there is none';
  const message = /"message":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1];
  return message === undefined ? `answered ${code}` : `answered ${code}: ${message.replaceAll('\\"', '"')}`;
}
