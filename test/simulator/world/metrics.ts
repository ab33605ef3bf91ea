// A metric source with a script: a revision is as good as its image says, there is as much data as time has passed, and sometimes there is none or no
// answer at all.
import { LABELS } from '@assistant-platform/api';
import { deployments } from '@assistant-platform/runtime';
import type { MetricSource } from '../../../operator/metrics/source.ts';
import type { Measurement, Reading } from '../../../operator/rollout/analysis/measurement.ts';
import type { ProcessClock } from '../server/process-clock.ts';
import type { ApiServer } from '../server/server.ts';

/** Share of requests that fail, on releases that are well and on those that are not. */
const GOOD_RATE = 0.002;
const BAD_RATE = 0.2;
const REQUESTS_PER_SECOND = 40;
/** A query takes so long; one that nobody answers is given up later. Milliseconds. */
const ANSWER_MS = 15;
const TIMEOUT_MS = 5000;

/** What is behind the metric sources of all operator processes. */
export class Metrics {
  readonly #server: ApiServer;
  /** Images whose requests fail too often. */
  readonly badImages = new Set<string>();
  /** The source does not answer. */
  down = false;
  /** The source knows nothing of the requests. */
  silent = false;

  constructor(server: ApiServer) {
    this.#server = server;
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
        const seconds = Math.max(0, clock.now() - order.since) / 1000;
        const reading = (revision: string): Reading =>
          this.#reading(revision, Math.floor(seconds * REQUESTS_PER_SECOND));
        const { stableRevision } = order;
        const stable = stableRevision === null ? null : reading(stableRevision);
        return { kind: 'Reading', update: reading(order.revision), stable };
      },
    };
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
