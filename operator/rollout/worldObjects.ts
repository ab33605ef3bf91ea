// What the model world is made of: its pods, its routes, how fast things happen in it; and how an operator sees them.
import { LABELS } from '@assistant-platform/api';
import { APPLIED_DIGEST } from './names.ts';
import type { Manifest } from './objects.ts';
import type {
  BudgetObject,
  Pod,
  PodDrain,
  RevisionRecord,
  Route,
  RouteIntent,
  ServiceObject,
  Workload,
} from './snapshot.ts';

export interface WorldPod {
  readonly name: string;
  readonly component: string;
  readonly revision: string;
  readonly createdAt: number;
  running: boolean;
  ready: boolean;
  /** Its image cannot be had. */
  readonly broken: boolean;
  /** Runs, but does not become ready. */
  sick: boolean;
  /** Was told to drain: refuses new sessions. */
  draining: boolean;
  /** Annotation of the operator. */
  drain: PodDrain | null;
  sockets: number;
  nextLeave: number;
}

export const isActiveReplica = (pod: WorldPod, workload: Workload): boolean =>
  pod.component === workload.component && pod.revision === workload.revision;

/** How this world's outside behaves. Milliseconds. */
export interface WorldOptions {
  /** From creation of a pod to running, and to ready. */
  readonly podStartMs: number;
  readonly podReadyMs: number;
  /** From a write of a route to its acceptance, and from there to traffic that follows it. */
  readonly acceptMs: number;
  readonly moveMs: number;
  readonly settleMs: number;
  /** A drained pod loses one socket each so many milliseconds; 0: its people never leave. */
  readonly leaveEveryMs: number;
  /** A new socket each so many milliseconds; 0: nobody comes. */
  readonly arriveEveryMs: number;
  /** More sockets than this a component does not get. */
  readonly socketsAtMost: number;
}

export const WORLD_DEFAULTS: WorldOptions = {
  podStartMs: 200,
  podReadyMs: 600,
  acceptMs: 50,
  moveMs: 700,
  settleMs: 1000,
  leaveEveryMs: 400,
  arriveEveryMs: 500,
  socketsAtMost: 12,
};

export interface WorldRoute {
  readonly name: string;
  intent: RouteIntent;
  generation: number;
  resourceVersion: string;
  writtenAt: number;
  acceptedGeneration: number;
  acceptedAt: number;
}

/** What the apply of an object says to a model world. */
export type Applied =
  | { readonly kind: 'ControllerRevision'; readonly record: RevisionRecord }
  | { readonly kind: 'Deployment'; readonly workload: Omit<Workload, 'drain' | 'resourceVersion'> }
  | { readonly kind: 'Service'; readonly service: ServiceObject }
  | { readonly kind: 'PodDisruptionBudget'; readonly budget: BudgetObject };

/** @throws Error for an object that the model worlds do not have. */
export function readApplied(object: Manifest): Applied {
  const { name, labels, annotations } = object.metadata;
  const component = labels[LABELS.component] ?? '';
  const revision = labels[LABELS.revision] ?? '';
  const digest = annotations[APPLIED_DIGEST];
  const { kind } = object;
  switch (kind) {
    case 'ControllerRevision': {
      const data = object['data'] as Omit<RevisionRecord, 'sequence'>;
      return { kind, record: { ...data, sequence: object['revision'] as number } };
    }
    case 'Deployment': {
      const { replicas } = object['spec'] as { replicas: number };
      return { kind, workload: { name, component, revision, replicas, digest } };
    }
    case 'Service':
      return { kind, service: { name, component, revision: labels[LABELS.revision] ?? null, digest } };
    case 'PodDisruptionBudget':
      return { kind, budget: { name, component, revision, digest } };
    default:
      throw new Error(`a model world has no ${kind}`);
  }
}

/** A pod as an operator sees it. */
export function observedPod(pod: Omit<WorldPod, 'sick' | 'nextLeave'>): Pod {
  return {
    name: pod.name,
    uid: pod.name,
    component: pod.component,
    revision: pod.revision,
    ip: pod.running ? '198.18.0.1' : null,
    running: pod.running,
    phase: pod.running ? 'Running' : 'Pending',
    ready: pod.ready && !pod.draining,
    terminating: false,
    removal: null,
    createdAt: pod.createdAt,
    drain: pod.drain,
    trouble: pod.broken ? { reason: 'ImagePullBackOff', message: `cannot pull the image of ${pod.name}` } : null,
    sessions: pod.running ? { kind: 'known', open: pod.sockets, busy: 0, draining: pod.draining } : { kind: 'unknown' },
  };
}

/** A route as an operator sees it. */
export function observedRoute(route: Omit<WorldRoute, 'writtenAt' | 'acceptedAt'>): Route {
  return {
    component: route.intent.component,
    name: route.name,
    intent: route.intent,
    generation: route.generation,
    resourceVersion: route.resourceVersion,
    acceptance:
      route.acceptedGeneration === route.generation
        ? { kind: 'Accepted' }
        : { kind: 'Pending', earlier: route.acceptedGeneration > 0 },
  };
}
