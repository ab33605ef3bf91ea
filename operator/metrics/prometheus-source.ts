// Prometheus as the source of metrics: presets and queries of one's own, for the new revision and for stable at the same moment (or, where stable has no traffic any more, before).
import type { ResolvedMetric } from '@assistant-platform/api';
import type { Measurement, Reading } from '../rollout/analysis/measurement.ts';
import type { Window } from './counters.ts';
import { PrometheusError, type PrometheusClient } from './prometheus-client.ts';
import { readPreset, type PresetContext } from './presets.ts';
import type { MeasurementRequest, MetricSource } from './source.ts';
import { fillIn, namesComponent, TemplateError } from './template.ts';

type Usual = PresetContext['usual'];

/**
 * How much of stable's past stands in for its present where it gets no traffic any more: the shortest of these spans with enough events, and the longest
 * where none has. The traffic may have left it long before the analysis: behind a pause at 100 %.
 */
const PAST_MS = [1, 6, 24].map((hours) => hours * 3_600_000);

export class PrometheusSource implements MetricSource {
  readonly #client: PrometheusClient;
  readonly #now: () => number;

  /** @param now epoch milliseconds. */
  constructor(client: PrometheusClient, now: () => number) {
    this.#client = client;
    this.#now = now;
  }

  async measure(request: MeasurementRequest, signal: AbortSignal): Promise<Measurement['result']> {
    const { revision, stableRevision, since, againstPast } = request.order;
    const compared = request.metric.comparedToStable !== null && stableRevision !== null;
    const window = { since, at: this.#now() };
    const stableWindows = againstPast ? PAST_MS.map((span) => ({ since: since - span, at: since })) : [window];
    const usual: Usual = new Map();
    try {
      const [update, stable] = await Promise.all([
        this.#read(request, revision, window, usual, signal),
        compared ? this.#readFirst(request, stableRevision, stableWindows, usual, signal) : null,
      ]);
      return { kind: 'Reading', update, stable };
    } catch (error) {
      if (error instanceof PrometheusError || error instanceof TemplateError)
        return { kind: 'Error', message: error.message };
      throw error;
    }
  }

  /** The reading of the first window with enough events. A query of one's own looks at a moment: at the end that all windows have. */
  async #readFirst(
    request: MeasurementRequest,
    revision: string,
    windows: readonly Window[],
    usual: Usual,
    signal: AbortSignal,
  ): Promise<Reading | null> {
    const enough = Math.max(1, request.metric.minSamples);
    let reading: Reading | null = null;
    for (const window of windows) {
      reading = await this.#read(request, revision, window, usual, signal);
      if (reading.samples === null || reading.samples >= enough) break;
    }
    return reading;
  }

  #read(
    request: MeasurementRequest,
    revision: string,
    window: Window,
    usual: Usual,
    signal: AbortSignal,
  ): Promise<Reading> {
    const { order, metric, subject } = request;
    const { since, components, stableRevision } = order;
    if (metric.source.kind === 'Prometheus')
      return this.#ownQuery(request, metric.source.query, revision, window.at, signal);
    const podsOf = (hash: string) => ({ ...subject, revision: hash, components });
    return readPreset(metric.source.preset, {
      ...{ client: this.#client, signal, window, usual },
      begun: since,
      pods: podsOf(revision),
      stable: stableRevision === null ? null : podsOf(stableRevision),
    });
  }

  /** One number; a query about a component is asked for each, and the worst one counts. */
  async #ownQuery(
    { order, metric, subject }: MeasurementRequest,
    query: string,
    revision: string,
    at: number,
    signal: AbortSignal,
  ): Promise<Reading> {
    const components = namesComponent(query) ? order.components : order.components.slice(0, 1);
    const values = await Promise.all(
      components.map(async (component) => {
        const filled = fillIn(query, { name: subject.name, namespace: subject.namespace, component, revision });
        const samples = await this.#client.query(filled, at, signal);
        if (samples.length > 1) {
          throw new PrometheusError(
            `the query gives ${samples.length} series; make it one, for example with sum(...) or max(...)`,
          );
        }
        return samples[0]?.value;
      }),
    );
    const numbers = values.flatMap((value) => (value === undefined || Number.isNaN(value) ? [] : [value]));
    return { value: numbers.length === 0 ? null : worst(metric, numbers), samples: null, evidence: null };
  }
}

/** Where only a lower limit is given, less is worse. */
const worst = ({ max, min, comparedToStable }: ResolvedMetric, values: readonly number[]): number =>
  min !== null && max === null && comparedToStable === null ? Math.min(...values) : Math.max(...values);
