// Releases of the real services: chat and realtime as processes, each new revision beside a stable one of all, asked real questions, scraped by a real
// Prometheus, and judged as the operator judges.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { MetricPreset, ResolvedMetric } from '@assistant-platform/api';
import { PrometheusClient } from '../../operator/metrics/prometheus-client.ts';
import { PrometheusSource } from '../../operator/metrics/prometheus-source.ts';
import {
  entryOf,
  judge,
  standingOf,
  type AnalysisEntry,
  type Standing,
  type Watch,
} from '../../operator/rollout/analysis/judge.ts';
import { resolvedMetrics } from '../../operator/rollout/analysis/test-metrics.ts';
import { ask } from '../../services/chat/test-requests.ts';
import { createTokens } from '../../services/kit/tokens.ts';
import { openSocket } from '../../services/realtime/test-sockets.ts';
import { inParallel } from '../in-parallel.ts';
import { startPrometheus, type PrometheusServer, type ScrapedPod } from '../servers/prometheus.ts';
import { startScriptedModel, type ScriptedModel } from '../servers/scripted-model.ts';
import { makeTestFiles, startService, type RunningPod, type TestFiles } from '../servers/services.ts';
import { startValkey, type ValkeyServer } from '../servers/valkey.ts';
import { PRESETS } from './made-up.ts';
import { good, USUAL, USUAL_PRICE, type Component, type Release } from './releases.ts';

export const NAMESPACE = 'assistants';
export const STABLE = '0001aaaa';
export const UPDATE = '0002bbbb';
/** Questions and resumed conversations of each revision between two checks. */
export const EACH = 80;
/** Of a process that has just started: its first ones are slow, good or bad. */
const FIRST = 16;
/** Few, because what waits for a processor is slow whether good or bad. */
const AT_A_TIME = 2;
export const INTERVAL_MS = 15_000;

/** A release that runs: its own new revision beside the stable one of all. */
export interface Canary extends Release {
  readonly pod: RunningPod;
  readonly model: ScriptedModel;
}

/** What a metric says of a canary at a check. */
export interface Verdict {
  /** Its name: that of the preset in small letters. */
  readonly metric: string;
  readonly kind: Standing['kind'];
  readonly message: string;
}

/** A canary after its last check. */
export interface Outcome {
  readonly release: Release;
  /** The check after which the operator would have called it back, counted from 1; null: it passed all. */
  readonly calledBackAt: number | null;
  /** Of that check. */
  readonly verdicts: readonly Verdict[];
}

/** The metrics that an assistant is judged by that takes every preset its component can be judged by. */
export const presetsOf = ({ component }: Release): readonly MetricPreset[] =>
  PRESETS.filter((preset) => (preset === 'SessionResumeRate') === (component === 'realtime'));

export const metricsOf = (presets: readonly MetricPreset[], maxRatio: string): readonly ResolvedMetric[] =>
  resolvedMetrics(
    presets.map((preset) => ({ name: preset.toLowerCase(), preset, comparedTo: { stable: { maxRatio } } })),
  );

export class RealServices {
  readonly prometheus: PrometheusServer;
  readonly #valkey: ValkeyServer;
  readonly #emptyValkey: ValkeyServer;
  readonly #files: TestFiles;
  readonly #token: string;
  readonly #stable = new Map<Component, Canary>();
  #canaries: readonly Canary[] = [];

  private constructor(
    prometheus: PrometheusServer,
    [valkey, emptyValkey]: readonly [ValkeyServer, ValkeyServer],
    files: TestFiles,
    token: string,
  ) {
    this.prometheus = prometheus;
    this.#valkey = valkey;
    this.#emptyValkey = emptyValkey;
    this.#files = files;
    this.#token = token;
  }

  /** Starts the servers and the stable revision of both components. */
  static async start(): Promise<RealServices> {
    const [valkey, emptyValkey, prometheus] = await Promise.all([startValkey(), startValkey(), startPrometheus()]);
    const files = await makeTestFiles(valkey.password);
    const keys = { current: files.secrets.tokenSigningKey };
    const { token } = await createTokens(() => keys).issueGuest('anna');
    const services = new RealServices(prometheus, [valkey, emptyValkey], files, token);
    const components: readonly Component[] = ['chat', 'realtime'];
    for (const component of components)
      services.#stable.set(component, await services.#run(good('stable', component), STABLE));
    await services.#ask([...services.#stable.values()], FIRST);
    return services;
  }

  async stop(): Promise<void> {
    await this.#end([...this.#stable.values(), ...this.#canaries]);
    await Promise.all([this.prometheus.remove(), this.#valkey.remove(), this.#emptyValkey.remove()]);
    await this.#files.remove();
  }

  /** Replaces the canaries that run by these, and lets stable's past be learned under the same load as they will have. */
  async run(releases: readonly Release[]): Promise<readonly Canary[]> {
    await this.#end(this.#canaries);
    this.#canaries = [];
    this.#canaries = await Promise.all(releases.map((release) => this.#run(release, UPDATE)));
    this.prometheus.setPods(
      this.#canaries.flatMap((canary) => [
        scraped(canary, this.stable(canary.component).pod),
        scraped(canary, canary.pod),
      ]),
    );
    await this.#ask(this.#canaries, FIRST);
    await this.traffic();
    return this.#canaries;
  }

  /**
   * Judges the canaries that run after so many rounds of traffic. One that would have been called back is not looked at again.
   * @param presets of a release, e.g. `presetsOf`.
   */
  async judge(
    checks: number,
    presets: (release: Release) => readonly MetricPreset[],
    maxRatio: string,
  ): Promise<readonly Outcome[]> {
    const since = Date.now();
    const source = new PrometheusSource(new PrometheusClient({ url: this.prometheus.url }), Date.now);
    const judged = this.#canaries.map((canary) => {
      const metrics = metricsOf(presets(canary), maxRatio);
      return { canary, metrics, known: new Map<string, AnalysisEntry>(), outcome: undefined as Outcome | undefined };
    });
    for (let check = 1; check <= checks; check++) {
      await this.traffic();
      for (const each of judged) {
        const { canary, metrics, known } = each;
        if (typeof each.outcome?.calledBackAt === 'number') continue;
        const look = { source, canary, since, check, checks };
        const verdicts = await Promise.all(metrics.map((metric) => verdictOf(look, metric, known)));
        const failed = verdicts.some(({ kind }) => kind === 'Failed');
        each.outcome = { release: canary, calledBackAt: failed ? check : null, verdicts };
      }
    }
    return judged.flatMap(({ outcome }) => outcome ?? []);
  }

  stable(component: Component): Canary {
    const stable = this.#stable.get(component);
    if (stable === undefined) throw new Error(`${component} was not started`);
    return stable;
  }

  /** As many questions and conversations to stable and to each canary, and their figures scraped. */
  async traffic(): Promise<void> {
    await this.#ask([...this.#stable.values(), ...this.#canaries], EACH);
    await this.prometheus.scraped();
  }

  /** EACH questions to one process. */
  async questions({ pod, atATime }: Canary, count = EACH): Promise<void> {
    const token = this.#token;
    // New ones, so that none is answered from the cache; the answers are read to their end, whatever they are.
    await repeat(count, atATime, async () => {
      await (await ask(pod.url, token, randomUUID(), { text: randomUUID() })).text();
    });
  }

  async #ask(canaries: readonly Canary[], count: number): Promise<void> {
    await Promise.all(
      canaries.map((canary) =>
        canary.component === 'realtime' ? this.#conversations(canary, count) : this.questions(canary, count),
      ),
    );
  }

  /** Conversations that begin at the stable realtime and are taken up again at this one. */
  async #conversations({ pod, atATime }: Canary, count: number): Promise<void> {
    const token = this.#token;
    await repeat(count, atATime, async () => {
      const conversation = randomUUID();
      const first = await openSocket(this.stable('realtime').pod.socketUrl, { token });
      first.say({ type: 'resume', conversation, offset: 0 });
      await first.next('resumed');
      first.say({ type: 'send', conversation, clientId: 'a', text: randomUUID() });
      const { epoch, offset } = await first.next('ack');
      first.socket.close();
      const second = await openSocket(pod.socketUrl, { token });
      second.say({ type: 'resume', conversation, epoch, offset });
      await second.next('resumed');
      second.socket.close();
    });
  }

  async #run(release: Release, revision: string): Promise<Canary> {
    const { component, script, environment, wrongRedis = false, noSecrets = false } = release;
    const model = await startScriptedModel();
    model.script = { ...USUAL, ...script };
    const given = {
      SECRETS_FILE: noSecrets ? join(this.#files.folder, 'absent.json') : this.#files.secretsFile,
      REDIS_URL: wrongRedis ? this.#emptyValkey.url : this.#valkey.url,
      MODEL_URL: model.url,
      MODEL_CONCURRENCY: '50',
      MODEL_USD_PER_MILLION_TOKENS: String(USUAL_PRICE),
      LOG_LEVEL: 'warn',
      ASSISTANT_REVISION: revision,
      ...environment,
    };
    return { ...release, model, pod: await startService(component, this.#files, given, !noSecrets) };
  }

  async #end(canaries: readonly Canary[]): Promise<void> {
    await Promise.all(canaries.map(({ pod }) => pod.process.kill()));
    await Promise.all(canaries.map(({ model }) => model.close()));
  }
}

/** A process as a pod of the assistant; the stable one is a pod of each of them. */
function scraped({ name: assistant, component }: Release, { revision, adminUrl }: RunningPod): ScrapedPod {
  const name = `${assistant}-${component}-${revision}-5d9c7b-x2x4z`;
  const port = Number(new URL(adminUrl).port);
  return { namespace: NAMESPACE, name, assistant, component, revision, port, path: '/metrics' };
}

/** Does something `count` times, a few at a time. */
const repeat = (count: number, atATime = AT_A_TIME, what: () => Promise<void>): Promise<void> =>
  inParallel([...Array(count).keys()], atATime, what);

interface Look {
  readonly source: PrometheusSource;
  readonly canary: Canary;
  readonly since: number;
  /** Counted from 1. */
  readonly check: number;
  readonly checks: number;
}

/** What a metric says at a check; what it has to remember is kept in `known`. */
async function verdictOf(
  { source, canary, since, check, checks }: Look,
  metric: ResolvedMetric,
  known: Map<string, AnalysisEntry>,
): Promise<Verdict> {
  const { name } = metric;
  const endsAt = since + checks * INTERVAL_MS;
  const watch: Watch = { metric, since, intervalMs: INTERVAL_MS, endsAt, errorProbability: 0.01 };
  const subject = { name: canary.name, namespace: NAMESPACE };
  const result = await source.measure(
    { order: orderOf(name, canary.component, since), metric, subject },
    AbortSignal.timeout(30_000),
  );
  const at = since + check * INTERVAL_MS;
  const entry = judge(watch, known.get(name) ?? entryOf(watch, []), { metric: name, since, at, result });
  known.set(name, entry);
  const { kind } = standingOf(watch, entry, check === checks);
  return { metric: name, kind, message: entry.message ?? '' };
}

/** A measurement of the new revision of a component beside its stable one. */
export const orderOf = (metric: string, component: Component, since: number) => ({
  ...{ metric, since, revision: UPDATE, stableRevision: STABLE },
  ...{ components: [component], dueAt: since, againstPast: false },
});
