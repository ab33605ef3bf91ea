// What the API server wrote down (audit.k8s.io/v1): who asked for what, and when. The only count of requests that no client can get wrong.
import { closeSync, openSync, readSync } from 'node:fs';

/** One answered request. */
export interface AuditedRequest {
  readonly user: string;
  readonly verb: string;
  /** `deployments`, `assistantdeployments/status`. */
  readonly resource: string;
  readonly name: string;
  readonly code: number;
  /** Epoch milliseconds, with fractions: when it came, and when it was answered. */
  readonly receivedAt: number;
  readonly answeredAt: number;
}

interface AuditEvent {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
const READS: ReadonlySet<string> = new Set(['get', 'list']);

export const isWrite = ({ verb }: AuditedRequest): boolean => WRITES.has(verb);
export const isRead = ({ verb }: AuditedRequest): boolean => READS.has(verb);

/** Epoch milliseconds of a timestamp with microseconds, which Date.parse would cut. */
export function preciseTime(text: string): number {
  const fraction = /\.(\d+)Z$/.exec(text)?.[1] ?? '0';
  return Date.parse(text.replace(/\.\d+Z$/, 'Z')) + Number(`0.${fraction}`) * 1000;
}

/** Reads one line of the log. */
export function parseAuditLine(line: string): AuditedRequest {
  const event = JSON.parse(line) as AuditEvent;
  const { resource = '', subresource, name = '' } = event.objectRef ?? {};
  return {
    user: event.user.username,
    verb: event.verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    name,
    code: event.responseStatus?.code ?? 0,
    receivedAt: preciseTime(event.requestReceivedTimestamp),
    answeredAt: preciseTime(event.stageTimestamp),
  };
}

/** The log of a control plane that runs: reads on where it stopped. */
export class AuditLog {
  readonly #file: string;
  readonly #requests = new Map<string, AuditedRequest[]>();
  #offset = 0;
  #rest = '';

  constructor(file: string) {
    this.#file = file;
  }

  /** Requests of one user that came within a time, in their order; a watch is in it once it has ended. */
  of(user: string, from: number, to = Infinity): AuditedRequest[] {
    this.#readOn();
    return (this.#requests.get(user) ?? [])
      .filter(({ receivedAt }) => receivedAt >= from && receivedAt <= to)
      .sort((a, b) => a.receivedAt - b.receivedAt);
  }

  #readOn(): void {
    const file = openSync(this.#file, 'r');
    try {
      const buffer = Buffer.alloc(1 << 22);
      for (let size = readSync(file, buffer, 0, buffer.length, this.#offset); size > 0; ) {
        this.#offset += size;
        // Bytes, not characters, may be cut at the end of the buffer: names and users are ASCII.
        const lines = (this.#rest + buffer.toString('latin1', 0, size)).split('\n');
        this.#rest = lines.pop() ?? '';
        for (const line of lines) this.#take(parseAuditLine(line));
        size = readSync(file, buffer, 0, buffer.length, this.#offset);
      }
    } finally {
      closeSync(file);
    }
  }

  #take(request: AuditedRequest): void {
    const known = this.#requests.get(request.user);
    if (known === undefined) this.#requests.set(request.user, [request]);
    else known.push(request);
  }
}

/** Number of requests by verb and resource, the most first: `12 patch deployments`. */
export function byVerbAndResource(requests: readonly AuditedRequest[]): string[] {
  const counts = new Map<string, number>();
  for (const { verb, resource } of requests) {
    const what = `${verb} ${resource}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([what, count]) => `${count} ${what}`);
}
