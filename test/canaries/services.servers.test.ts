// The presets over the real services: chat and realtime as processes, each new revision with a real fault, scraped by a real Prometheus, judged as the
// operator judges. What made-up traffic cannot show: that the services count what the presets read.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { withDefaults, type MetricPreset, type ResolvedMetric } from '@assistant-platform/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PrometheusClient } from '../../operator/metrics/prometheus-client.ts';
import { PrometheusSource } from '../../operator/metrics/prometheus-source.ts';
import { entryOf, judge, standingOf, type Watch } from '../../operator/rollout/analysis/judge.ts';
import { ask } from '../../services/chat/test-requests.ts';
import { createTokens } from '../../services/kit/tokens.ts';
import { openSocket } from '../../services/realtime/test-sockets.ts';
import { startPrometheus, type PrometheusServer, type ScrapedPod } from '../servers/prometheus.ts';
import { startScriptedModel, type Script, type ScriptedModel } from '../servers/scripted-model.ts';
import { makeTestFiles, startService, type RunningPod, type TestFiles } from '../servers/services.ts';
import { startValkey, type ValkeyServer } from '../servers/valkey.ts';
import { PRESETS } from './canaries.ts';

const NAMESPACE = 'assistants';
const STABLE = '0001aaaa';
const UPDATE = '0002bbbb';
/** Questions and resumed conversations of each revision between two checks. */
const EACH = 80;
/** Few, because what waits for a processor is slow whether good or bad; more where the model makes the answers wait and not the processor. */
const AT_A_TIME = 2;
const SLOW_AT_A_TIME = 8;
const INTERVAL_MS = 15_000;
const CHECKS = 3;
const PRICE = { MODEL_USD_PER_MILLION_TOKENS: '1' };

/** Twelve pieces, five milliseconds each. */
const usual: Script = { tokens: Array.from({ length: 12 }, (_, index) => `word ${index} `), everyMs: 5 };

type Component = 'chat' | 'realtime';

/** A new revision, and what is wrong with it. */
interface Release {
  readonly name: string;
  readonly fault: string;
  /** The metrics that it is judged by. */
  readonly presets: readonly MetricPreset[];
  readonly component?: Component;
  readonly script?: Partial<Script>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly wrongRedis?: boolean;
  readonly noSecrets?: boolean;
  readonly atATime?: number;
}

const [good, ...bad]: [Release, ...Release[]] = [
  { name: 'good', fault: 'nothing', presets: PRESETS.filter((preset) => preset !== 'SessionResumeRate') },
  { name: 'no-secrets', fault: 'its secrets are not there: 503', presets: ['ErrorRate'], noSecrets: true },
  {
    name: 'slow',
    fault: 'the model takes its time',
    presets: ['LatencyP95'],
    script: { everyMs: 150 },
    atATime: SLOW_AT_A_TIME,
  },
  {
    name: 'thinks',
    fault: 'nothing for a second',
    presets: ['TimeToFirstChunkP95'],
    script: { tokens: ['all at once'], everyMs: 1000 },
    atATime: SLOW_AT_A_TIME,
  },
  {
    name: 'stutters',
    fault: 'ten pieces a second',
    presets: ['TokensPerSecond'],
    script: { everyMs: 100 },
    atATime: SLOW_AT_A_TIME,
  },
  { name: 'refused', fault: 'the model refuses', presets: ['FallbackRate'], script: { status: 500 } },
  {
    name: 'breaks-off',
    fault: 'the model breaks off every second answer',
    presets: ['StreamAbortRate'],
    script: { breakAfter: 3, breakEvery: 2 },
  },
  {
    name: 'expensive',
    fault: 'a model of five times the price',
    presets: ['CostPerAnswer'],
    environment: { MODEL_USD_PER_MILLION_TOKENS: '5' },
  },
  {
    name: 'forgets',
    fault: 'another Redis: conversations are not there',
    presets: ['SessionResumeRate'],
    component: 'realtime',
    wrongRedis: true,
  },
];
const resumes: Release = { name: 'resumes', fault: 'nothing', presets: ['SessionResumeRate'], component: 'realtime' };
const releases = [good, resumes, ...bad];

/** A release that runs: its own new revision beside the stable one of all. */
interface Canary extends Release {
  readonly pod: RunningPod;
}

let valkey: ValkeyServer;
let emptyValkey: ValkeyServer;
let files: TestFiles;
let prometheus: PrometheusServer;
let token: string;
const models: ScriptedModel[] = [];
const stable: Partial<Record<Component, RunningPod>> = {};
let canaries: readonly Canary[] = [];

beforeAll(async () => {
  [valkey, emptyValkey, prometheus] = await Promise.all([startValkey(), startValkey(), startPrometheus()]);
  files = await makeTestFiles(valkey.password);
  const keys = { current: files.secrets.tokenSigningKey };
  ({ token } = await createTokens(() => keys).issueGuest('anna'));
  const plain: Release = { name: 'stable', fault: 'nothing', presets: [] };
  [stable.chat, stable.realtime] = await Promise.all([
    start(plain, STABLE),
    start({ ...plain, component: 'realtime' }, STABLE),
  ]);
  canaries = await Promise.all(releases.map(async (release) => ({ ...release, pod: await start(release, UPDATE) })));
  prometheus.setPods(
    canaries.flatMap(({ name, component = 'chat', pod }) => [
      scraped(name, component, stableOf(component)),
      scraped(name, component, pod),
    ]),
  );
  // What is usual is learned from stable's past, under the same load as later.
  await traffic();
  await prometheus.scraped();
}, 180_000);
afterAll(async () => {
  const pods = [...Object.values(stable), ...canaries.map(({ pod }) => pod)];
  await Promise.all(pods.map(({ process }) => process.kill()));
  await Promise.all(models.map((model) => model.close()));
  await Promise.all([prometheus.remove(), valkey.remove(), emptyValkey.remove()]);
  await files.remove();
});

async function start(
  { component = 'chat', script, environment, wrongRedis = false, noSecrets = false }: Release,
  revision: string,
): Promise<RunningPod> {
  const model = await startScriptedModel();
  model.script = { ...usual, ...script };
  models.push(model);
  const given = {
    SECRETS_FILE: noSecrets ? join(files.folder, 'absent.json') : files.secretsFile,
    REDIS_URL: wrongRedis ? emptyValkey.url : valkey.url,
    MODEL_URL: model.url,
    MODEL_CONCURRENCY: '50',
    LOG_LEVEL: 'warn',
    ASSISTANT_REVISION: revision,
    ...PRICE,
    ...environment,
  };
  return await startService(component, files, given, !noSecrets);
}

function stableOf(component: Component): RunningPod {
  const pod = stable[component];
  if (pod === undefined) throw new Error(`${component} was not started`);
  return pod;
}

/** A process as a pod of the assistant; the stable one is a pod of each of them. */
function scraped(assistant: string, component: string, { revision, adminUrl }: RunningPod): ScrapedPod {
  const name = `${assistant}-${component}-${revision}-5d9c7b-x2x4z`;
  return {
    namespace: NAMESPACE,
    name,
    assistant,
    component,
    revision,
    port: Number(new URL(adminUrl).port),
    path: '/metrics',
  };
}

/** Does something a few times at once, EACH times in all. */
async function repeat(what: () => Promise<unknown>, atATime = AT_A_TIME): Promise<void> {
  const rows = Array.from({ length: atATime }, async () => {
    for (let each = 0; each < EACH / atATime; each++) await what();
  });
  await Promise.all(rows);
}

/** New questions, so that none is answered from the cache; the answers are read to their end, whatever they are. */
const questions = (pod: RunningPod, atATime?: number): Promise<void> =>
  repeat(async () => await (await ask(pod.url, token, randomUUID(), { text: randomUUID() })).text(), atATime);

/** Conversations that begin at the stable realtime and are taken up again at this one. */
const conversations = (pod: RunningPod): Promise<void> =>
  repeat(async () => {
    const conversation = randomUUID();
    const first = await openSocket(stableOf('realtime').socketUrl, { token });
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

const traffic = (): Promise<unknown> =>
  Promise.all([
    questions(stableOf('chat')),
    conversations(stableOf('realtime')),
    ...canaries.map(({ component, pod, atATime }) =>
      component === 'realtime' ? conversations(pod) : questions(pod, atATime),
    ),
  ]);

function metricsOf({ presets }: Release): readonly ResolvedMetric[] {
  return withDefaults({
    components: { chat: { image: 'a' } },
    gateway: { parentRef: { name: 'public' } },
    strategy: { type: 'BlueGreen', blueGreen: {} },
    metrics: presets.map((preset) => {
      return { name: preset.toLowerCase(), preset, comparedTo: { stable: { maxRatio: '2.5' } } };
    }),
  }).metrics;
}

/** The verdicts after all checks: why a metric failed, or null. */
async function verdicts(canary: Canary, since: number, check: number, known: Map<string, ReturnType<typeof entryOf>>) {
  const source = new PrometheusSource(new PrometheusClient({ url: prometheus.url }), Date.now);
  return await Promise.all(
    metricsOf(canary).map(async (metric) => {
      const watch: Watch = {
        metric,
        since,
        intervalMs: INTERVAL_MS,
        endsAt: since + CHECKS * INTERVAL_MS,
        errorProbability: 0.01,
      };
      const { name } = metric;
      const order = {
        metric: name,
        since,
        revision: UPDATE,
        stableRevision: STABLE,
        components: [canary.component ?? 'chat'],
        dueAt: since,
        againstPast: false,
      };
      const request = { order, metric, subject: { name: canary.name, namespace: NAMESPACE } };
      const result = await source.measure(request, AbortSignal.timeout(30_000));
      const at = since + check * INTERVAL_MS;
      const entry = judge(watch, known.get(`${canary.name}/${name}`) ?? entryOf(watch, []), {
        metric: name,
        since,
        at,
        result,
      });
      known.set(`${canary.name}/${name}`, entry);
      const standing = standingOf(watch, entry, check === CHECKS);
      return { metric: name, kind: standing.kind, message: entry.message ?? '' };
    }),
  );
}

test('[R-292] [R-295] each fault of a real service is seen by its own metric, and a good release passes all', async () => {
  const since = Date.now();
  const known = new Map<string, ReturnType<typeof entryOf>>();
  const found = new Map<string, Awaited<ReturnType<typeof verdicts>>>();
  for (let check = 1; check <= CHECKS; check++) {
    await traffic();
    await prometheus.scraped();
    for (const canary of canaries) {
      const before = found.get(canary.name) ?? [];
      if (before.some(({ kind }) => kind === 'Failed')) continue;
      found.set(canary.name, await verdicts(canary, since, check, known));
    }
  }
  const told = canaries.map(({ name, fault, presets }) => {
    const seen = found.get(name) ?? [];
    return { name, fault, presets, kinds: seen.map(({ kind }) => kind), messages: seen.map(({ message }) => message) };
  });
  console.log(told.map(({ fault, messages }) => `  ${fault.padEnd(44)} ${messages.join('; ')}`).join('\n'));
  const wrong = told.flatMap(({ name, fault, kinds, messages }) =>
    kinds.flatMap((kind, at) =>
      kind === (fault === 'nothing' ? 'Good' : 'Failed') ? [] : [`${name} is ${kind}: ${messages[at] ?? ''}`],
    ),
  );
  expect(wrong, wrong.join('; ')).toEqual([]);
}, 180_000);

test('[R-296] a Prometheus that hangs, then dies, counts as errors in a row; back again it knows what was scraped before', async () => {
  const [metric] = metricsOf({ ...resumes, presets: ['ErrorRate'] });
  const client = new PrometheusClient({ url: prometheus.url, timeoutMs: 500 });
  const source = new PrometheusSource(client, Date.now);
  const since = Date.now();
  const watch: Watch = { metric: metric!, since, intervalMs: INTERVAL_MS, endsAt: null, errorProbability: 0.01 };
  const order = {
    metric: 'errorrate',
    since,
    revision: UPDATE,
    stableRevision: STABLE,
    components: ['chat'],
    dueAt: since,
    againstPast: false,
  };
  const request = { order, metric: metric!, subject: { name: 'good', namespace: NAMESPACE } };
  let [entry, checks] = [entryOf(watch, []), 0];
  const check = async (): Promise<typeof entry> => {
    const result = await source.measure(request, AbortSignal.timeout(30_000));
    checks += 1;
    entry = judge(watch, entry, { metric: 'errorrate', since, at: since + checks * INTERVAL_MS, result });
    return entry;
  };
  await Promise.all([questions(stableOf('chat')), questions(canaries[0]!.pod)]);
  await prometheus.scraped();
  expect(await check()).toMatchObject({ errors: 0, samples: EACH });

  prometheus.process().freeze();
  expect(await check()).toMatchObject({ verdict: 'SourceError', errors: 1 });
  expect(entry.message).toMatch(/does not answer within 500 ms/);
  await prometheus.down('crash');
  const dead = await check();
  expect(dead).toMatchObject({ verdict: 'SourceError', errors: 2 });
  expect(standingOf(watch, dead, true)).toMatchObject({ kind: 'Waits', reason: 'MetricSourceError' });
  expect(dead.message).toMatch(/does not answer: ECONNREFUSED/);

  await prometheus.up();
  await prometheus.scraped();
  expect(await check()).toMatchObject({ errors: 0, checks: 4, samples: EACH });
  expect(entry.verdict).not.toBe('SourceError');
}, 60_000);
