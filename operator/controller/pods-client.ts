// The admin port of the pods: GET /sessions, POST /drain (docs/reference/pod-contract.md). Short time-outs; what does not answer is unknown.
import { z } from 'zod';
import type { Sessions } from '../rollout/snapshot.ts';

/** Where a pod's admin port is. */
export interface PodAddress {
  readonly namespace: string;
  readonly name: string;
  readonly ip: string;
  readonly port: number;
}

export interface PodsClientOptions {
  /**
   * URL of a pod's admin port with `{ip}`, `{port}`, `{namespace}` and `{pod}`. The default goes to the pod itself; an operator outside
   * of the pod network names a proxy here.
   */
  readonly address?: string;
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}

const sessionsAnswer = z.object({
  open: z.number().int().nonnegative(),
  busy: z.number().int().nonnegative().default(0),
  draining: z.boolean().default(false),
});

export class PodsClient {
  readonly #address: string;
  readonly #timeoutMs: number;
  readonly #fetch: typeof fetch;

  constructor({ address = 'http://{ip}:{port}', timeoutMs = 1500, fetch: fetchWith = fetch }: PodsClientOptions = {}) {
    this.#address = address;
    this.#timeoutMs = timeoutMs;
    this.#fetch = fetchWith;
  }

  /** Open sessions of a pod. Never throws: an answer that cannot be had or read is `unknown`, a port that is not there `unsupported`. */
  async sessions(pod: PodAddress, signal: AbortSignal): Promise<Sessions> {
    try {
      const response = await this.#fetch(`${this.#base(pod)}/sessions`, { signal: this.#limit(signal) });
      if (response.status === 404) {
        await response.body?.cancel();
        return { kind: 'unsupported' };
      }
      if (!response.ok) {
        await response.body?.cancel();
        return { kind: 'unknown' };
      }
      const { open, busy, draining } = sessionsAnswer.parse(await response.json());
      return { kind: 'known', open, busy, draining };
    } catch (error) {
      return { kind: isRefused(error) ? 'unsupported' : 'unknown' };
    }
  }

  /**
   * Tells a pod to drain.
   * @throws Error when it does not take the order; the drain's deadline stands all the same.
   */
  async drain(
    pod: PodAddress,
    order: { deadlineSeconds: number; closePerSecond: number },
    token: string,
    signal: AbortSignal,
  ): Promise<void> {
    const response = await this.#fetch(`${this.#base(pod)}/drain`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(order),
      signal: this.#limit(signal),
    });
    const text = await response.text();
    if (!response.ok)
      throw new Error(`POST /drain of pod ${pod.namespace}/${pod.name}: ${response.status} ${text.slice(0, 200)}`);
  }

  #base({ ip, port, namespace, name }: PodAddress): string {
    const host = ip.includes(':') ? `[${ip}]` : ip;
    return this.#address
      .replaceAll('{ip}', host)
      .replaceAll('{port}', String(port))
      .replaceAll('{namespace}', namespace)
      .replaceAll('{pod}', name);
  }

  #limit(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]);
  }
}

const isRefused = (error: unknown): boolean =>
  error instanceof Error &&
  error.cause instanceof Error &&
  'code' in error.cause &&
  error.cause.code === 'ECONNREFUSED';
