// Reads one KV version 2 secret from OpenBao/Vault with the identity of the pod's ServiceAccount (Kubernetes auth).
// Client: node-vault. Its kubernetesLogin helper posts to a wrong path, so the login is a plain write.
import { readFile } from 'node:fs/promises';
import NodeVault from 'node-vault';
import { z } from 'zod';
import type { SecretsSettings } from './config.ts';

const loginAnswer = z.object({
  auth: z.object({ client_token: z.string().min(1), lease_duration: z.number(), renewable: z.boolean() }),
});
const kvAnswer = z.object({ data: z.object({ data: z.record(z.string(), z.unknown()) }) });
const statusOf = z.object({ response: z.object({ statusCode: z.number() }) });

/** A request that takes longer has failed. */
const requestTimeoutMs = 5_000;

/** Gives the keys of one secret. */
export interface SecretReader {
  /** @throws Error naming the address, the step (login, renew, read) and what the server said */
  read(): Promise<Record<string, unknown>>;
  /** What is read, for messages. */
  readonly source: string;
}

/** @param now milliseconds since 1970 */
export function createVaultReader(
  settings: SecretsSettings & { VAULT_ADDR: string },
  now: () => number = Date.now,
): SecretReader {
  const source = `${settings.VAULT_ADDR} ${settings.VAULT_SECRET_PATH}`;
  const client = NodeVault({ endpoint: settings.VAULT_ADDR, requestOptions: { timeout: requestTimeoutMs } });
  /** When the token is to be renewed, and when it is gone; both in ms since 1970. */
  let lease: { renewAt: number; endsAt: number; renewable: boolean } | undefined;

  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${name} at ${settings.VAULT_ADDR} failed: ${said}`, { cause });
    }
  };

  const hold = (answer: unknown): string => {
    const { auth } = loginAnswer.parse(answer);
    const life = auth.lease_duration * 1000;
    lease = { renewAt: now() + (life * 2) / 3, endsAt: now() + life, renewable: auth.renewable };
    return auth.client_token;
  };

  const login = () =>
    step(`login as role ${settings.VAULT_ROLE}`, async () => {
      // Read each time: the kubelet replaces the token before it ends.
      const jwt = (await readFile(settings.VAULT_JWT_FILE, 'utf8')).trim();
      client.token = '';
      client.token = hold(
        await client.write(`auth/${settings.VAULT_AUTH_PATH}/login`, { role: settings.VAULT_ROLE, jwt }),
      );
    });

  const ensureToken = async () => {
    if (lease !== undefined && now() < lease.renewAt) return;
    if (lease === undefined || now() >= lease.endsAt || !lease.renewable) {
      await login();
      return;
    }
    try {
      client.token = await step('renewal of the token', async () => hold(await client.tokenRenewSelf()));
    } catch {
      // A lease at its maximum cannot be renewed; a new login can always be tried and reports its own failure.
      await login();
    }
  };

  const readOnce = () =>
    step(`reading ${settings.VAULT_SECRET_PATH}`, async () =>
      kvAnswer.parse(await client.read(settings.VAULT_SECRET_PATH)),
    );

  return {
    source,
    async read() {
      await ensureToken();
      try {
        return (await readOnce()).data.data;
      } catch (error) {
        const refused = statusOf.safeParse(error instanceof Error ? error.cause : undefined);
        if (!refused.success || refused.data.response.statusCode !== 403) throw error;
        // The token was revoked, or OpenBao restarted with nothing: one login, then the answer is final.
        await login();
        return (await readOnce()).data.data;
      }
    },
  };
}
