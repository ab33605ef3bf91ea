// What the API server knows of each resource beyond storing it: status subresource, generation, defaults, what may not change, list keys.
import type { KubeObject } from '@assistant-platform/runtime';
import type { ListKeys } from './fields.ts';
import { isTree, treeAt, without, type Tree } from './trees.ts';

export interface ResourceTraits {
  /** The status is written by requests of its own, and only by these. */
  readonly statusSubresource: boolean;
  /** Counts the changes of what is wanted in metadata.generation. */
  readonly generation: boolean;
  /** A replacement may leave the version out. (Custom resources do not allow it.) */
  readonly unconditionalUpdate: boolean;
  /** Deletion waits for a grace period, which the kubelet ends. */
  readonly graceful: boolean;
  /** Fills in what the server fills in. */
  readonly defaults: (object: Tree) => Tree;
  /** Why this change is refused (422), with the field; undefined when it is allowed. */
  readonly refuses: (before: Tree, after: Tree) => { field: string; message: string } | undefined;
  readonly listKeys: ListKeys;
}

/** Keys of the lists that Kubernetes merges item by item, by the end of their path (openapi: x-kubernetes-list-map-keys). */
const NATIVE_KEYS: readonly [RegExp, readonly string[] | 'Set'][] = [
  [/^metadata\.ownerReferences$/, ['uid']],
  [/^metadata\.finalizers$/, 'Set'],
  [/(^|\.)spec\.(containers|initContainers|volumes)$/, ['name']],
  [/containers\.ports$/i, ['containerPort', 'protocol']],
  [/containers\.env$/i, ['name']],
  [/containers\.volumeMounts$/i, ['mountPath']],
  [/^spec\.ports$/, ['port', 'protocol']],
  [/^status\.conditions$/, ['type']],
];

const native: ListKeys = (path) => NATIVE_KEYS.find(([pattern]) => pattern.test(path.join('.')))?.[1];

/** Custom resources declare theirs in the CRD; those of the Gateway API's routes are atomic but for the metadata. */
const custom: ListKeys = (path) => (path[0] === 'metadata' ? native(path) : undefined);

const assistant: ListKeys = (path) => {
  const at = path.join('.');
  if (at === 'spec.metrics') return ['name'];
  if (at === 'spec.flags') return ['feature'];
  return at === 'status.conditions' ? ['type'] : custom(path);
};

const same = (object: Tree): Tree => object;
const allows = (): undefined => undefined;

const plain: ResourceTraits = {
  statusSubresource: false,
  generation: false,
  unconditionalUpdate: true,
  graceful: false,
  defaults: same,
  refuses: allows,
  listKeys: native,
};

const workload: ResourceTraits = { ...plain, statusSubresource: true, generation: true };

/** Secrets and ConfigMaps that say `immutable: true` stay as they are. */
const immutableData = (before: Tree, after: Tree): { field: string; message: string } | undefined => {
  if (before['immutable'] !== true) return undefined;
  for (const field of ['data', 'binaryData', 'stringData'])
    if (JSON.stringify(before[field]) !== JSON.stringify(after[field]))
      return { field, message: 'field is immutable when `immutable` is set' };
  return after['immutable'] === true
    ? undefined
    : { field: 'immutable', message: 'field is immutable when `immutable` is set' };
};

const fixed =
  (field: string, read: (object: Tree) => unknown) =>
  (before: Tree, after: Tree): { field: string; message: string } | undefined =>
    JSON.stringify(read(before)) === JSON.stringify(read(after)) ? undefined : { field, message: 'field is immutable' };

/** stringData is for writing only: it ends up in data. */
function secretDefaults(object: Tree): Tree {
  const encoded = Object.entries(treeAt(object, 'stringData')).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  const data = { ...treeAt(object, 'data'), ...(Object.fromEntries(encoded) as Tree) };
  return {
    ...without(object, 'stringData', 'data'),
    type: object['type'] ?? 'Opaque',
    ...(Object.keys(data).length === 0 ? {} : { data }),
  };
}

function deploymentDefaults(object: Tree): Tree {
  const spec = treeAt(object, 'spec');
  return { ...object, spec: { progressDeadlineSeconds: 600, replicas: 1, revisionHistoryLimit: 10, ...spec } };
}

const list = (value: unknown): readonly Tree[] => (Array.isArray(value) ? value.filter(isTree) : []);

/** The defaults of the HTTPRoute's CRD that show in what the operator writes. */
function routeDefaults(object: Tree): Tree {
  const spec = treeAt(object, 'spec');
  const rules = list(spec['rules']).map((rule) => ({
    ...rule,
    ...(rule['backendRefs'] === undefined
      ? {}
      : { backendRefs: list(rule['backendRefs']).map((ref) => ({ group: '', kind: 'Service', weight: 1, ...ref })) }),
  }));
  const parentRefs = list(spec['parentRefs']).map((ref) => ({
    group: 'gateway.networking.k8s.io',
    kind: 'Gateway',
    ...ref,
  }));
  return { ...object, spec: { ...spec, ...(parentRefs.length === 0 ? {} : { parentRefs }), rules } };
}

const TRAITS: Readonly<Record<string, ResourceTraits>> = {
  'assistantdeployments.assistant-platform.io': { ...workload, unconditionalUpdate: false, listKeys: assistant },
  'deployments.apps': {
    ...workload,
    defaults: deploymentDefaults,
    refuses: fixed('spec.selector', (object) => treeAt(object, 'spec')['selector']),
  },
  'controllerrevisions.apps': { ...plain, refuses: fixed('data', (object) => object['data']) },
  'httproutes.gateway.networking.k8s.io': {
    ...workload,
    unconditionalUpdate: false,
    defaults: routeDefaults,
    listKeys: custom,
  },
  'poddisruptionbudgets.policy': workload,
  services: { ...plain, statusSubresource: true },
  pods: { ...plain, statusSubresource: true, graceful: true },
  secrets: { ...plain, defaults: secretDefaults, refuses: immutableData },
  configmaps: { ...plain, refuses: immutableData },
};

/** @param resource `plural.group`. A resource that is not listed is only stored. */
export const traitsOf = (resource: string): ResourceTraits => TRAITS[resource] ?? plain;

/** What counts for metadata.generation: all but metadata and status. */
export const wantedPart = (object: KubeObject | Tree): Tree =>
  without(object as Tree, 'metadata', 'status', 'apiVersion', 'kind');
