// What the operator may do, as data: the Helm chart is checked against it. No wildcards, nothing that the code does not use.

/** One rule of an RBAC Role. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const watched = ['list', 'watch'] as const;
/** One by name: the object itself after a conflict, contents to be copied, an object that has a name of ours already (ownership.ts). */
const read = ['get', ...watched] as const;

/** In each namespace that it works in. */
export const NAMESPACE_RULES: readonly PolicyRule[] = [
  { apiGroups: ['assistant-platform.io'], resources: ['assistantdeployments'], verbs: [...read, 'patch'] },
  { apiGroups: ['assistant-platform.io'], resources: ['assistantdeployments/status'], verbs: ['update'] },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: [...watched, 'create', 'patch', 'delete'] },
  { apiGroups: ['apps'], resources: ['controllerrevisions'], verbs: [...watched, 'create', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['services'], verbs: [...read, 'create', 'patch', 'delete'] },
  // Which pods the gateway can send to.
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: [...watched] },
  // Pods are read, and annotated when one of them is to leave; the ReplicaSet controller removes them.
  { apiGroups: [''], resources: ['pods'], verbs: [...watched, 'patch'] },
  // Contents are part of a revision: kept as a digest, copied for each revision. The admin token is made by the operator.
  { apiGroups: [''], resources: ['configmaps'], verbs: [...read, 'create', 'delete'] },
  { apiGroups: [''], resources: ['secrets'], verbs: [...read, 'create', 'delete'] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: [...watched, 'create', 'patch', 'delete'] },
  {
    apiGroups: ['gateway.networking.k8s.io'],
    resources: ['httproutes'],
    verbs: [...read, 'create', 'patch', 'delete'],
  },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
];

/** In its own namespace: the lease of the leader election, and events about it. */
export const ELECTION_RULES: readonly PolicyRule[] = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
];
