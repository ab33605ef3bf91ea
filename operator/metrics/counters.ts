// Counts over a window from Prometheus' counters, for the pods of one revision.
import { revisionObjectName } from '../rollout/names.ts';
import type { PrometheusClient, Sample } from './prometheus-client.ts';

/** Whose counters. */
export interface RevisionPods {
  readonly name: string;
  readonly namespace: string;
  readonly revision: string;
  readonly components: readonly string[];
}

/** A window and when it ends. Epoch ms. */
export interface Window {
  readonly since: number;
  readonly at: number;
}

/** Pods get at most so many characters of the name of what makes them, and five random ones (k8s.io/apiserver/pkg/storage/names). */
const POD_NAME_BASE = 58;

/**
 * Label matchers for the pods of a revision: by namespace and pod, the labels that every way of scraping pods in Kubernetes sets. The revision label
 * alone would not do: two AssistantDeployments of the same images have the same revisions.
 */
export function podMatchers({ name, namespace, revision, components }: RevisionPods): string {
  const pods = components.map((component) => {
    const base = `${revisionObjectName(name, component, revision)}-`.slice(0, POD_NAME_BASE);
    return `${base}[a-z0-9-]+`;
  });
  return `namespace="${namespace}",pod=~"${pods.join('|').replaceAll('.', '\\\\.')}"`;
}

/** A series that was not seen for longer before the window (Prometheus was away, scrapes failed) counts from 0. */
const SEEN_WITHIN = '5m';

/**
 * PromQL for what counters rose by in a window: the last value of each series less its last value before the window, without it where there was none
 * (a pod of this window, or the first event of its kind) or where it was higher (the container started anew).
 *
 * Not `increase`: that takes the first value of a series for its start, so that the first error of a pod is missed, and it extrapolates to the ends of the
 * window, so that a test would rest on events that nobody saw. This counts what was scraped, no more; only what a container counted between the
 * last scrape and its end is missed.
 */
export function risen(selector: string, { since, at }: Window, by?: string): string {
  const range = `${Math.max(1, Math.round(at - since))}ms`;
  const last = `last_over_time(${selector}[${range}])`;
  const before = `last_over_time(${selector}[${SEEN_WITHIN}] offset ${range})`;
  return `sum${by === undefined ? '' : ` by (${by})`}((${last} - ${before} >= 0) or ${last})`;
}

/** What matching counters rose by together; 0 when there are none. */
export async function count(
  client: PrometheusClient,
  selector: string,
  window: Window,
  signal: AbortSignal,
): Promise<number> {
  const [sample] = await client.query(risen(selector, window), window.at, signal);
  return positive(sample?.value);
}

/** A cumulative histogram: how many observations were at most `bound`. The last bound is Infinity. */
export type Buckets = readonly { readonly bound: number; readonly count: number }[];

/** The buckets of matching histograms together, by rising bound. */
export async function buckets(
  client: PrometheusClient,
  selector: string,
  window: Window,
  signal: AbortSignal,
): Promise<Buckets> {
  const samples = await client.query(risen(selector, window, 'le'), window.at, signal);
  return cumulative(samples);
}

function cumulative(samples: readonly Sample[]): Buckets {
  const sorted = samples
    .map(({ labels, value }) => ({
      bound: labels['le'] === '+Inf' ? Infinity : Number(labels['le']),
      count: positive(value),
    }))
    .filter(({ bound }) => !Number.isNaN(bound))
    .toSorted((a, b) => a.bound - b.bound);
  // A container that started anew may have passed its earlier count in one bucket and not in a wider one.
  let highest = 0;
  return sorted.map(({ bound, count: own }) => {
    highest = Math.max(highest, own);
    return { bound, count: highest };
  });
}

const positive = (value: number | undefined): number =>
  value === undefined || Number.isNaN(value) ? 0 : Math.max(0, value);

export const total = (histogram: Buckets): number => histogram.at(-1)?.count ?? 0;

/**
 * A quantile by linear interpolation within its bucket, as Prometheus' histogram_quantile; null without observations. Beyond the last finite bound it
 * is that bound.
 */
export function quantile(histogram: Buckets, q: number): number | null {
  const all = total(histogram);
  if (all === 0) return null;
  const rank = q * all;
  const index = histogram.findIndex((bucket) => bucket.count >= rank);
  const bucket = histogram[index];
  const below = histogram[index - 1] ?? { bound: 0, count: 0 };
  if (bucket === undefined || bucket.bound === Infinity) return below.bound;
  if (bucket.count === below.count) return bucket.bound;
  return below.bound + ((bucket.bound - below.bound) * (rank - below.count)) / (bucket.count - below.count);
}

/** The smallest bound that is at least the value; the last finite one beyond all. */
export function boundAbove(histogram: Buckets, value: number): number {
  const finite = histogram.filter(({ bound }) => bound !== Infinity);
  return (finite.find(({ bound }) => bound >= value) ?? finite.at(-1))?.bound ?? value;
}

/** Observations above a bound of the histogram. */
export const above = (histogram: Buckets, bound: number): number =>
  total(histogram) - (histogram.find((bucket) => bucket.bound >= bound)?.count ?? total(histogram));
