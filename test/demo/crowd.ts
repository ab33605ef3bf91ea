// People with an open WebSocket each, who say something now and then. Their books, and the logs read back with
// fresh connections at the end, say what was acknowledged, lost or doubled.
import { setTimeout as delay } from 'node:timers/promises';
import { type ClientCounts, connectRealtime, type RealtimeClient } from '../realtime-client/client.ts';
import { guestTokens, type TokenSource } from './http-load.ts';
import { answerTokens, type Question } from './questions.ts';
import type { MessageCounts, SocketCounts } from './report.ts';

/** How the crowd behaves. */
export interface CrowdOptions {
  /** Base URL of the gateway, such as `http://198.18.8.2:30080`. */
  readonly gateway: string;
  readonly people: number;
  /** Mean time between two messages of one person, in milliseconds (exponentially distributed). */
  readonly meanPauseMs: number;
  readonly questions: Iterator<Question, never>;
  readonly random: () => number;
  /** Makes conversation names unique to this run. */
  readonly run: string;
}

/** Close code of a drain: connect again elsewhere (`closeCodes.drain` of the protocol). */
const drained = 4000;
const joinTimeoutMs = 60_000;
const readBackTimeoutMs = 30_000;

interface Person {
  readonly conversation: string;
  readonly client: RealtimeClient;
  /** Client ids of acknowledged messages. */
  readonly acknowledged: Set<string>;
}

/** The crowd, while it is connected. */
export class Crowd {
  readonly #options: CrowdOptions;
  readonly #people: Person[] = [];
  readonly #talking = new AbortController();
  readonly #talks: Promise<void>[] = [];
  readonly #url: string;
  readonly #token: TokenSource;
  #refused = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#url = `${options.gateway.replace(/^http/, 'ws')}/ws`;
    this.#token = guestTokens(options.gateway);
  }

  /** Connects everybody, a few at a time. @throws when somebody cannot join within a minute. */
  async connect(): Promise<void> {
    const { people, run } = this.#options;
    for (let n = 0; n < people; n++) {
      const conversation = `demo-${run}-${n}`;
      const client = this.#client(conversation);
      this.#people.push({ conversation, client, acknowledged: new Set() });
      if (n % 10 === 9)
        await Promise.all(this.#people.slice(-10).map((p) => within(p.client.joined, joinTimeoutMs, 'joining')));
    }
    await Promise.all(this.#people.map((p) => within(p.client.joined, joinTimeoutMs, 'joining')));
  }

  /** Lets everybody talk until {@link quiet}. */
  talk(): void {
    for (const person of this.#people) this.#talks.push(this.#talkOf(person));
  }

  /** Open sockets by the revision that serves them. */
  byRevision(): Record<string, number> {
    const found: Record<string, number> = {};
    for (const { client } of this.#people) {
      const revision = client.revision();
      if (revision !== undefined) found[revision] = (found[revision] ?? 0) + 1;
    }
    return found;
  }

  /** Sums over everybody so far. */
  counts(): { readonly sent: number; readonly acknowledged: number; readonly sockets: SocketCounts } {
    const all = this.#people.map((p) => p.client.counts());
    const sum = (of: (c: ClientCounts) => number) => all.reduce((n, c) => n + of(c), 0);
    const closes = (wanted: (code: number) => boolean) =>
      sum((c) => Object.entries(c.closeCodes).reduce((n, [code, times]) => n + (wanted(Number(code)) ? times : 0), 0));
    return {
      sent: sum((c) => c.sent),
      acknowledged: sum((c) => c.acked),
      sockets: {
        opened: this.#people.length,
        moved: closes((code) => code === drained),
        broken: closes((code) => code !== drained && code !== 1000),
        notRecovered: sum((c) => c.notRecovered),
        awayMs: all.flatMap((c) => c.awayMs),
      },
    };
  }

  /** Ends the talk and waits for the acknowledgements that are still under way. */
  async quiet(): Promise<void> {
    this.#talking.abort();
    await Promise.all(this.#talks);
  }

  /**
   * Closes everybody and reads every conversation back with a fresh connection: a message that was acknowledged and is
   * not there is lost, one that is there twice is doubled.
   */
  async audit(): Promise<MessageCounts> {
    const { sent, acknowledged } = this.counts();
    const own = this.#people.map((p) => p.client.counts());
    await Promise.all(this.#people.map((p) => p.client.close()));
    let lost = 0;
    let duplicated = own.reduce((n, c) => n + c.duplicated, 0);
    const duplicates = own.flatMap((counts, n) =>
      counts.duplicates.map(
        (what) => `${this.#people[n]?.conversation ?? ''}: ${what}; ${JSON.stringify(counts.errors)}`,
      ),
    );
    for (const person of this.#people) {
      const stored = await this.#readBack(person.conversation);
      lost += [...person.acknowledged].filter((id) => !stored.has(id)).length;
      const twice = [...stored].filter(([, times]) => times > 1);
      duplicated += twice.length;
      duplicates.push(...twice.map(([id, times]) => `${person.conversation}: message ${id} read back ${times} times`));
    }
    return { sent: sent - this.#refused, acknowledged, lost, duplicated, duplicates: duplicates.slice(0, 5) };
  }

  async #talkOf({ client, acknowledged }: Person): Promise<void> {
    const { random, meanPauseMs, questions } = this.#options;
    for (;;) {
      const pause = -Math.log(1 - random()) * meanPauseMs;
      const woke = await delay(pause, true, { signal: this.#talking.signal }).catch(() => false);
      if (!woke) return;
      try {
        const ack = await client.send(questions.next().value.text, { maxTokens: answerTokens });
        acknowledged.add(ack.clientId);
      } catch {
        // Refused for good, which the client was told: neither acknowledged nor lost. The books count it.
        this.#refused += 1;
      }
    }
  }

  /** Messages of a conversation by client id, with how often each stands there. */
  async #readBack(conversation: string): Promise<Map<string, number>> {
    const stored = new Map<string, number>();
    const { promise: whole, resolve } = Promise.withResolvers<undefined>();
    let head: number | undefined;
    const client = this.#client(conversation, (frame) => {
      if (frame.type === 'resumed') {
        head = frame.head;
        if (head === 0) resolve(undefined);
      }
      if (frame.type === 'message') stored.set(frame.clientId, (stored.get(frame.clientId) ?? 0) + 1);
      if ('offset' in frame && frame.type !== 'resumed' && head !== undefined && frame.offset >= head)
        resolve(undefined);
    });
    try {
      await within(whole, readBackTimeoutMs, `reading ${conversation} back`);
    } finally {
      await client.close();
    }
    return stored;
  }

  #client(conversation: string, onFrame?: Parameters<typeof connectRealtime>[0]['onFrame']): RealtimeClient {
    const { random } = this.#options;
    const [url, token] = [this.#url, this.#token];
    return connectRealtime({ url, token, conversation, random, ...(onFrame ? { onFrame } : {}) });
  }
}

async function within<T>(work: Promise<T>, milliseconds: number, what: string): Promise<T> {
  const late = new AbortController();
  const limit = delay(milliseconds, undefined, { signal: late.signal }).then(() => {
    throw new Error(`${what} took longer than ${milliseconds / 1000} s`);
  });
  limit.catch(() => undefined);
  try {
    return await Promise.race([work, limit]);
  } finally {
    late.abort();
  }
}
