// A metric source with a script: a revision is as good as its image says, it has been asked as often as the gateway has sent it people, and sometimes
// there is no data or no answer at all.
import { LABELS } from '@assistant-platform/api';
import { type Clock, deployments } from '@assistant-platform/runtime';
import type { MetricSource } from '../../../operator/metrics/source.ts';
import type { Measurement, Reading } from '../../../operator/rollout/analysis/measurement.ts';
import type { ProcessClock } from '../server/process-clock.ts';
import type { ApiServer } from '../server/server.ts';
import type { Gateway, TrafficShare } from './gateway.ts';

/** Share of requests that fail, on releases that are well and on those that are not. */
const GOOD_RATE = 0.002;
const BAD_RATE = 0.2;
/** On each route, divided by the weights. */
const REQUESTS_PER_SECOND = 20;
/** Requests that name a revision themselves, whatever its weight: a preview has these alone. */
const BY_NAME_PER_SECOND = 20;
/** A query takes so long; one that nobody answers is given up later. Milliseconds. */
const ANSWER_MS = 15;
const TIMEOUT_MS = 5000;

/** What the gateway did with a route from a moment on, until the next entry of that route. */
interface Period {
  readonly at: number;
  readonly route: string;
  readonly shares: readonly TrafficShare[];
}

/** What is behind the metric sources of all operator processes. */
export class Metrics {
  readonly #server: ApiServer;
  readonly #clock: Clock;
  readonly #periods: Period[] = [];
  /** Images whose requests fail too often. */
  readonly badImages = new Set<string>();
  /** The source does not answer. */
  down = false;
  /** The source knows nothing of the requests. */
  silent = false;

  constructor(server: ApiServer, clock: Clock, gateway: Gateway) {
    this.#server = server;
    this.#clock = clock;
    gateway.onTraffic = (route) => this.#periods.push({ at: clock.now(), route, shares: gateway.shares(route) });
  }

  /** The source as one process sees it. */
  sourceFor(clock: ProcessClock): MetricSource {
    const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.timer(ms, resolve));
    return {
      measure: async ({ order }): Promise<Measurement['result']> => {
        if (this.down) {
          await wait(TIMEOUT_MS);
          return { kind: 'Error', message: 'no answer within 5 s' };
        }
        await wait(ANSWER_MS);
        const reading = (revision: string): Reading =>
          this.#reading(revision, Math.floor(this.requests(revision, order.since)));
        const { stableRevision } = order;
        const stable = stableRevision === null ? null : reading(stableRevision);
        return { kind: 'Reading', update: reading(order.revision), stable };
      },
    };
  }

  /** Requests that a revision had from `since` (epoch ms) until now. */
  requests(revision: string, since: number): number {
    const now = this.#clock.now();
    let requests = (Math.max(0, now - since) / 1000) * BY_NAME_PER_SECOND;
    for (const [index, { at, route, shares }] of this.#periods.entries()) {
      const end = this.#periods.slice(index + 1).find((later) => later.route === route)?.at ?? now;
      const seconds = Math.max(0, end - Math.max(at, since)) / 1000;
      const weight = shares.find(({ service }) => service.endsWith(`-${revision}`))?.weight ?? 0;
      const sum = shares.reduce((total, share) => total + share.weight, 0);
      if (weight > 0) requests += seconds * REQUESTS_PER_SECOND * (weight / sum);
    }
    return requests;
  }

  #reading(revision: string, requests: number): Reading {
    if (this.silent || requests === 0) return { value: null, samples: 0, evidence: { events: 0, trials: 0 } };
    const value = this.#isBad(revision) ? BAD_RATE : GOOD_RATE;
    return { value, samples: requests, evidence: { events: value * requests, trials: requests } };
  }

  #isBad(revision: string): boolean {
    return this.#server
      .list(deployments)
      .filter(({ metadata }) => metadata.labels?.[LABELS.revision] === revision)
      .flatMap(({ spec }) => spec?.template.spec?.containers ?? [])
      .some(({ image = '' }) => this.badImages.has(image));
  }
}
