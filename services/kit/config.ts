// Settings from the environment: parsed once at start by zod, and one readable error that lists everything wrong.
import { z } from 'zod';

/** Thrown by {@link readSettings}; the message lists every wrong variable, one a line, with what to write instead. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** A TCP port written in decimal. */
export const port = (fallback: number) => z.coerce.number().int().min(0).max(65535).default(fallback);

/** A duration in milliseconds, written as a whole number. */
export const milliseconds = (fallback: number) => z.coerce.number().int().min(0).max(86_400_000).default(fallback);

/** A whole number between the limits. */
export const count = (fallback: number, min = 1, max = 1_000_000_000) =>
  z.coerce.number().int().min(min).max(max).default(fallback);

/** What every pod of an assistant is told by the operator, and what every process of ours understands. */
export const podSettings = z.object({
  /** Address to listen on; all interfaces in a pod. */
  HOST: z.string().default('0.0.0.0'),
  /** Traffic port. */
  PORT: port(8080),
  /** Admin port: metrics, sessions, drain. Never routed. */
  ADMIN_PORT: port(9090),
  ASSISTANT_NAME: z.string().default('local'),
  ASSISTANT_COMPONENT: z.string().optional(),
  /** Hash of the revision; goes into the header x-assistant-revision and into metrics and logs. */
  ASSISTANT_REVISION: z.string().default('dev'),
  ASSISTANT_RELEASE: z.string().default('dev'),
  /** File with the bearer token of POST /drain and POST /faults; without it both are refused. */
  ASSISTANT_ADMIN_TOKEN_FILE: z.string().optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  /** Where spans are sent (OTLP over HTTP); without it spans exist, carry ids and are dropped. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
  /** After SIGTERM: how long requests are still taken, so that gateways notice that the pod left its Service. */
  SHUTDOWN_DELAY_MS: milliseconds(3_000),
  /** After SIGTERM: the longest that requests under way are waited for, on top of ASSISTANT_DRAIN_SECONDS. */
  SHUTDOWN_TIMEOUT_MS: milliseconds(25_000),
  /**
   * `spec.strategy.drain` of the AssistantDeployment: how long open sessions may take to leave after SIGTERM, and how many a second are asked to.
   * The operator sets terminationGracePeriodSeconds to outlast it.
   */
  ASSISTANT_DRAIN_SECONDS: z.coerce.number().min(0).max(86_400).optional(),
  ASSISTANT_DRAIN_PER_SECOND: z.coerce.number().gt(0).max(100_000).default(50),
});
export type PodSettings = z.output<typeof podSettings>;

/** Where secrets come from: OpenBao/Vault by the pod's ServiceAccount, or a JSON file with the same keys. */
export const secretsSettings = z.object({
  SECRETS_FILE: z.string().optional(),
  VAULT_ADDR: z.url().optional(),
  VAULT_ROLE: z.string().default('assistant'),
  /** Mount path of the Kubernetes auth method. */
  VAULT_AUTH_PATH: z.string().default('kubernetes'),
  /** KV version 2 path, with the `data` segment. */
  VAULT_SECRET_PATH: z.string().default('secret/data/assistant'),
  /** File with the ServiceAccount token that the login presents. */
  VAULT_JWT_FILE: z.string().default('/var/run/secrets/kubernetes.io/serviceaccount/token'),
  /** How often the secret is read again, so that a rotation is seen without a restart. */
  SECRETS_REFRESH_MS: milliseconds(30_000),
});
export type SecretsSettings = z.output<typeof secretsSettings>;

/** How Redis is reached; the password comes from the secrets. */
export const redisSettings = z.object({
  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'must look like redis://host:6379' }),
  /** A command that takes longer fails, so that requests never wait for a slow Redis. */
  REDIS_COMMAND_TIMEOUT_MS: milliseconds(1_000),
});
export type RedisSettings = z.output<typeof redisSettings>;

/** How Unleash is reached; the token comes from the secrets. Without UNLEASH_URL every flag has its default. */
export const flagSettings = z.object({
  UNLEASH_URL: z.url().optional(),
  UNLEASH_ENVIRONMENT: z.string().default('development'),
  UNLEASH_REFRESH_MS: milliseconds(2_000),
  /** Folder of the last known flags, read when Unleash is away at start. */
  UNLEASH_BACKUP_DIR: z.string().default('/tmp'),
});
export type FlagSettings = z.output<typeof flagSettings>;

/** How answers are made. */
export const answerSettings = z.object({
  /** OpenAI-compatible base address ending in /v1; without it every answer comes from the rules. */
  MODEL_URL: z.url().optional(),
  MODEL_NAME: z.string().default('smollm2-135m-instruct'),
  MODEL_MAX_TOKENS: count(64, 1, 4096),
  MODEL_FIRST_CHUNK_TIMEOUT_MS: milliseconds(8_000),
  /** The longest silence between two chunks of one answer. */
  MODEL_CHUNK_TIMEOUT_MS: milliseconds(3_000),
  MODEL_TOTAL_TIMEOUT_MS: milliseconds(20_000),
  /** Model calls at a time from this process; more wait in a queue of the same size, the rest get the next tier. */
  MODEL_CONCURRENCY: count(2, 1, 1000),
  /** how long the breaker of the model stays open after 5 failures in a row. */
  MODEL_BREAKER_OPEN_MS: milliseconds(60_000),
  /** Price of a token of the model in US dollars per million, for the cost metric; the local model costs nothing. */
  MODEL_USD_PER_MILLION_TOKENS: z.coerce.number().min(0).default(0),
  /** one hour unless somebody asks for another. */
  ANSWER_CACHE_TTL_MS: milliseconds(3_600_000),
});
export type AnswerSettings = z.output<typeof answerSettings>;

/**
 * Parses `environment` by `schema`. An empty variable counts as absent, as Kubernetes writes both.
 * @throws SettingsError listing every wrong variable.
 */
export function readSettings<T extends z.ZodType>(
  schema: T,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<T> {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const name = issue.path.join('.') || '(environment)';
    const seen = given[name] === undefined ? 'not set' : `is ${JSON.stringify(given[name])}`;
    return `  ${name} ${seen}: ${issue.message}`;
  });
  throw new SettingsError(`The environment has ${lines.length} problem(s):\n${lines.join('\n')}`);
}
