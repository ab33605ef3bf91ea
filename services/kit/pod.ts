// What chat and realtime have in common at start: logs, traces, metrics, secrets, Redis, flags, the answer engine and
// the conversation log, wired once.
import { createAnswerCache } from './answers/cache.ts';
import { createAnswerEngine } from './answers/engine.ts';
import type { AnswerEngine } from './answers/engine.ts';
import { countsAgainstModel, createUpstream } from './answers/upstream.ts';
import type { AnswerSettings, FlagSettings, PodSettings, RedisSettings, SecretsSettings } from './config.ts';
import { checkDurability, createConversationLog } from './conversation/log.ts';
import type { ConversationLog } from './conversation/log.ts';
import { openFlags } from './flags.ts';
import type { Flags } from './flags.ts';
import { createLifecycle } from './lifecycle.ts';
import type { DependencyState, Lifecycle, StopStep } from './lifecycle.ts';
import { createLogger } from './log.ts';
import type { LogIdentity, Logger } from './log.ts';
import { createMetrics } from './metrics.ts';
import type { Metrics } from './metrics.ts';
import { connectRedis } from './redis.ts';
import type { RedisLink } from './redis.ts';
import { createGuard } from './resilience.ts';
import { openSecrets, secretReader } from './secrets.ts';
import type { SecretsStore } from './secrets.ts';
import { startTelemetry } from './telemetry.ts';
import { createTokens } from './tokens.ts';
import type { Tokens } from './tokens.ts';

/** The part of a pod that needs no outside system: also the model service has it. */
export interface PodBase {
  readonly identity: LogIdentity;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  /** Ends what was opened, in this order, after the servers are closed. */
  readonly closing: StopStep[];
}

export function openPodBase(settings: PodSettings, component: string): PodBase {
  const identity: LogIdentity = {
    component: settings.ASSISTANT_COMPONENT ?? component,
    revision: settings.ASSISTANT_REVISION,
    release: settings.ASSISTANT_RELEASE,
  };
  const log = createLogger(settings.LOG_LEVEL, identity);
  const telemetry = startTelemetry(identity, settings.OTEL_EXPORTER_OTLP_ENDPOINT, log);
  return {
    identity,
    log,
    metrics: createMetrics({ component: identity.component, revision: identity.revision }),
    lifecycle: createLifecycle(),
    closing: [{ name: 'traces', run: () => telemetry.close() }],
  };
}

export interface Pod extends PodBase {
  readonly secrets: SecretsStore;
  readonly tokens: Tokens;
  readonly flags: Flags;
  readonly redis: RedisLink;
  readonly conversations: ConversationLog;
  readonly engine: AnswerEngine;
}

export type AssistantSettings = PodSettings & SecretsSettings & RedisSettings & FlagSettings & AnswerSettings;

/**
 * Opens everything behind an already listening base. Waits for the secrets (the pod is unready meanwhile); Redis,
 * Unleash and the model may be away and come later.
 */
export async function openPod(base: PodBase, settings: AssistantSettings): Promise<Pod> {
  const { log, metrics, lifecycle, identity } = base;
  const watch = (name: string, required: boolean, state: () => DependencyState) => {
    lifecycle.depend(name, {
      required,
      state: () => {
        const now = state();
        metrics.dependencyUp.set({ dependency: name }, now.ok ? 1 : 0);
        return now;
      },
    });
  };

  const secrets = openSecrets(secretReader(settings), settings.SECRETS_REFRESH_MS, log);
  watch('secrets', true, () => secrets.state());
  base.closing.unshift({ name: 'secrets', run: () => secrets.close() });
  await secrets.first();

  const redis = connectRedis({ settings, secrets, log, name: `${identity.component}-${identity.revision}` });
  watch('redis', false, () => redis.state());
  redis.client.once('ready', () => void checkDurability(redis.client, log));

  const flags = await openFlags(settings, secrets, `assistant-${identity.component}`, log);
  watch('unleash', false, () => flags.state());

  // A probe of Redis is cheap and its return matters at once, so its breaker half-opens after a second.
  const redisGuard = createGuard({ dependency: 'redis', metrics, halfOpenAfterMs: 1_000 });
  const cache = createAnswerCache(redis.client, redisGuard, settings.ANSWER_CACHE_TTL_MS, log);
  const conversations = createConversationLog(redis.client, redisGuard);

  const upstream =
    settings.MODEL_URL === undefined
      ? undefined
      : createUpstream(settings.MODEL_URL, settings.MODEL_NAME, {
          firstChunkMs: settings.MODEL_FIRST_CHUNK_TIMEOUT_MS,
          chunkMs: settings.MODEL_CHUNK_TIMEOUT_MS,
          totalMs: settings.MODEL_TOTAL_TIMEOUT_MS,
        });
  const modelGuard = createGuard({
    dependency: 'model',
    metrics,
    halfOpenAfterMs: settings.MODEL_BREAKER_OPEN_MS,
    pool: { size: settings.MODEL_CONCURRENCY, queue: settings.MODEL_CONCURRENCY },
    // A caller who left, or a model that says it is full, says nothing against the model.
    counts: countsAgainstModel,
  });
  watch('model', false, () => {
    const state = modelGuard.state();
    return { ok: state !== 'open', detail: upstream === undefined ? 'MODEL_URL is not set' : `breaker ${state}` };
  });
  const engine = createAnswerEngine({
    model: upstream === undefined ? undefined : { upstream, guard: modelGuard },
    cache,
    metrics,
    log,
    maxTokens: settings.MODEL_MAX_TOKENS,
    usdPerMillionTokens: settings.MODEL_USD_PER_MILLION_TOKENS,
  });

  base.closing.unshift(
    { name: 'flags', run: () => flags.close() },
    { name: 'redis', run: () => redis.close() },
    { name: 'model', run: () => upstream?.close() },
  );
  const tokens = createTokens(() => {
    const held = secrets.current();
    return held && { current: held.tokenSigningKey, previous: held.tokenSigningKeyPrevious };
  });
  return { ...base, secrets, tokens, flags, redis, conversations, engine };
}
