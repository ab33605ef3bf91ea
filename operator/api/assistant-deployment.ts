// The TypeScript types of AssistantDeployment, inferred from the schema.
import type { z } from 'zod';
import type { API_VERSION, ASSISTANT_DEPLOYMENT } from './group.ts';
import type { component } from './schema/component.ts';
import type { flag } from './schema/flags.ts';
import type { metric, PRESETS } from './schema/metrics.ts';
import type { spec } from './schema/spec.ts';
import type { status } from './schema/status.ts';
import type { strategy } from './schema/strategy.ts';

/** The part of metav1.ObjectMeta that we read and write. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  /** RFC 3339. */
  readonly creationTimestamp?: string;
  /** RFC 3339; present while the object is being deleted. */
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

/** The spec as people write it: what has a default may be absent. See `withDefaults` for the form to work with. */
export type AssistantDeploymentSpec = z.input<typeof spec>;
export type AssistantDeploymentStatus = z.output<typeof status>;

/** The custom resource, as read from and written to the API server. */
export interface AssistantDeployment {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: typeof ASSISTANT_DEPLOYMENT.kind;
  readonly metadata: ObjectMeta;
  readonly spec: AssistantDeploymentSpec;
  readonly status?: AssistantDeploymentStatus;
}

export type ComponentSpec = z.input<typeof component>;
export type StrategySpec = z.input<typeof strategy>;
export type StrategyType = StrategySpec['type'];
export type CanarySpec = NonNullable<StrategySpec['canary']>;
export type BlueGreenSpec = NonNullable<StrategySpec['blueGreen']>;
/** One canary step: a closed union, each case with exactly one member. */
export type CanaryStep = CanarySpec['steps'][number];
export type MetricSpec = z.input<typeof metric>;
export type MetricPreset = (typeof PRESETS)[number];
export type FlagSpec = z.input<typeof flag>;

type StatusList<K extends keyof AssistantDeploymentStatus> =
  NonNullable<AssistantDeploymentStatus[K]> extends readonly (infer Item)[] ? Item : never;

export type RevisionStatus = NonNullable<AssistantDeploymentStatus['stableRevision']>;
export type StepStatus = NonNullable<AssistantDeploymentStatus['step']>;
export type WeightStatus = NonNullable<AssistantDeploymentStatus['weight']>;
export type ComponentStatus = NonNullable<AssistantDeploymentStatus['components']>[string];
export type SideStatus = NonNullable<ComponentStatus['stable']>;
export type AbortStatus = NonNullable<AssistantDeploymentStatus['abort']>;
export type SummaryStatus = NonNullable<AssistantDeploymentStatus['summary']>;
export type DrainingStatus = StatusList<'draining'>;
export type BlockedBy = StatusList<'blockedBy'>;
export type PauseCondition = StatusList<'pauseConditions'>;
export type AnalysisStatus = StatusList<'analysis'>;
export type FlagStatus = StatusList<'flags'>;
export type Condition = StatusList<'conditions'>;
export type HistoryEntry = StatusList<'history'>;
