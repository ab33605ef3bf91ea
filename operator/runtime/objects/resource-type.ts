// Which resource a request speaks of: the descriptor that ties a path of the API to a TypeScript type.
import type { KubeObject, Stored } from './objects.ts';

/** Describes one resource of the API. `T` is the type of its objects; it exists for the compiler only. */
export interface ResourceType<T extends KubeObject = KubeObject> {
  readonly apiVersion: string;
  readonly kind: string;
  /** Lower-case plural, as in the path. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set: carries `T` for inference. */
  readonly __object?: T;
}

/** The object type that a descriptor stands for. */
export type ObjectOf<R> = R extends ResourceType<infer T> ? T : never;

/**
 * Describes a resource, for example
 * `resourceType<AssistantDeployment>('assistant-platform.io/v1alpha1', 'AssistantDeployment', 'assistantdeployments')`.
 */
export const resourceType = <T extends KubeObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  scope: 'Namespaced' | 'Cluster' = 'Namespaced',
): ResourceType<T> => ({ apiVersion, kind, plural, namespaced: scope === 'Namespaced' });

/** As {@link resourceType}, for one of client-node's model classes: `storedType<V1Deployment>('apps/v1', ...)`. */
export const storedType = <T extends object>(
  apiVersion: string,
  kind: string,
  plural: string,
  scope: 'Namespaced' | 'Cluster' = 'Namespaced',
): ResourceType<Stored<T>> => resourceType<Stored<T>>(apiVersion, kind, plural, scope);

/** API group of a type: empty for the core group. */
export const groupOf = (type: ResourceType): string => {
  const slash = type.apiVersion.indexOf('/');
  return slash < 0 ? '' : type.apiVersion.slice(0, slash);
};

/** `plural.group`, as in error messages and metrics. */
export const resourceName = (type: ResourceType): string => {
  const group = groupOf(type);
  return group === '' ? type.plural : `${type.plural}.${group}`;
};

/** Where in the API an object or a collection is. */
export interface ResourcePath {
  namespace?: string;
  name?: string;
  /** `status`, `scale`, `eviction`... */
  subresource?: string;
}

/**
 * The URL path of a collection (no name) or an object.
 * @throws TypeError when a namespace is missing for a single object of a namespaced type, or given for a cluster-scoped one.
 */
export const pathOf = (type: ResourceType, at: ResourcePath): string => {
  if (!type.namespaced && at.namespace) {
    throw new TypeError(`${type.kind} is cluster-scoped, but namespace ${at.namespace} was given`);
  }
  if (type.namespaced && at.name !== undefined && !at.namespace) {
    throw new TypeError(`${type.kind} ${at.name} needs a namespace`);
  }
  const segments = [type.apiVersion.includes('/') ? 'apis' : 'api', ...type.apiVersion.split('/')];
  if (at.namespace) segments.push('namespaces', at.namespace);
  segments.push(type.plural);
  if (at.name !== undefined) segments.push(at.name);
  if (at.subresource) segments.push(at.subresource);
  return `/${segments.map(encodeURIComponent).join('/')}`;
};
