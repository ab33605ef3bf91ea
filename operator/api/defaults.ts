// From the spec that people write to the form that code works with: every default filled, durations in milliseconds, decimals as
// numbers, each choice a case of a closed union. The one place where a stored spec is parsed; behind it everything is trusted.
import type { z } from 'zod';
import type { AssistantDeploymentSpec, MetricPreset } from './assistant-deployment.ts';
import { parseDecimal } from './decimals.ts';
import { parseDuration } from './durations.ts';
import type { AUTOSCALING_METRICS } from './schema/component.ts';
import { spec as specSchema } from './schema/spec.ts';

type Parsed = z.output<typeof specSchema>;
type ParsedComponent = Parsed['components'][string];
type ParsedMetric = Parsed['metrics'][number];
type ParsedStep = NonNullable<Parsed['strategy']['canary']>['steps'][number];

/** A duration in milliseconds, and looks at this interval, too. */
export interface ResolvedAnalysis {
  readonly metrics: readonly string[];
  readonly durationMs: number;
  readonly intervalMs: number;
}

/** Analysis without an end of its own: it runs in the background of every step. */
export type ResolvedBackgroundAnalysis = Omit<ResolvedAnalysis, 'durationMs'>;

export type ResolvedStep =
  | { readonly kind: 'SetWeight'; readonly weight: number }
  /** `durationMs` null: until somebody promotes. */
  | { readonly kind: 'Pause'; readonly durationMs: number | null }
  | ({ readonly kind: 'Analysis' } & ResolvedAnalysis)
  | { readonly kind: 'SetFlag'; readonly feature: string; readonly rollout: number }
  | { readonly kind: 'Chaos'; readonly experiment: string };

export type ResolvedStrategy =
  | {
      readonly type: 'Canary';
      readonly steps: readonly ResolvedStep[];
      readonly stickiness: 'Bucket' | 'None';
      readonly analysis: ResolvedBackgroundAnalysis | null;
    }
  | {
      readonly type: 'BlueGreen';
      readonly autoPromote: boolean;
      readonly autoPromoteAfterMs: number;
      readonly scaleDownDelayMs: number;
      readonly prePromotion: ResolvedAnalysis | null;
      readonly postPromotion: ResolvedAnalysis | null;
    };

export type AutoscalingMetricType = (typeof AUTOSCALING_METRICS)[number];

export type ResolvedAutoscalingMetric =
  | { readonly type: Exclude<AutoscalingMetricType, 'Prometheus'>; readonly targetPerPod: number }
  | { readonly type: 'Prometheus'; readonly query: string; readonly target: number };

export interface ResolvedAutoscaling {
  readonly min: number;
  readonly max: number;
  readonly metrics: readonly ResolvedAutoscalingMetric[];
  readonly drainTimeoutMs: number;
  readonly freezeDuringRollout: boolean;
}

export interface ResolvedComponent {
  readonly image: string;
  /** Pods in full service; the lower bound where it is autoscaled. */
  readonly replicas: number;
  readonly port: number;
  readonly adminPort: number;
  readonly path: string;
  readonly env: ParsedComponent['env'];
  readonly envFrom: ParsedComponent['envFrom'];
  readonly resources: ParsedComponent['resources'];
  readonly template: ParsedComponent['template'];
  readonly autoscaling: ResolvedAutoscaling | null;
}

export interface ResolvedMetric {
  readonly name: string;
  readonly source:
    | { readonly kind: 'Preset'; readonly preset: MetricPreset }
    | { readonly kind: 'Prometheus'; readonly query: string };
  readonly max: number | null;
  readonly min: number | null;
  readonly comparedToStable: { readonly maxRatio: number; readonly confidence: number } | null;
  readonly minSamples: number;
  readonly onNoData: 'Wait' | 'Pass' | 'Fail';
  readonly failureLimit: number;
  readonly consecutiveErrorLimit: number;
}

/** The spec with every default filled. */
export interface ResolvedSpec {
  readonly release: string;
  readonly components: Readonly<Record<string, ResolvedComponent>>;
  readonly gateway: Parsed['gateway'];
  readonly strategy: ResolvedStrategy;
  readonly drain: { readonly deadlineMs: number; readonly closePerSecond: number };
  readonly progressDeadlineMs: number;
  readonly abortOnDeadline: boolean;
  /** How many earlier promoted revisions may be gone back to without the steps; 0: none. */
  readonly rollbackWindow: number;
  readonly metrics: readonly ResolvedMetric[];
  readonly flags: Parsed['flags'];
  /** `availability` a share between 0 and 1. */
  readonly slo: { readonly availability: number | null; readonly latencyP95Ms: number | null } | null;
  readonly paused: boolean;
  readonly revisionHistoryLimit: number;
}

/** A stored spec that this version cannot read: older than a rule, or written while validation was off. */
export class InvalidSpecError extends Error {
  override readonly name = 'InvalidSpecError';
  /** One entry a problem: the field's path and what to write. */
  readonly problems: readonly { readonly path: string; readonly message: string }[];

  constructor(problems: readonly { readonly path: string; readonly message: string }[]) {
    super(problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
    this.problems = problems;
  }
}

/**
 * Fills the defaults. Pure; the same spec gives the same result whether or not the API server has filled its share of them.
 * @throws InvalidSpecError naming every field that cannot be read.
 */
export function withDefaults(spec: AssistantDeploymentSpec): ResolvedSpec {
  const result = specSchema.safeParse(spec);
  if (!result.success) {
    throw new InvalidSpecError(
      result.error.issues.map(({ path, message }) => ({ path: fieldPath(['spec', ...path]), message })),
    );
  }
  const parsed = result.data;
  const { strategy, slo } = parsed;
  refuseUndeclaredMetrics(parsed);
  return {
    release: parsed.release,
    components: Object.fromEntries(
      Object.entries(parsed.components).map(([name, component]) => [name, resolveComponent(name, component)]),
    ),
    gateway: parsed.gateway,
    strategy: resolveStrategy(strategy),
    drain: { deadlineMs: parseDuration(strategy.drain.deadline), closePerSecond: strategy.drain.closePerSecond },
    progressDeadlineMs: parseDuration(strategy.progressDeadline),
    abortOnDeadline: strategy.abortOnDeadline,
    rollbackWindow: strategy.rollbackWindow.revisions,
    metrics: parsed.metrics.map(resolveMetric),
    flags: parsed.flags,
    slo:
      slo === undefined
        ? null
        : {
            availability: slo.availability === undefined ? null : parseDecimal(slo.availability),
            latencyP95Ms: slo.latencyP95 === undefined ? null : parseDuration(slo.latencyP95),
          },
    paused: parsed.paused,
    revisionHistoryLimit: parsed.revisionHistoryLimit,
  };
}

/** The CRD refuses these as well; a gate whose metric nobody knows must not pass by being overlooked. */
function refuseUndeclaredMetrics({ strategy: { canary, blueGreen }, metrics }: Parsed): void {
  const path = 'spec.strategy';
  const analyses = [
    ...(canary?.steps ?? []).map((step, index) => [`${path}.canary.steps[${index}].analysis`, step.analysis] as const),
    [`${path}.canary.analysis`, canary?.analysis] as const,
    [`${path}.blueGreen.prePromotion`, blueGreen?.prePromotion] as const,
    [`${path}.blueGreen.postPromotion`, blueGreen?.postPromotion] as const,
  ];
  for (const [where, analysis] of analyses) {
    const unknown = analysis?.metrics.find((name) => !metrics.some((metric) => metric.name === name));
    if (unknown !== undefined) throw missing(`${where}.metrics`, `spec.metrics does not declare "${unknown}"`);
  }
}

/** Path prefix of a component's route when its spec names none. */
export function defaultPath(component: string): string {
  if (component === 'chat') return '/';
  return component === 'realtime' ? '/ws' : `/${component}`;
}

const fieldPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');

function resolveComponent(name: string, component: ParsedComponent): ResolvedComponent {
  const { autoscaling } = component;
  const { image, port, adminPort, env, envFrom, resources, template } = component;
  return {
    image,
    replicas: component.replicas ?? autoscaling?.min ?? 1,
    port,
    adminPort,
    path: component.path ?? defaultPath(name),
    env,
    envFrom,
    resources,
    template,
    autoscaling:
      autoscaling === undefined
        ? null
        : {
            min: autoscaling.min,
            max: autoscaling.max,
            metrics: autoscaling.metrics.map((metric) => resolveAutoscalingMetric(name, metric)),
            drainTimeoutMs: parseDuration(autoscaling.scaleIn?.drainTimeout ?? '10m'),
            freezeDuringRollout: autoscaling.scaleIn?.freezeDuringRollout ?? true,
          },
  };
}

type ParsedAutoscalingMetric = NonNullable<ParsedComponent['autoscaling']>['metrics'][number];

function resolveAutoscalingMetric(component: string, metric: ParsedAutoscalingMetric): ResolvedAutoscalingMetric {
  const path = `spec.components.${component}.autoscaling.metrics`;
  const { type, query, target, targetPerPod } = metric;
  if (type === 'Prometheus') {
    if (query === undefined || target === undefined) throw missing(path, 'type Prometheus needs query and target');
    return { type, query, target: parseDecimal(target) };
  }
  if (targetPerPod === undefined) throw missing(path, `type ${type} needs targetPerPod`);
  return { type, targetPerPod };
}

function resolveStrategy(strategy: Parsed['strategy']): ResolvedStrategy {
  const { type, canary, blueGreen } = strategy;
  if (type === 'Canary') {
    if (canary === undefined) throw missing('spec.strategy.canary', 'type Canary needs canary.steps');
    const { analysis } = canary;
    return {
      type,
      steps: canary.steps.map(resolveStep),
      stickiness: canary.stickiness.by,
      analysis:
        analysis === undefined ? null : { metrics: analysis.metrics, intervalMs: parseDuration(analysis.interval) },
    };
  }
  if (blueGreen === undefined) throw missing('spec.strategy.blueGreen', 'type BlueGreen needs blueGreen: {}');
  return {
    type,
    autoPromote: blueGreen.autoPromote,
    autoPromoteAfterMs: parseDuration(blueGreen.autoPromoteAfter ?? '0s'),
    scaleDownDelayMs: parseDuration(blueGreen.scaleDownDelay),
    prePromotion: blueGreen.prePromotion === undefined ? null : resolveAnalysis(blueGreen.prePromotion),
    postPromotion: blueGreen.postPromotion === undefined ? null : resolveAnalysis(blueGreen.postPromotion),
  };
}

function resolveStep(step: ParsedStep): ResolvedStep {
  if (step.setWeight !== undefined) return { kind: 'SetWeight', weight: step.setWeight };
  if (step.pause !== undefined) {
    const { duration } = step.pause;
    return { kind: 'Pause', durationMs: duration === undefined ? null : parseDuration(duration) };
  }
  if (step.analysis !== undefined) return { kind: 'Analysis', ...resolveAnalysis(step.analysis) };
  if (step.setFlag !== undefined) return { kind: 'SetFlag', ...step.setFlag };
  return { kind: 'Chaos', experiment: step.chaos.experiment };
}

function resolveAnalysis(analysis: { metrics: string[]; duration: string; interval: string }): ResolvedAnalysis {
  return {
    metrics: analysis.metrics,
    durationMs: parseDuration(analysis.duration),
    intervalMs: parseDuration(analysis.interval),
  };
}

function resolveMetric(metric: ParsedMetric, index: number): ResolvedMetric {
  const { name, preset, prometheus, comparedTo } = metric;
  return {
    name,
    source: sourceOf(preset, prometheus?.query, `spec.metrics[${index}]`),
    max: metric.max === undefined ? null : parseDecimal(metric.max),
    min: metric.min === undefined ? null : parseDecimal(metric.min),
    comparedToStable:
      comparedTo === undefined
        ? null
        : {
            maxRatio: parseDecimal(comparedTo.stable.maxRatio),
            confidence: parseDecimal(comparedTo.stable.confidence),
          },
    minSamples: metric.minSamples,
    onNoData: metric.onNoData,
    failureLimit: metric.failureLimit,
    consecutiveErrorLimit: metric.consecutiveErrorLimit,
  };
}

function sourceOf(preset: MetricPreset | undefined, query: string | undefined, path: string): ResolvedMetric['source'] {
  if (preset !== undefined) return { kind: 'Preset', preset };
  if (query !== undefined) return { kind: 'Prometheus', query };
  throw missing(path, 'a metric needs preset or prometheus.query');
}

const missing = (path: string, message: string): InvalidSpecError => new InvalidSpecError([{ path, message }]);
