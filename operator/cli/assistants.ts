// AssistantDeployments and their pods on the API server: read, list, and write verbs. Every failure becomes an error for people.
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';
import {
  ASSISTANT_DEPLOYMENT,
  GROUP,
  LABELS,
  VERBS,
  VERSION,
  type AssistantDeployment,
  type Verb,
} from '@assistant-platform/api';
import { CommandError } from './errors.ts';
import { podRow, type PodRow, type RawPod } from './pods.ts';
import { readRecord, type RevisionRecord } from './revisions.ts';
import type { Session } from './session.ts';
import { nearest } from './spelling.ts';

/** A list as the API server sends it. */
interface ObjectList {
  readonly items: readonly AssistantDeployment[];
}

const resource = { group: GROUP, version: VERSION, plural: ASSISTANT_DEPLOYMENT.plural } as const;

/** Path of the collection, for watches. */
export const assistantsPath = (namespace: string): string =>
  `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/${ASSISTANT_DEPLOYMENT.plural}`;
export const podsPath = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;
export const podsOf = (name: string): string => `${LABELS.name}=${name}`;

/** Reads and writes within a session. */
export class Assistants {
  readonly session: Session;
  readonly #objects: CustomObjectsApi;
  readonly #core: CoreV1Api;
  readonly #apps: AppsV1Api;

  constructor(session: Session) {
    this.session = session;
    this.#objects = session.config.makeApiClient(CustomObjectsApi);
    this.#core = session.config.makeApiClient(CoreV1Api);
    this.#apps = session.config.makeApiClient(AppsV1Api);
  }

  /** @throws CommandError NotFound, listing what there is; NotInstalled; and what {@link explain} makes of the rest. */
  async read(name: string): Promise<AssistantDeployment> {
    const { namespace } = this.session;
    try {
      return (await this.#objects.getNamespacedCustomObject({ ...resource, namespace, name })) as AssistantDeployment;
    } catch (error) {
      if (isStatus(error, 404)) throw await this.#notFound(name);
      throw explain(error, this.session);
    }
  }

  /** The same, null when there is none of the name. */
  async find(name: string): Promise<AssistantDeployment | null> {
    const { namespace } = this.session;
    try {
      return (await this.#objects.getNamespacedCustomObject({ ...resource, namespace, name })) as AssistantDeployment;
    } catch (error) {
      if (!isStatus(error, 404)) throw explain(error, this.session);
      await this.list(false); // tells a missing object from a cluster that knows none of its kind
      return null;
    }
  }

  /**
   * What the API server would say to an object, without storing it.
   * @param live the object that it would replace; null when it would be created.
   * @returns what it refuses: field and message. Empty: it would take it.
   */
  async dryRun(object: AssistantDeployment, live: AssistantDeployment | null): Promise<readonly Refusal[]> {
    const { namespace } = this.session;
    const { name } = object.metadata;
    const dry = { ...resource, namespace, dryRun: 'All', fieldValidation: 'Strict', fieldManager: 'kubectl-assistant' };
    // What others have noted on the object stays, as it does when a manifest is applied: the notes are the operator's own.
    const { resourceVersion, annotations } = live?.metadata ?? {};
    try {
      if (live === null) await this.#objects.createNamespacedCustomObject({ ...dry, body: object });
      else {
        const kept = { ...annotations, ...object.metadata.annotations };
        const body = { ...object, metadata: { ...object.metadata, resourceVersion, annotations: kept } };
        await this.#objects.replaceNamespacedCustomObject({ ...dry, name, body });
      }
      return [];
    } catch (error) {
      if (isStatus(error, 422) || isStatus(error, 400) || isDenial(error)) return refusals(error);
      throw explain(error, this.session);
    }
  }

  /** All of the namespace, or of all namespaces; by namespace and name. */
  async list(everywhere: boolean): Promise<readonly AssistantDeployment[]> {
    const { namespace } = this.session;
    try {
      const { items } = (await (everywhere
        ? this.#objects.listCustomObjectForAllNamespaces({ ...resource, resourcePlural: resource.plural })
        : this.#objects.listNamespacedCustomObject({ ...resource, namespace }))) as ObjectList;
      const key = ({ metadata }: AssistantDeployment): string => `${metadata.namespace ?? ''}/${metadata.name}`;
      return [...items].sort((a, b) => (key(a) < key(b) ? -1 : 1));
    } catch (error) {
      if (isStatus(error, 404)) throw notInstalled(this.session);
      throw explain(error, this.session);
    }
  }

  /** The pods of an assistant; none where reading pods is not allowed: the rest of the tree is worth showing. */
  async pods(name: string): Promise<readonly PodRow[]> {
    return (await this.podsAt(name)).pods;
  }

  /** The pods as they are; null where reading them is not allowed. */
  async rawPods(name: string): Promise<readonly RawPod[] | null> {
    const { namespace } = this.session;
    try {
      return (await this.#core.listNamespacedPod({ namespace, labelSelector: podsOf(name) })).items;
    } catch (error) {
      if (isStatus(error, 403)) return null;
      throw explain(error, this.session);
    }
  }

  /** The pods as rows, with the version that a watch can begin at; null where reading pods is not allowed. */
  async podsAt(name: string): Promise<{ pods: readonly PodRow[]; resourceVersion: string | null }> {
    const { namespace } = this.session;
    try {
      const { items, metadata } = await this.#core.listNamespacedPod({ namespace, labelSelector: podsOf(name) });
      return { pods: items.map(podRow), resourceVersion: metadata?.resourceVersion ?? '' };
    } catch (error) {
      if (isStatus(error, 403)) return { pods: [], resourceVersion: null };
      throw explain(error, this.session);
    }
  }

  /** The revisions that the operator remembers, the latest first. */
  async records(name: string): Promise<readonly RevisionRecord[]> {
    const { namespace } = this.session;
    try {
      const { items } = await this.#apps.listNamespacedControllerRevision({ namespace, labelSelector: podsOf(name) });
      return items
        .map(readRecord)
        .filter((record) => record !== null)
        .sort((a, b) => b.sequence - a.sequence);
    } catch (error) {
      throw explain(error, this.session);
    }
  }

  /**
   * Replaces members of the spec, writes a verb for the operator to consume, or both at once, unless somebody has changed the spec since it was read:
   * what a person has decided is about the release that they have seen.
   * @throws CommandError Changed in that case.
   */
  async change(object: AssistantDeployment, { spec = {}, order }: Edit): Promise<void> {
    const { namespace } = this.session;
    const { name, generation } = object.metadata;
    for (let now = object; ; ) {
      const body = [
        { op: 'test', path: '/metadata/generation', value: generation },
        ...Object.entries(spec).map(([member, value]) => ({ op: 'add', path: `/spec/${member}`, value })),
        ...(order === undefined ? [] : addAnnotation(now.metadata.annotations, VERBS[order.verb], order.value)),
      ];
      try {
        await this.#objects.patchNamespacedCustomObject(
          { ...resource, namespace, name, body, fieldManager: 'kubectl-assistant' },
          setHeaderOptions('Content-Type', PatchStrategy.JsonPatch),
        );
        return;
      } catch (error) {
        if (isStatus(error, 404)) throw await this.#notFound(name);
        if (!isStatus(error, 422)) throw explain(error, this.session);
        const latest = await this.read(name);
        if (latest.metadata.generation !== generation) {
          throw new CommandError(
            'Changed',
            `somebody changed the spec of ${name} at this moment: look, and try again`,
            {
              cause: error,
            },
          );
        }
        // The first annotation has come, or the last one has gone, meanwhile.
        if (hasAnnotations(latest) === hasAnnotations(now)) throw explain(error, this.session);
        now = latest;
      }
    }
  }

  async #notFound(name: string): Promise<CommandError> {
    const { namespace } = this.session;
    const here = await this.list(false);
    const missing = `there is no AssistantDeployment "${name}" in namespace ${namespace}`;
    if (here.length > 0) {
      const names = here.map(({ metadata }) => metadata.name);
      const meant = nearest(name, names);
      const question = meant === null ? '' : `; did you mean ${meant}?`;
      return new CommandError('NotFound', `${missing}${question}; there are: ${names.join(', ')}`);
    }
    const elsewhere = await this.#elsewhere();
    const hint =
      elsewhere.length === 0 ? 'there is none at all' : `there are: ${elsewhere.join(', ')} (choose with -n)`;
    return new CommandError('NotFound', `${missing}; ${hint}`);
  }

  /** Those of other namespaces, as namespace/name; empty too where listing them is not allowed. */
  async #elsewhere(): Promise<string[]> {
    try {
      return (await this.list(true)).map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
    } catch (error) {
      if (error instanceof CommandError && error.code === 'Forbidden') return [];
      throw error;
    }
  }
}

/** The API server answered with this status. */
export const isStatus = (error: unknown, code: number): error is ApiException<unknown> =>
  error instanceof ApiException && error.code === code;

/** An admission policy or webhook, or a quota, does not take the object; otherwise a 403 speaks of the person: `User "a" cannot create resource ...`. */
const isDenial = (error: unknown): error is ApiException<unknown> =>
  isStatus(error, 403) && /denied (the )?request|exceeded quota/.test(messageOf(error.body));

const notInstalled = ({ server }: Session): CommandError =>
  new CommandError(
    'NotInstalled',
    `the cluster at ${server} does not know AssistantDeployments: install the operator (helm install assistant-operator charts/operator -n assistant-system --create-namespace), or choose another --context`,
  );

/** Turns what the client library throws into an error for people. */
export function explain(error: unknown, { server, context }: Session): Error {
  if (error instanceof CommandError) return error;
  if (error instanceof ApiException) {
    const said = messageOf(error.body);
    if (error.code === 401) {
      return new CommandError(
        'Unauthorized',
        `${server} does not accept the credentials of context ${context}: log in again, or choose another --context`,
        { cause: error },
      );
    }
    if (error.code === 403 && !isDenial(error)) {
      return new CommandError('Forbidden', `${said}: ask for a role that allows it, or choose another --context`, {
        cause: error,
      });
    }
    return new CommandError('Refused', `the API server answered ${error.code}: ${said}`, { cause: error });
  }
  return new CommandError(
    'ClusterUnreachable',
    `no answer from ${server} (context ${context}): ${rootCause(error)}. Is the cluster running? (npm start starts the embedded one)`,
    { cause: error },
  );
}

/** What a command changes of an object. */
export interface Edit {
  /** Members of the spec, each replaced whole. */
  readonly spec?: Partial<AssistantDeployment['spec']>;
  readonly order?: { readonly verb: Verb; readonly value: string } | undefined;
}

/** What the API server says against an object. */
export interface Refusal {
  /** Empty where it names none. */
  readonly field: string;
  readonly message: string;
}

function refusals(error: ApiException<unknown>): Refusal[] {
  const status = typeof error.body === 'string' ? parseJson(error.body) : error.body;
  const { details } = (typeof status === 'object' && status !== null ? status : {}) as {
    readonly details?: { readonly causes?: readonly { readonly field?: string; readonly message?: string }[] };
  };
  const causes = (details?.causes ?? []).map(({ field = '', message = '' }) => ({ field, message }));
  return causes.length > 0 ? causes : [{ field: '', message: messageOf(error.body) }];
}

/** The sentence in a metav1.Status, however the client library hands it over. */
function messageOf(body: unknown): string {
  const parsed = typeof body === 'string' ? parseJson(body) : body;
  const message = typeof parsed === 'object' && parsed !== null && 'message' in parsed ? parsed.message : undefined;
  return typeof message === 'string' ? message : String(body);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // a proxy's page, not a Status: shown as it is
  }
}

function rootCause(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return rootCause(error.errors[0]);
  if (error instanceof Error) return error.cause === undefined ? error.message : rootCause(error.cause);
  return String(error);
}

const hasAnnotations = ({ metadata }: AssistantDeployment): boolean => metadata.annotations !== undefined;

/** JSON patch (RFC 6902) cannot add a member to a map that is not there, and puts a map in the place of one that is. */
const addAnnotation = (
  present: Readonly<Record<string, string>> | undefined,
  name: string,
  value: string,
): object[] => [
  ...(present === undefined
    ? [
        // Null stands for nothing, as the API server reads it.
        { op: 'test', path: '/metadata/annotations', value: null },
        { op: 'add', path: '/metadata/annotations', value: {} },
      ]
    : []),
  { op: 'add', path: `/metadata/annotations/${name.replaceAll('/', '~1')}`, value },
];
