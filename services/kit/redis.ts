// Connections to Redis that never make anybody wait: no offline queue, a time limit on each command, endless
// reconnection with jitter, and the password of the moment at each try.
import { Redis } from 'ioredis';
import { backoffMs } from './backoff.ts';
import type { RedisSettings } from './config.ts';
import type { DependencyState } from './lifecycle.ts';
import type { Logger } from './log.ts';
import type { SecretsStore } from './secrets.ts';

export interface RedisLink {
  readonly client: Redis;
  /** Whether commands can be sent now, and how long the last PING took. */
  state(): DependencyState;
  close(): void;
}

export interface RedisLinkOptions {
  readonly settings: RedisSettings;
  readonly secrets: SecretsStore;
  readonly log: Logger;
  /** Shown by CLIENT LIST, and in logs. */
  readonly name: string;
  /** A connection that only listens: it sends no commands of its own besides SUBSCRIBE. */
  readonly subscriber?: boolean;
  /** Milliseconds between two PINGs. A hung server (no answer, no close) is noticed by them. */
  readonly pingMs?: number;
}

/** Missed PINGs after which a silent connection is given up and made anew. */
const missedPings = 3;

/** Connects in the background; returns at once. Call after `secrets.first()`. */
export function connectRedis(options: RedisLinkOptions): RedisLink {
  const { settings, secrets, log, name } = options;
  const password = () => {
    const given = secrets.current()?.redisPassword;
    return given === undefined || given === '' ? undefined : given;
  };
  const client = new Redis(settings.REDIS_URL, {
    connectionName: name,
    password: password(),
    // A command without a connection fails at once; one whose connection breaks fails too, it is never sent twice
    // behind our back: whoever repeats it knows that it may have happened.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    commandTimeout: settings.REDIS_COMMAND_TIMEOUT_MS,
    connectTimeout: 3_000,
    keepAlive: 10_000,
    // A primary that was made a replica keeps its connections; a new one leads to the primary of the moment.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    retryStrategy: (attempt) => {
      client.options.password = password();
      return backoffMs(attempt, 50, 1_000);
    },
  });

  let trouble: string | undefined;
  let latencyMs: number | undefined;
  client.on('ready', () => {
    if (trouble !== undefined) log.info({ redis: name }, 'Redis is back');
    trouble = undefined;
  });
  client.on('error', (error: Error) => {
    if (/WRONGPASS|NOAUTH/.test(error.message)) secrets.refresh();
    if (trouble !== error.message) log.warn({ redis: name, reason: error.message }, 'no Redis; reconnecting');
    trouble = error.message;
  });

  let missed = 0;
  const ping = async () => {
    if (client.status !== 'ready') return;
    const startedAt = performance.now();
    try {
      await client.ping();
      latencyMs = performance.now() - startedAt;
      missed = 0;
    } catch (error) {
      missed += 1;
      log.debug({ redis: name, err: error, missed }, 'PING without an answer');
      if (missed < missedPings) return;
      missed = 0;
      log.warn({ redis: name }, 'Redis does not answer; the connection is made anew');
      client.disconnect(true);
    }
  };
  const pinger = setInterval(() => void ping(), options.pingMs ?? 1_000);
  pinger.unref();

  return {
    client,
    state: () => ({
      ok: client.status === 'ready' && missed === 0,
      ...(client.status === 'ready' ? {} : { detail: trouble ?? client.status }),
      ...(latencyMs === undefined ? {} : { latencyMs: Math.round(latencyMs * 100) / 100 }),
    }),
    close: () => {
      clearInterval(pinger);
      client.disconnect();
    },
  };
}
