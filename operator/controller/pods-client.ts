// The admin port of the pods: GET /sessions, POST /drain (docs/reference/pod-contract.md). Short time-outs; what does not answer is unknown. What runs in a
// pod is not ours: no more than MAX_ANSWER_BYTES of its answer are read, and it cannot send us to another address.
import { inTime, type Logger, silentLogger, textOf } from '@assistant-platform/runtime';
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
  /** Told at level debug why a pod's sessions are unknown. Default: nobody. */
  readonly log?: Logger;
}

/** The longest answer that is read, bytes after decompression; by the contract it is well under 1 KiB. */
const MAX_ANSWER_BYTES = 64 * 1024;

const sessionsAnswer = z.object({
  open: z.number().int().nonnegative(),
  busy: z.number().int().nonnegative().default(0),
  draining: z.boolean().default(false),
});

export class PodsClient {
  readonly #address: string;
  readonly #timeoutMs: number;
  readonly #fetch: typeof fetch;
  readonly #log: Logger;

  constructor({
    address = 'http://{ip}:{port}',
    timeoutMs = 1500,
    fetch: fetchWith = fetch,
    log = silentLogger,
  }: PodsClientOptions = {}) {
    this.#address = address;
    this.#timeoutMs = timeoutMs;
    this.#fetch = fetchWith;
    this.#log = log;
  }

  /** Open sessions of a pod. Never throws: an answer that cannot be had or read is `unknown`, a port that is not there `unsupported`. */
  async sessions(pod: PodAddress, signal: AbortSignal): Promise<Sessions> {
    try {
      return await inTime(this.#timeoutMs, signal, async (within): Promise<Sessions> => {
        const response = await this.#fetch(`${this.#base(pod)}/sessions`, { redirect: 'error', signal: within });
        if (!response.ok) {
          await response.body?.cancel();
          if (response.status === 404) return { kind: 'unsupported' };
          throw new Error(`GET /sessions was answered ${response.status}`);
        }
        const { open, busy, draining } = sessionsAnswer.parse(
          JSON.parse(await textOf(response.body, MAX_ANSWER_BYTES)),
        );
        return { kind: 'known', open, busy, draining };
      });
    } catch (error) {
      if (isRefused(error)) return { kind: 'unsupported' };
      const { namespace, name } = pod;
      this.#log.debug({ err: error, namespace, pod: name }, `the sessions of pod ${namespace}/${name} are unknown`);
      return { kind: 'unknown' };
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
    await inTime(this.#timeoutMs, signal, async (within) => {
      const response = await this.#fetch(`${this.#base(pod)}/drain`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(order),
        redirect: 'error',
        signal: within,
      });
      const text = await textOf(response.body, MAX_ANSWER_BYTES);
      if (!response.ok)
        throw new Error(`POST /drain of pod ${pod.namespace}/${pod.name}: ${response.status} ${text.slice(0, 200)}`);
    });
  }

  #base({ ip, port, namespace, name }: PodAddress): string {
    const host = ip.includes(':') ? `[${ip}]` : ip;
    return this.#address
      .replaceAll('{ip}', host)
      .replaceAll('{port}', String(port))
      .replaceAll('{namespace}', namespace)
      .replaceAll('{pod}', name);
  }
}

const isRefused = (error: unknown): boolean =>
  error instanceof Error &&
  error.cause instanceof Error &&
  'code' in error.cause &&
  error.cause.code === 'ECONNREFUSED';
