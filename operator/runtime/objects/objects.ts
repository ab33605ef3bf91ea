// What the API server stores, as JSON: the shape every object shares, and typed views of client-node's model classes.

/** A reference from a child to the object that made it (metav1.OwnerReference). */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** metav1.ObjectMeta as JSON carries it; times are RFC 3339 strings. The client leaves `managedFields` out of what it reads. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  generateName?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: unknown[];
}

/** The least that every Kubernetes object has. Type parameters of this package extend it. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/**
 * The JSON form of a client-node model class: dates are strings, and fields that the generator had to rename for
 * JavaScript (`_from`, `_default`) have their own names again.
 */
export type Json<T> = T extends Date
  ? string
  : T extends (infer Item)[]
    ? Json<Item>[]
    : T extends object
      ? { [Key in keyof T as Key extends `_${infer Plain}` ? Plain : Key]: Json<T[Key]> }
      : T;

/** A stored object of a client-node model class, for example `Stored<V1Deployment>`: plain JSON, with its metadata present. */
export type Stored<T> = Omit<Json<T>, 'apiVersion' | 'kind' | 'metadata'> & KubeObject;

type Partially<T> = T extends (infer Item)[] ? Item[] : T extends object ? { [Key in keyof T]?: Partially<T[Key]> } : T;

/**
 * What server-side apply sends: any subset of the fields, and the name. The type fills in `apiVersion` and `kind`.
 * Items of lists are whole, as their merge keys must be there.
 */
export type ApplyConfiguration<T extends KubeObject> = Partially<Omit<T, 'metadata' | 'apiVersion' | 'kind'>> & {
  metadata: Partial<ObjectMeta> & { name: string };
};

/** What create sends: the object, whose name may be left to the server by `generateName`. */
export type Draft<T extends KubeObject> = Omit<T, 'metadata' | 'apiVersion' | 'kind'> & {
  metadata: Partial<ObjectMeta>;
};

/** Name of an object within a type; `namespace` is absent for cluster-scoped types. */
export interface ObjectRef {
  namespace?: string;
  name: string;
}

/** `namespace/name`, or `name` for cluster-scoped objects: the key of stores and queues. */
export const objectKey = (ref: ObjectRef): string => (ref.namespace ? `${ref.namespace}/${ref.name}` : ref.name);

/** The inverse of {@link objectKey}. */
export const parseObjectKey = (key: string): ObjectRef => {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
};

/** The reference to an object's own place. */
export const refOf = (object: KubeObject): ObjectRef =>
  object.metadata.namespace
    ? { namespace: object.metadata.namespace, name: object.metadata.name }
    : { name: object.metadata.name };

/** The owner reference that makes `owner` the controller of a child, so that deleting the owner deletes the child. */
export const controllerReference = (owner: KubeObject): OwnerReference => {
  if (!owner.metadata.uid) {
    throw new TypeError(
      `${owner.kind} ${objectKey(owner.metadata)} has no metadata.uid: only a stored object can own others`,
    );
  }
  const { apiVersion, kind } = owner;
  return {
    apiVersion,
    kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
};

/** The owner that controls the object, if any. */
export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((owner) => owner.controller === true);

/**
 * Orders two resource versions of one type: negative when `left` is older, 0 when equal, `undefined` when they cannot be
 * ordered. Kubernetes promises decimal integers that grow, comparable within one resource type (KEP-5504, API concepts
 * "Resource versions").
 */
export const compareResourceVersions = (left: string | undefined, right: string | undefined): number | undefined => {
  if (left === right) return 0;
  if (!left || !right || !/^[1-9][0-9]*$/.test(left) || !/^[1-9][0-9]*$/.test(right)) return undefined;
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : 1;
};
