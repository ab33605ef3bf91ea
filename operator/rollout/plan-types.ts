// The plan: what is to be written, in order; what is told; when to look again.
import type { MeasurementOrder } from './analysis/measurement.ts';
import type { Manifest } from './objects.ts';
import type { Reference } from './references.ts';
import type { DrainWindow, Pod, PodDrain, RouteIntent } from './snapshot.ts';
import type { Status } from './state.ts';
import type { Note } from './decide.ts';

/** A child object, by kind and name. */
export interface ChildRef {
  readonly kind:
    | 'Deployment'
    | 'Service'
    | 'PodDisruptionBudget'
    | 'ControllerRevision'
    | 'HTTPRoute'
    | 'ConfigMap'
    | 'Secret';
  readonly name: string;
}

/**
 * One intended write. They are carried out in the order of the plan; the first failure ends the plan, and the next look begins from what is then there.
 * `resourceVersion` makes a write fail when its object changed since it was read.
 */
export type Write =
  /** Finalizers and annotations of the AssistantDeployment. Always alone in its plan. */
  | {
      readonly kind: 'Metadata';
      readonly finalizers?: readonly string[];
      readonly annotations?: Readonly<Record<string, string | null>>;
    }
  /** Server-side apply of a whole object. */
  | { readonly kind: 'Apply'; readonly object: Manifest }
  /** The Secret with the admin token; the token is made where the write is carried out. */
  | { readonly kind: 'CreateAdminSecret'; readonly name: string }
  /** An immutable copy for one revision, if the original still has the data of this digest. */
  | {
      readonly kind: 'CopyReference';
      readonly reference: Reference;
      readonly digest: string;
      readonly name: string;
      readonly revision: string;
    }
  /** Replicas and drain window of a Deployment, together. */
  | {
      readonly kind: 'PatchWorkload';
      readonly name: string;
      readonly replicas: number;
      readonly drain: DrainWindow | null;
      readonly resourceVersion: string;
    }
  | { readonly kind: 'WriteRoute'; readonly intent: RouteIntent; readonly resourceVersion: string | null }
  /** This pod alone is to leave: noted on it, with a low deletion cost; the lowest once it is released. */
  | { readonly kind: 'MarkPod'; readonly pod: Pod; readonly drain: PodDrain }
  /** `POST /drain` at the pod's admin port. Failing it is no failure of the plan: the deadline stands. */
  | {
      readonly kind: 'DrainPod';
      readonly pod: Pod;
      readonly adminPort: number;
      readonly deadlineSeconds: number;
      readonly closePerSecond: number;
    }
  | { readonly kind: 'Delete'; readonly ref: ChildRef }
  | { readonly kind: 'Status'; readonly status: Status };

export interface Plan {
  readonly writes: readonly Write[];
  /** The status that holds when all writes are done; equal to the stored one when nothing changed. */
  readonly status: Status;
  /** Told (Event, log) when the plan has been carried out; what tells of one write, when that was. */
  readonly notes: readonly Note[];
  /**
   * When to look again even if nothing is heard, epoch milliseconds; null: only when something changes. Never a past time without a write: what is due
   * and cannot be done waits for a change, or the reconcile would run in circles.
   */
  readonly lookAgainAt: number | null;
  /** What the metric source is to be asked, and when; the answers come with the next snapshot. */
  readonly measure: readonly MeasurementOrder[];
  /** Open sessions matter now: ask the pods often. */
  readonly watchSessions: boolean;
}
