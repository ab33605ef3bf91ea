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

/**
 * Label matchers for the pods of a revision: by namespace and pod, the labels that every way of scraping pods in Kubernetes sets. The revision label
 * alone would not do: two AssistantDeployments of the same images have the same revisions.
 */
export function podMatchers({ name, namespace, revision, components }: RevisionPods): string {
  const pods = components.map((component) => `${revisionObjectName(name, component, revision)}-[a-z0-9-]+`).join('|');
  return `namespace="${namespace}",pod=~"${pods.replaceAll('.', '\\\\.')}"`;
}

/**
 * PromQL for what counters rose by in a window. `increase` does not see the first value of a series that begins inside the window (Prometheus takes
 * it for a start, not for a rise from 0), and the series of an error begins with the first error: that value is added.
 */
export function risen(selector: string, { since, at }: Window, by?: string): string {
  const range = `${Math.max(1, Math.round(at - since))}ms`;
  const sum = by === undefined ? 'sum' : `sum by (${by})`;
  return `${sum}(increase(${selector}[${range}])) + on(${by ?? ''}) ${firstValues(sum, selector, range)} or ${sum}(increase(${selector}[${range}])) or ${firstValues(sum, selector, range)}`;
}

const firstValues = (sum: string, selector: string, range: string): string =>
  `${sum}(min_over_time(${selector}[${range}]) unless ${selector} offset ${range})`;

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
  // Extrapolation is done a series at a time: a wider bucket may come out a little lower than a narrower one.
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
