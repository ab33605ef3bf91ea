// What the metric source last said. Asking happens beside the reconciles; only the latest answer of each metric is kept, and it may be lost: the decision
// then orders it again.
import type { ResolvedMetric } from '@assistant-platform/api';
import type { MeasurementRequest, MetricSource } from '../metrics/source.ts';
import type { Measurement, MeasurementOrder } from '../rollout/analysis/measurement.ts';

export class MeasurementBook {
  readonly #source: MetricSource;
  readonly #now: () => number;
  /** Latest answers, by AssistantDeployment (`namespace/name`) and metric. */
  readonly #pages = new Map<string, Map<string, Measurement>>();
  readonly #asking = new Set<string>();

  /** @param now epoch milliseconds. */
  constructor(source: MetricSource, now: () => number) {
    this.#source = source;
    this.#now = now;
  }

  /** The latest answers for an AssistantDeployment. */
  of(subject: string): readonly Measurement[] {
    return [...(this.#pages.get(subject)?.values() ?? [])];
  }

  /** Drops what belongs to an AssistantDeployment that is gone, or to analyses that are over. */
  forget(subject: string, orders: readonly MeasurementOrder[] = []): void {
    const pages = this.#pages.get(subject);
    for (const [metric, { since }] of pages ?? [])
      if (!orders.some((order) => order.metric === metric && order.since === since)) pages?.delete(metric);
    if (pages?.size === 0) this.#pages.delete(subject);
  }

  /**
   * Carries out the orders that are due and not under way, all at once.
   * @returns whether there is a new answer.
   */
  async refresh(
    subject: MeasurementRequest['subject'],
    orders: readonly MeasurementOrder[],
    metrics: readonly ResolvedMetric[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const asked = orders.flatMap((order) => {
      const metric = metrics.find(({ name }) => name === order.metric);
      return metric === undefined || order.dueAt > this.#now()
        ? []
        : [this.#measure({ order, metric, subject }, signal)];
    });
    return (await Promise.all(asked)).includes(true);
  }

  async #measure(request: MeasurementRequest, signal: AbortSignal): Promise<boolean> {
    const { order, subject } = request;
    const key = `${subject.namespace}/${subject.name}`;
    const asking = `${key}/${order.metric}/${order.since}`;
    const known = this.#pages.get(key)?.get(order.metric);
    // Measured for this very check already: the reconcile that takes it up is on its way.
    if (this.#asking.has(asking) || (known?.since === order.since && known.at >= order.dueAt)) return false;
    this.#asking.add(asking);
    try {
      const at = this.#now();
      const result = await this.#source.measure(request, signal);
      const pages = this.#pages.get(key) ?? new Map<string, Measurement>();
      this.#pages.set(key, pages.set(order.metric, { metric: order.metric, since: order.since, at, result }));
      return true;
    } finally {
      this.#asking.delete(asking);
    }
  }
}
