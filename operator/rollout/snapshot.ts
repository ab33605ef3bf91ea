// The snapshot: everything the decision may look at, read at one moment. Parsed at the edge (operator/controller/observe.ts), trusted here.
import type { Measurement } from './analysis/measurement.ts';
import type { Release } from './release.ts';
import type { Status } from './state.ts';

/** The AssistantDeployment itself. */
export interface Subject {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
  readonly deleting: boolean;
  readonly release: Release;
  /** The parts of the spec that make a revision, as they were written. */
  readonly source: RevisionSource;
  readonly status: Status;
}

/** What a revision is made of, kept in a ControllerRevision so that an old revision can be repaired and gone back to. */
export interface RevisionRecord {
  readonly hash: string;
  readonly release: string;
  readonly sequence: number;
  readonly components: Readonly<Record<string, RevisionComponent>>;
  /** `ConfigMap/name` or `Secret/name` -> digest of its data, of which the revision reads a copy. */
  readonly references: Readonly<Record<string, string>>;
  /** What made it, for the way back; null: recorded by an operator that did not keep it. */
  readonly source: RevisionSource | null;
  /** Where a restart made it: the time that the person gave, a part of its hash. */
  readonly restartedAt?: string;
}

/** The parts of a spec that make a revision. */
export interface RevisionSource {
  readonly release: string;
  readonly components: Readonly<Record<string, unknown>>;
}

/** A revision's copy of a ConfigMap or Secret. */
export interface CopyObject {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  readonly revision: string;
}

export interface RevisionComponent {
  readonly port: number;
  readonly adminPort: number;
  /** A finished corev1.PodTemplateSpec. Rendered once: an upgrade of the operator never restarts pods. */
  readonly template: Readonly<Record<string, unknown>>;
}

/** When a drain began and when it ends whatever is still open. Epoch milliseconds. */
export interface DrainWindow {
  readonly startedAt: number;
  readonly deadline: number;
}

/** The drain of a single pod. */
export interface PodDrain extends DrainWindow {
  /** Noted on the pod by a still lower deletion cost: it may go, and Kubernetes takes it before the others that leave. */
  readonly released?: boolean;
}

/** A Deployment of one revision of one component. */
export interface Workload {
  readonly name: string;
  readonly component: string;
  readonly revision: string;
  readonly replicas: number;
  /** Pods that its controller counts (status.replicas); absent: it is not said. */
  readonly podCount?: number;
  /** Why its controller cannot make pods, a quota, say; absent: it can. */
  readonly trouble?: Trouble;
  /** Set while the whole revision is drained. */
  readonly drain: DrainWindow | null;
  readonly digest: string;
  readonly resourceVersion: string;
}

/** What Kubernetes says is wrong. */
export interface Trouble {
  readonly reason: string;
  readonly message: string;
}

/** What a pod's admin port said about its open sessions. `unsupported`: no admin port there, `unknown`: it did not answer. */
export type Sessions =
  | { readonly kind: 'known'; readonly open: number; readonly busy: number; readonly draining: boolean }
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'unknown' };

export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly component: string;
  readonly revision: string;
  readonly ip: string | null;
  /** The container has been started and has not ended: only then can it hold sockets. */
  readonly running: boolean;
  /** What Kubernetes goes by when it removes pods: Running also while the container of a pod that has run starts anew. */
  readonly phase: 'Unscheduled' | 'Pending' | 'Running';
  readonly ready: boolean;
  /** Being deleted already; it counts for nothing. */
  readonly terminating: boolean;
  /** While it is being deleted: when that began, and until when the kubelet waits for it to end by itself. */
  readonly removal: DrainWindow | null;
  readonly createdAt: number;
  /** Set when this pod alone is drained (scale-down, or replaced while its revision lives on). */
  readonly drain: PodDrain | null;
  /** Why it is not ready, in the words of Kubernetes: ImagePullBackOff, CrashLoopBackOff, ... */
  readonly trouble: Trouble | null;
  readonly sessions: Sessions;
}

/** A weighted backend of a component's route. */
export interface Backend {
  readonly revision: string;
  readonly weight: number;
}

/** Who decides about a request that carries the bucket of its conversation (header or cookie `x-assistant-bucket`, 0..99). */
export type Stickiness =
  /** The weights, as for every request. */
  | { readonly by: 'None' }
  /** Its bucket: those below the weight of `update` go there, the others to `stable`. Only while the weights split. */
  | { readonly by: 'Bucket'; readonly update: string; readonly stable: string };

/** What a component's route should be, in our words; operator/traffic turns it into an HTTPRoute and back. */
export interface RouteIntent {
  readonly component: string;
  readonly path: string;
  readonly parentRef: Release['gateway']['parentRef'];
  readonly hostnames: readonly string[];
  readonly backends: readonly (Backend & { readonly port: number })[];
  /** Revisions that the header `x-assistant-revision` may choose. */
  readonly byHeader: readonly { readonly revision: string; readonly port: number }[];
  readonly stickiness: Stickiness;
}

export interface Route {
  readonly component: string;
  readonly name: string;
  /** What stands in the spec; null when it cannot be understood (edited by hand): it is written anew. */
  readonly intent: RouteIntent | null;
  readonly generation: number;
  readonly resourceVersion: string;
  /** What the gateway says about this very generation. */
  readonly acceptance: RouteAcceptance;
}

export type RouteAcceptance =
  | { readonly kind: 'Accepted' }
  /** Nothing said about this generation yet. `earlier`: a generation before it was accepted. */
  | { readonly kind: 'Pending'; readonly earlier: boolean }
  | { readonly kind: 'Refused'; readonly reason: string; readonly message: string };

/** A Service of ours. */
export interface ServiceObject {
  readonly name: string;
  readonly component: string;
  readonly revision: string | null;
  readonly digest: string;
}

export interface BudgetObject {
  readonly name: string;
  readonly component: string;
  readonly revision: string;
  readonly digest: string;
}

export interface Settings {
  /** After the gateway accepted a route, how long until traffic is taken to have moved. Milliseconds. */
  readonly settleMs: number;
}

/** Everything observed at one moment. */
export interface Snapshot {
  readonly subject: Subject;
  readonly records: readonly RevisionRecord[];
  readonly workloads: readonly Workload[];
  readonly pods: readonly Pod[];
  readonly services: readonly ServiceObject[];
  readonly budgets: readonly BudgetObject[];
  readonly routes: readonly Route[];
  readonly adminSecret: boolean;
  readonly copies: readonly CopyObject[];
  /** `ConfigMap/name` or `Secret/name` -> digest of its data; null when it does not exist. */
  readonly references: Readonly<Record<string, string | null>>;
  /** The latest answers of the metric source. */
  readonly measurements: readonly Measurement[];
  readonly settings: Settings;
}
