// Counts over a window from Prometheus' counters, for the pods of one revision.
import { podPrefix } from '../rollout/names.ts';
import type { PrometheusClient, Sample, Series } from './prometheus-client.ts';

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
  const pods = components.map((component) => `${podPrefix(name, component, revision)}[a-z0-9-]+`);
  return `namespace="${namespace}",pod=~"${pods.join('|').replaceAll('.', '\\\\.')}"`;
}

/** A series that was not seen for longer before the window (Prometheus was away, scrapes failed) counts from 0. */
const SEEN_WITHIN_MS = 5 * 60_000;

/**
 * What matching counters rose by in a window, together, by `le` where they have it: everything that they counted between the last scrape before the
 * window and the last one in it. A series that was not there before (a pod of this window, or the first event of its kind) counts from 0. The selector
 * ends with its matchers and is for pods (`podMatchers`).
 *
 * Not `increase`: that takes the first value of a series for its start, so that the first error of a pod is missed, and it extrapolates to the ends of the
 * window, so that a test would rest on events that nobody saw. This counts what was scraped, no more. Missed is what a container counted between the
 * last scrape and its end; and one that is, by its first scrape after a restart, no lower than it was before, is taken for the same that went on.
 *
 * With the same beginning of the window, counts do not fall from one look to the next.
 */
async function risen(
  client: PrometheusClient,
  selector: string,
  { since, at }: Window,
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const range = Math.max(1, Math.round(at - since));
  const samples = await client.query(risenQuery(selector, range), at, signal);
  const restarted = samples.flatMap(({ labels }) => labels['restarted'] ?? []);
  if (restarted.length === 0) return samples;
  const scraped = await scrapes(client, ofPods(selector, restarted), { since: at - range, at }, signal);
  return [...samples.filter(({ labels }) => labels['restarted'] === undefined), ...rises(scraped, at - range)];
}

/**
 * The last value of each series in the window less its last one before; of pods where one began anew only the name (`restarted`): what those counted
 * PromQL cannot say, but their scrapes can (`rises`). It is one query, so that a restart meanwhile changes both or neither.
 */
function risenQuery(selector: string, range: number): string {
  const last = `last_over_time(${selector}[${range}ms])`;
  const before = `last_over_time(${selector}[${SEEN_WITHIN_MS}ms] offset ${range}ms)`;
  const anew = `group by (pod) (resets(${selector}[${range + SEEN_WITHIN_MS}ms]) > 0)`;
  const named = `label_replace(${anew}, "restarted", "$1", "pod", "(.*)")`;
  return `sum by (restarted, le) (${named} or on (pod) (${last} - ${before} or ${last}))`;
}

const ofPods = (selector: string, pods: readonly string[]): string =>
  selector.replace(/\}$/, `,pod=~"${pods.join('|').replaceAll('.', '[.]')}"}`);

/** So much is asked for at once: a day of a histogram is tens of megabytes, and an operator that runs out of memory serves nobody. */
const PIECE_MS = 3_600_000;

/** What tells of the scrapes in the window and shortly before (`telling`), piece by piece. */
async function scrapes(
  client: PrometheusClient,
  selector: string,
  { since, at }: Window,
  signal: AbortSignal,
): Promise<readonly Series[]> {
  const all = new Map<string, Series>();
  for (let from = since - SEEN_WITHIN_MS; from < at; from += PIECE_MS) {
    const to = Math.min(at, from + PIECE_MS);
    const piece = await client.series(`${selector}[${to - from}ms]`, to, signal);
    for (const { labels, points } of telling(piece, since)) {
      const key = JSON.stringify(labels);
      const known = all.get(key)?.points ?? [];
      // Prometheus before 3 tells a scrape at the very border in both pieces.
      const latest = known.at(-1)?.at ?? -Infinity;
      all.set(key, { labels, points: [...known, ...points.filter((point) => point.at > latest)] });
    }
  }
  return [...all.values()];
}

/** The scrapes by which `rises` tells: the first and the last, and those on both sides of a new start and of `since`. */
export function telling(scraped: readonly Series[], since: number): readonly Series[] {
  return histogramsOf(scraped).flatMap((histogram) => {
    const starts = new Set(histogram.flatMap(falls));
    return histogram.map(({ labels, points }) => ({
      labels,
      points: points.filter(({ at }, index) => {
        const next = points[index + 1]?.at;
        return index === 0 || next === undefined || starts.has(at) || starts.has(next) || (at <= since && next > since);
      }),
    }));
  });
}

/**
 * What each series that was scraped after `since` rose by: where it falls, its container has started anew and the new value counts whole. The buckets of a
 * histogram begin anew together, also those that have passed their earlier count by the next scrape.
 */
export function rises(scraped: readonly Series[], since: number): readonly Sample[] {
  const inWindow = scraped.filter(({ points }) => (points.at(-1)?.at ?? since) > since);
  return histogramsOf(inWindow).flatMap((histogram) => {
    const starts = new Set(histogram.flatMap(falls));
    return histogram.map(({ labels, points }) => {
      let [from, last, earlier] = [0, 0, 0];
      for (const { at, value } of points) {
        if (at <= since) from = value;
        else if (starts.has(at)) {
          earlier += last - from;
          from = 0;
        }
        last = value;
      }
      return { labels, value: earlier + last - from };
    });
  });
}

/** Series that differ in `le` only: the buckets of one histogram. */
const histogramsOf = (scraped: readonly Series[]): readonly (readonly Series[])[] => [
  ...Map.groupBy(scraped, ({ labels: { le: _, ...others } }) => JSON.stringify(others)).values(),
];

const falls = ({ points }: Series): readonly number[] =>
  points.filter(({ value }, index) => value < (points[index - 1]?.value ?? 0)).map(({ at }) => at);

/** What matching counters rose by together; 0 when there are none. */
export async function count(
  client: PrometheusClient,
  selector: string,
  window: Window,
  signal: AbortSignal,
): Promise<number> {
  return sum(await risen(client, selector, window, signal));
}

const sum = (samples: readonly Sample[]): number => samples.reduce((all, { value }) => all + positive(value), 0);

/** A cumulative histogram: how many observations were at most `bound`. The last bound is Infinity. */
export type Buckets = readonly { readonly bound: number; readonly count: number }[];

/** The buckets of matching histograms together, by rising bound. */
export async function buckets(
  client: PrometheusClient,
  selector: string,
  window: Window,
  signal: AbortSignal,
): Promise<Buckets> {
  return cumulative(await risen(client, selector, window, signal));
}

function cumulative(samples: readonly Sample[]): Buckets {
  // By number: some clients write 1 for a bound, others 1.0.
  const sorted = [...Map.groupBy(samples, ({ labels: { le } }) => (le === '+Inf' ? Infinity : Number(le)))]
    .map(([bound, own]) => ({ bound, count: sum(own) }))
    .filter(({ bound }) => !Number.isNaN(bound))
    .toSorted((a, b) => a.bound - b.bound);
  // A container that started anew may be past its earlier count in all buckets by its first scrape, in a narrow one by more than in a wider one.
  let highest = 0;
  return sorted.map(({ bound, count: own }) => {
    highest = Math.max(highest, own);
    return { bound, count: highest };
  });
}

const positive = (value: number): number => (Number.isFinite(value) ? Math.max(0, value) : 0);

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
