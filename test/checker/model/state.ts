// A state of the checked world: plain immutable data, every change makes a new one and shares what did not change. The clock stands still at T0 and the
// times that are stored move instead, so that equal situations are equal data; see time.ts and canonical.ts.
import type { Measurement } from '../../../operator/rollout/analysis/measurement.ts';
import type {
  BudgetObject,
  CopyObject,
  DrainWindow,
  PodDrain,
  RevisionRecord,
  RouteIntent,
  ServiceObject,
} from '../../../operator/rollout/snapshot.ts';
import type { Status } from '../../../operator/rollout/state.ts';
import type { Spec } from './specs.ts';

/** Now, always. Epoch milliseconds. */
export const T0 = Date.UTC(2026, 0, 1);

export interface ModelPod {
  readonly name: string;
  readonly component: string;
  readonly revision: string;
  readonly running: boolean;
  /** Has run: Kubernetes' phase Running, whatever its container does now. */
  readonly started: boolean;
  readonly ready: boolean;
  /** Was told to drain: refuses new sessions. */
  readonly draining: boolean;
  /** Noted on it by the operator. */
  readonly drain: PodDrain | null;
  /** Somebody is connected. */
  readonly connected: boolean;
  /** It will never run, in the words of Kubernetes. */
  readonly trouble: string | null;
}

export interface ModelWorkload {
  readonly name: string;
  readonly component: string;
  readonly revision: string;
  readonly replicas: number;
  /** Pods that its controller counted when it last looked. */
  readonly podCount: number;
  readonly drain: DrainWindow | null;
  readonly digest: string;
}

export interface ModelRoute {
  readonly intent: RouteIntent;
  readonly generation: number;
  readonly acceptedGeneration: number;
}

export interface ModelSubject {
  readonly spec: Spec;
  readonly generation: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
  readonly deleting: boolean;
  readonly status: Status;
}

/** What may still happen in a behaviour, beside what happens by itself. */
export interface Budget {
  /** The operator is killed between two writes. */
  readonly crash: number;
  /** A plan is made from knowledge in which the last changes are missing. */
  readonly stale: number;
  /** A pod is lost, or its container restarts. */
  readonly death: number;
  /** Time passes although somebody should have acted by then. */
  readonly slow: number;
  /** Answers of the metric source that do not speak for the release. */
  readonly answers: number;
  /** Pods are made before they run; otherwise both are one step. */
  readonly slowPods: boolean;
  /** Names of what people may do, each once (people.ts). */
  readonly people: readonly string[];
}

export interface State {
  /** null: gone. */
  readonly subject: ModelSubject | null;
  readonly records: readonly RevisionRecord[];
  readonly workloads: readonly ModelWorkload[];
  readonly pods: readonly ModelPod[];
  readonly services: readonly ServiceObject[];
  readonly disruptionBudgets: readonly BudgetObject[];
  readonly routes: readonly ModelRoute[];
  /** What the gateway really does, by component; lags behind the routes. */
  readonly traffic: readonly RouteIntent[];
  readonly adminSecret: boolean;
  readonly copies: readonly CopyObject[];
  readonly references: Readonly<Record<string, string | null>>;
  readonly measurements: readonly Measurement[];
  readonly left: Budget;
  /** A pod was lost or restarted and not all are ready again: a route without pods is nobody's fault. */
  readonly hurt: boolean;
  /** Number of the next pod; canonical.ts sets it back. Not part of what a state is. */
  readonly serial: number;
}

/** The parts that the operator hears of by a watch of their own. */
export const WATCHED = ['subject', 'workloads', 'pods', 'routes', 'services'] as const;
export type Watched = (typeof WATCHED)[number];

export const isSame = (pod: { component: string; revision: string }, unit: { component: string; revision: string }) =>
  pod.component === unit.component && pod.revision === unit.revision;

/** Pods that the gateway sends new sessions of a component to. */
export function takesTraffic(state: State, pod: ModelPod): boolean {
  if (!pod.ready || pod.draining) return false;
  const intent = state.traffic.find(({ component }) => component === pod.component);
  return intent?.backends.some(({ revision, weight }) => revision === pod.revision && weight > 0) ?? false;
}

/** People connect wherever they are sent: at once, so that a pod that serves never stands empty. */
export function arrive(state: State): State {
  const comes = (pod: ModelPod): boolean => !pod.connected && takesTraffic(state, pod);
  if (!state.pods.some(comes)) return state;
  return { ...state, pods: state.pods.map((pod) => (comes(pod) ? { ...pod, connected: true } : pod)) };
}

/** The key of each part of a state, made once for each piece of data. */
class Interner {
  readonly #numbers = new Map<string, number>();
  readonly #known = new WeakMap<object, number>();

  number(part: object): number {
    const known = this.#known.get(part);
    if (known !== undefined) return known;
    const text = JSON.stringify(part);
    const number = this.#numbers.get(text) ?? this.#numbers.size;
    this.#numbers.set(text, number);
    this.#known.set(part, number);
    return number;
  }
}

export type Keys = (state: State) => { readonly observed: string; readonly whole: string };

/** Makes the keys of states: of what an operator can see, and of all. Equal keys, equal states. */
export function keysOf(): Keys {
  const interner = new Interner();
  const nobody = {};
  return (state) => {
    const parts = [
      state.subject ?? nobody,
      state.records,
      state.workloads,
      state.pods,
      state.services,
      state.disruptionBudgets,
      state.routes,
      state.copies,
      state.references,
      state.measurements,
    ];
    const observed = `${parts.map((part) => interner.number(part)).join(',')}${state.adminSecret ? '+' : ''}`;
    const rest = [state.traffic, state.left].map((part) => interner.number(part)).join(',');
    return { observed, whole: `${observed}|${rest}${state.hurt ? 'h' : ''}` };
  };
}
