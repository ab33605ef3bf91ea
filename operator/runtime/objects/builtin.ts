// Descriptors of the built-in resources that controllers commonly touch, with client-node's types as plain JSON.
import type * as k8s from '@kubernetes/client-node';
import type { ObjectOf } from './resource-type.ts';
import { storedType } from './resource-type.ts';

export const deployments = storedType<k8s.V1Deployment>('apps/v1', 'Deployment', 'deployments');
export const replicaSets = storedType<k8s.V1ReplicaSet>('apps/v1', 'ReplicaSet', 'replicasets');
export const pods = storedType<k8s.V1Pod>('v1', 'Pod', 'pods');
export const services = storedType<k8s.V1Service>('v1', 'Service', 'services');
export const configMaps = storedType<k8s.V1ConfigMap>('v1', 'ConfigMap', 'configmaps');
export const secrets = storedType<k8s.V1Secret>('v1', 'Secret', 'secrets');
export const serviceAccounts = storedType<k8s.V1ServiceAccount>('v1', 'ServiceAccount', 'serviceaccounts');
export const namespaces = storedType<k8s.V1Namespace>('v1', 'Namespace', 'namespaces', 'Cluster');
export const nodes = storedType<k8s.V1Node>('v1', 'Node', 'nodes', 'Cluster');
export const endpointSlices = storedType<k8s.V1EndpointSlice>('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices');
export const podDisruptionBudgets = storedType<k8s.V1PodDisruptionBudget>(
  'policy/v1',
  'PodDisruptionBudget',
  'poddisruptionbudgets',
);
export const horizontalPodAutoscalers = storedType<k8s.V2HorizontalPodAutoscaler>(
  'autoscaling/v2',
  'HorizontalPodAutoscaler',
  'horizontalpodautoscalers',
);
export const leases = storedType<k8s.V1Lease>('coordination.k8s.io/v1', 'Lease', 'leases');
export const events = storedType<k8s.EventsV1Event>('events.k8s.io/v1', 'Event', 'events');
export const customResourceDefinitions = storedType<k8s.V1CustomResourceDefinition>(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  'Cluster',
);

export type Deployment = ObjectOf<typeof deployments>;
export type ReplicaSet = ObjectOf<typeof replicaSets>;
export type Pod = ObjectOf<typeof pods>;
export type Service = ObjectOf<typeof services>;
export type ConfigMap = ObjectOf<typeof configMaps>;
export type Secret = ObjectOf<typeof secrets>;
export type EndpointSlice = ObjectOf<typeof endpointSlices>;
export type PodDisruptionBudget = ObjectOf<typeof podDisruptionBudgets>;
export type Lease = ObjectOf<typeof leases>;
export type Event = ObjectOf<typeof events>;
