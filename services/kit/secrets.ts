// The secrets of a pod: read at start (with retries), read again so that a rotation needs no restart, and kept in
// memory when their source is gone.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { backoffMs, pause } from './backoff.ts';
import { SettingsError } from './config.ts';
import type { SecretsSettings } from './config.ts';
import type { DependencyState } from './lifecycle.ts';
import type { Logger } from './log.ts';
import { createVaultReader } from './vault.ts';
import type { SecretReader } from './vault.ts';

const signingKey = z
  .base64()
  .refine((text) => Buffer.from(text, 'base64').length >= 32, 'must be at least 32 bytes in base64');

/** Keys of the secret. Further keys are ignored, so that a newer secret serves an older revision. */
export const secretKeys = z.object({
  /** Empty or absent: Redis without a password. */
  redisPassword: z.string().optional(),
  tokenSigningKey: signingKey,
  /** The key before the last rotation: tokens signed with it stay valid until they expire. */
  tokenSigningKeyPrevious: signingKey.optional(),
  /** Backend token of Unleash for one environment. */
  unleashToken: z.string().optional(),
});
export type Secrets = z.output<typeof secretKeys>;

export interface SecretsStore {
  /** The last values read; undefined until the first reading succeeded. */
  current(): Secrets | undefined;
  /** Resolves with the first values. */
  first(): Promise<Secrets>;
  /** Reads now instead of at the next interval, e.g. after a refused password. */
  refresh(): void;
  onChange(listener: (secrets: Secrets) => void): void;
  state(): DependencyState;
  close(): void;
}

/** Reads a JSON file with the same keys: for tests, and for clusters that mount secrets as files. */
export function createFileReader(path: string): SecretReader {
  return {
    source: path,
    read: async () => z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(path, 'utf8'))),
  };
}

/** @throws SettingsError when neither VAULT_ADDR nor SECRETS_FILE is given */
export function secretReader(settings: SecretsSettings): SecretReader {
  if (settings.SECRETS_FILE !== undefined) return createFileReader(settings.SECRETS_FILE);
  const address = settings.VAULT_ADDR;
  if (address === undefined) {
    throw new SettingsError(
      'Secrets have no source: set VAULT_ADDR (OpenBao or Vault), or SECRETS_FILE (JSON, for tests).',
    );
  }
  return createVaultReader({ ...settings, VAULT_ADDR: address });
}

/** Starts reading; runs until close(). */
export function openSecrets(reader: SecretReader, refreshMs: number, log: Logger): SecretsStore {
  let current: Secrets | undefined;
  /** The last reading as text: `current` may know a previous key that the source does not name. */
  let lastRead = '';
  /** A pod that saw the old key accepts it for the tokens still out there, even if the secret does not name it. */
  let replaced: string | undefined;
  let failure: string | undefined = 'not read yet';
  let closing = false;
  let wake = new AbortController();
  const listeners: ((secrets: Secrets) => void)[] = [];
  const { promise: first, resolve: gotFirst } = Promise.withResolvers<Secrets>();

  const readOnce = async (): Promise<boolean> => {
    const startedAt = performance.now();
    try {
      const read = secretKeys.parse(await reader.read());
      if (failure !== undefined) log.info({ source: reader.source }, 'secrets read');
      failure = undefined;
      const text = JSON.stringify(read);
      if (text !== lastRead) {
        lastRead = text;
        const rotated = current !== undefined;
        if (read.tokenSigningKeyPrevious !== undefined) replaced = undefined;
        else if (current !== undefined && current.tokenSigningKey !== read.tokenSigningKey) {
          replaced = current.tokenSigningKey;
        }
        current = replaced === undefined ? read : { ...read, tokenSigningKeyPrevious: replaced };
        if (rotated) log.info({ source: reader.source }, 'secrets changed: the new values are used from now on');
        for (const listener of listeners) listener(current);
        gotFirst(current);
      }
      return true;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const ms = Math.round(performance.now() - startedAt);
      const kept = current === undefined ? 'the pod stays unready until it works' : 'the last values stay in use';
      if (message !== failure) log.warn({ reason: message, ms }, `secrets could not be read; ${kept}; trying again`);
      failure = message;
      return false;
    }
  };

  const run = async () => {
    for (let failed = 0; !closing; ) {
      failed = (await readOnce()) ? 0 : failed + 1;
      await pause(failed === 0 ? refreshMs : backoffMs(failed, 500, Math.min(10_000, refreshMs)), wake.signal);
      wake = new AbortController();
    }
  };
  void run();

  return {
    current: () => current,
    first: () => first,
    refresh: () => wake.abort(),
    onChange: (listener) => void listeners.push(listener),
    // After the first reading the pod works without the source, so this says ok with the trouble as detail.
    state: () => ({ ok: current !== undefined, ...(failure === undefined ? {} : { detail: failure }) }),
    close: () => {
      closing = true;
      wake.abort();
    },
  };
}
