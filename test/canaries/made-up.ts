// Pairs of a stable and a new revision whose traffic is made up, but whose metrics are the services' own: good ones, and ones that are bad in one of
// eight ways. One HTTP server offers the metrics of all of them, as their admin ports would.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MetricPreset } from '@assistant-platform/api';
import { seeded } from '../demo/questions.ts';
import { createMetrics, type Metrics } from '../../services/kit/metrics.ts';
import type { ScrapedPod } from '../servers/prometheus.ts';

export const NAMESPACE = 'assistants';

/** How a revision behaves: shares are of events, times are means in seconds. */
export interface Behaviour {
  readonly errors: number;
  readonly latency: number;
  readonly firstChunk: number;
  readonly tokensPerSecond: number;
  readonly fallbacks: number;
  readonly aborts: number;
  readonly usdPerAnswer: number;
  readonly lostSessions: number;
}

const USUAL: Behaviour = {
  errors: 0.005,
  latency: 0.08,
  firstChunk: 0.3,
  tokensPerSecond: 100,
  fallbacks: 0.02,
  aborts: 0.01,
  usdPerAnswer: 0.002,
  lostSessions: 0.02,
};

/** What is wrong with a bad revision, by the preset that should see it. */
export const FAULTS: Readonly<Record<MetricPreset, Partial<Behaviour>>> = {
  ErrorRate: { errors: 0.05 },
  LatencyP95: { latency: 0.6 },
  TimeToFirstChunkP95: { firstChunk: 2 },
  TokensPerSecond: { tokensPerSecond: 12 },
  FallbackRate: { fallbacks: 0.2 },
  StreamAbortRate: { aborts: 0.1 },
  CostPerAnswer: { usdPerAnswer: 0.006 },
  SessionResumeRate: { lostSessions: 0.2 },
};

export const PRESETS = Object.keys(FAULTS) as MetricPreset[];

/** One rollout. */
export interface Canary {
  readonly name: string;
  /** Null: nothing is wrong with it. */
  readonly fault: MetricPreset | null;
  readonly stableRevision: string;
  readonly revision: string;
}

interface PodTraffic {
  readonly assistant: string;
  readonly revision: string;
  readonly pod: string;
  readonly metrics: Metrics;
  readonly behaviour: Behaviour;
}

export class Canaries {
  readonly all: readonly Canary[];
  readonly #pods: readonly PodTraffic[];
  readonly #random: () => number;
  readonly #server: Server;
  #timer: NodeJS.Timeout | undefined;

  /** @param seed of the traffic: the same figures in every run. */
  constructor({ good, bad, seed }: { readonly good: number; readonly bad: number; readonly seed: number }) {
    this.#random = seeded(seed);
    this.all = [
      ...Array.from({ length: good }, (_, index) => canary(`good-${index}`, null)),
      ...Array.from({ length: bad }, (_, index) =>
        canary(`bad-${index}`, PRESETS[index % PRESETS.length] ?? 'ErrorRate'),
      ),
    ];
    this.#pods = this.all.flatMap(({ name, fault, stableRevision, revision }) => [
      podTraffic(name, stableRevision, USUAL),
      podTraffic(name, revision, { ...USUAL, ...(fault === null ? {} : FAULTS[fault]) }),
    ]);
    const byPath = new Map(this.#pods.map(({ pod, metrics }) => [`/${pod}`, metrics]));
    this.#server = createServer((request, response) => {
      const metrics = byPath.get(request.url ?? '');
      if (metrics === undefined) {
        response.writeHead(404).end();
        return;
      }
      metrics.registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  }

  /** Begins to serve metrics and to make traffic: `perSecond` events of each kind on each pod. @returns what to scrape. */
  async start(perSecond: number): Promise<ScrapedPod[]> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    // By the time that has passed, not by ticks: a busy machine makes fewer ticks, but not less traffic.
    const begun = performance.now();
    let made = 0;
    this.#timer = setInterval(() => {
      for (const due = ((performance.now() - begun) * perSecond) / 1000; made < due; made++)
        for (const pod of this.#pods) this.#event(pod);
    }, 100);
    return this.#pods.map(({ assistant, pod, revision }) => {
      return { namespace: NAMESPACE, name: pod, assistant, component: 'chat', revision, port, path: `/${pod}` };
    });
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** One request, one answer, one resumed session. */
  #event({ metrics, behaviour }: PodTraffic): void {
    const chance = (share: number): boolean => this.#random() < share;
    const around = (mean: number): number => mean * (0.5 + this.#random());
    const status = chance(behaviour.errors) ? 500 : 200;
    const route = '/v1/conversations/:id/messages';
    metrics.httpRequestSeconds.observe({ method: 'POST', route, status }, around(behaviour.latency));
    metrics.httpRequestSeconds.observe({ method: 'GET', route: '/readyz', status: 503 }, 0.001); // no traffic
    const fallback = chance(behaviour.fallbacks);
    const outcome = chance(behaviour.aborts) ? 'aborted' : 'complete';
    metrics.answers.inc({ tier: fallback ? 'rules' : 'model', outcome });
    metrics.modelFirstChunkSeconds.observe({ tier: 'model' }, around(behaviour.firstChunk));
    const tokens = Math.round(around(40));
    metrics.modelTokens.inc({ direction: 'output' }, tokens);
    metrics.modelOperationSeconds.observe({ tier: 'model', outcome: 'ok' }, tokens / behaviour.tokensPerSecond);
    metrics.answerCostUsd.inc({ tier: 'model' }, around(behaviour.usdPerAnswer));
    metrics.sessionResumes.inc({ outcome: chance(behaviour.lostSessions) ? 'not_recovered' : 'recovered' });
  }
}

const canary = (name: string, fault: MetricPreset | null): Canary => ({
  name,
  fault,
  stableRevision: '0001aaaa',
  revision: '0002bbbb',
});

function podTraffic(name: string, revision: string, behaviour: Behaviour): PodTraffic {
  return {
    assistant: name,
    revision,
    pod: `${name}-chat-${revision}-5d9c7b-x2x4z`,
    metrics: createMetrics({ component: 'chat', revision }, false),
    behaviour,
  };
}
