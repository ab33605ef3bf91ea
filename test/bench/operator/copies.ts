// Many assistants at rest without an installation of each: what the operator and Kubernetes have made of some is written to etcd again, under other
// namespaces and uids. To install ten thousand takes hours on two cores: the API server looks through all IPAddresses for each new Service.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { Specification } from '../../../local/cluster/specification.ts';
import { NAMESPACE_PREFIX } from './assistants.ts';

/** A key of etcd and its value, which is JSON or protobuf. */
export interface Entry {
  readonly key: string;
  /** As Latin-1, so that it is the same bytes again. */
  readonly value: string;
}

/** Puts in one transaction; etcd takes 128, and 1.5 MiB. */
const PUTS_AT_ONCE = 64;
const PAGE = 500;

const NAMESPACES = new RegExp(NAMESPACE_PREFIX, 'g');
/** The key of a namespace, or of an object in it: `/registry/<what>/<namespace>/<name>`. */
const OF_A_NAMESPACE = new RegExp(`^/registry/namespaces/${NAMESPACE_PREFIX}\\d+$|/${NAMESPACE_PREFIX}\\d+/[^/]+$`);
/** Version 4 (RFC 9562), as Kubernetes makes them. */
const UIDS = /([0-9a-f]{8}-[0-9a-f]{4}-)4([0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})/g;

/**
 * The same object in another namespace and with other uids, those of its owners included; undefined: it is in none of the namespaces, or an Event. No
 * text changes its length, for in protobuf the length stands before it.
 * @param number 1 to 5
 */
export function copyOf({ key, value }: Entry, number: number): Entry | undefined {
  if (!OF_A_NAMESPACE.test(key) || key.startsWith('/registry/events/')) return undefined;
  const moved = (text: string): string => text.replace(NAMESPACES, `copy${number}-`);
  return { key: moved(key), value: moved(value).replace(UIDS, `$1${4 + number}$2`) };
}

/** etcd of a cluster of ours, by its JSON gateway (https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/). */
export class Etcd {
  readonly #url: URL;
  readonly #agent: Agent;

  /** @param stateDir of a running cluster. */
  constructor(stateDir: string) {
    const { components } = JSON.parse(readFileSync(join(stateDir, 'cluster.json'), 'utf8')) as Specification;
    const probe = components.find(({ name }) => name === 'etcd')?.ready;
    if (probe?.kind !== 'mutual-tls') throw new Error(`${stateDir} has no etcd`);
    const [ca, cert, key] = [probe.authorityFile, probe.certificateFile, probe.keyFile].map((file) =>
      readFileSync(file),
    );
    this.#url = new URL(probe.url);
    this.#agent = new Agent({ keepAlive: true, ca, cert, key });
  }

  /** Writes everything in the namespaces of the assistants so many times more. @returns how many keys that were. */
  async copyNamespaces(times: number): Promise<number> {
    let written = 0;
    for await (const page of this.#pages()) {
      const copies = page.flatMap((entry) =>
        Array.from({ length: times }, (_, index) => copyOf(entry, index + 1)).filter((copy) => copy !== undefined),
      );
      for (let from = 0; from < copies.length; from += PUTS_AT_ONCE)
        await this.#put(copies.slice(from, from + PUTS_AT_ONCE));
      written += copies.length;
    }
    return written;
  }

  close(): void {
    this.#agent.destroy();
  }

  async *#pages(): AsyncGenerator<Entry[]> {
    let from = '/registry/';
    for (;;) {
      const { kvs = [] } = await this.#call('range', {
        key: encoded(from),
        range_end: encoded('/registry0'),
        limit: PAGE,
      });
      const page = kvs.map(({ key, value = '' }) => ({ key: decoded(key), value: decoded(value) }));
      yield page;
      if (page.length < PAGE) return;
      from = `${page.at(-1)?.key}\0`;
    }
  }

  async #put(entries: readonly Entry[]): Promise<void> {
    const success = entries.map(({ key, value }) => ({ request_put: { key: encoded(key), value: encoded(value) } }));
    await this.#call('txn', { success });
  }

  async #call(method: 'range' | 'txn', body: object): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    request(new URL(`/v3/kv/${method}`, this.#url), { method: 'POST', agent: this.#agent }, (response) => {
      json(response).then((answer) => {
        if (response.statusCode === 200) resolve(answer as Answer);
        else reject(new Error(`etcd answers ${method} with ${response.statusCode}: ${JSON.stringify(answer)}`));
      }, reject);
    })
      .on('error', reject)
      .end(JSON.stringify(body));
    return promise;
  }
}

interface Answer {
  readonly kvs?: readonly { readonly key: string; readonly value?: string }[];
}

const encoded = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const decoded = (text: string): string => Buffer.from(text, 'base64').toString('latin1');
