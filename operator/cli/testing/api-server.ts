// An API server for unit tests: one AssistantDeployment and the records of its revisions, read and patched over HTTP, so that whole commands run
// without a cluster. What it is not asked to know it answers with 404, as a cluster without those kinds does.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AssistantDeployment } from '@assistant-platform/api';
import { assistantsPath } from '../assistants.ts';
import { run } from '../program.ts';
import type { RevisionRecord } from '../revisions.ts';
import { NOW } from './scenes.ts';

/** What a command has said. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Both, in the order in which they came: what a person sees. */
  readonly all: string;
}

type Body = Readonly<Record<string, unknown>>;
const isBody = (value: unknown): value is Body => typeof value === 'object' && value !== null && !Array.isArray(value);

/** See the head of the file. */
export class ApiServer implements AsyncDisposable {
  /** The object as it is now. */
  object: AssistantDeployment;
  readonly folder: string;
  /** What it was last given in the place of the object, for good or as a dry run. */
  replacement: unknown = null;
  /** What it says to every write instead of taking it. */
  refusal: { readonly code: number; readonly message: string } | null = null;
  readonly #records: readonly RevisionRecord[];
  readonly #server: Server;

  private constructor(folder: string, object: AssistantDeployment, records: readonly RevisionRecord[]) {
    this.folder = folder;
    this.object = object;
    this.#records = records;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** Starts one on loopback, with a folder of its own in which its kubeconfig is. */
  static async start(object: AssistantDeployment, records: readonly RevisionRecord[] = []): Promise<ApiServer> {
    const api = new ApiServer(await mkdtemp(join(tmpdir(), 'api-server-')), object, records);
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    const { port } = api.#server.address() as AddressInfo;
    const config = {
      // The client library speaks plain HTTP only where certificates are not asked for.
      clusters: [{ name: 'here', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'me', user: {} }],
      contexts: [{ name: 'here', context: { cluster: 'here', user: 'me', namespace: object.metadata.namespace } }],
    };
    await writeFile(join(api.folder, 'config'), JSON.stringify({ ...config, 'current-context': 'here' }));
    return api;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.folder, { recursive: true });
  }

  /** Runs a command against it, at the time of the scenes, without colours. */
  async command(...args: readonly string[]): Promise<Said> {
    const said = { out: '', err: '', all: '' };
    const sink = (key: 'out' | 'err') => ({
      write: (text: string) => {
        said[key] += text;
        said.all += text;
      },
    });
    const code = await run(args, {
      stdout: sink('out'),
      stderr: sink('err'),
      readStdin: () => Promise.resolve(''),
      env: { KUBECONFIG: join(this.folder, 'config'), NO_COLOR: '1' },
      now: () => NOW,
      interrupted: new AbortController().signal,
    });
    return { code, ...said };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (request.method === 'PATCH' && this.refusal === null)
      this.object = patched(this.object, JSON.parse(Buffer.concat(chunks).toString()));
    if (request.method === 'PUT') this.replacement = JSON.parse(Buffer.concat(chunks).toString());
    const refused = request.method === 'GET' ? null : this.refusal;
    const body = refused === null ? this.#answer(path) : null;
    const failure = refused ?? { code: 404, message: 'not found' };
    response.writeHead(body === null ? failure.code : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { kind: 'Status', status: 'Failure', ...failure }));
  }

  #answer(path: string): unknown {
    const { namespace = 'default', name } = this.object.metadata;
    const collection = assistantsPath(namespace);
    switch (path) {
      case `${collection}/${name}`:
        return this.object;
      case collection:
      case collection.replace(`/namespaces/${namespace}`, ''):
        return { items: [this.object] };
      case `/api/v1/namespaces/${namespace}/pods`:
        return { items: [] };
      case `/apis/apps/v1/namespaces/${namespace}/controllerrevisions`:
        return { items: this.#records.map(({ sequence, ...data }) => ({ revision: sequence, data })) };
      default:
        return null;
    }
  }
}

/** The patch that the commands send: `test`, which is taken to hold, and `add` of JSON patch (RFC 6902). */
function patched(object: AssistantDeployment, patch: unknown): AssistantDeployment {
  return (patch as { op: string; path: string; value: unknown }[])
    .filter(({ op }) => op === 'add')
    .reduce<unknown>((now, { path, value }) => {
      const nested = path
        .split('/')
        .slice(1)
        .reduceRight<unknown>((inner, part) => ({ [part.replaceAll('~1', '/')]: inner }), value);
      return merged(now, nested);
    }, object) as AssistantDeployment;
}

function merged(before: unknown, patch: unknown): unknown {
  if (!isBody(before) || !isBody(patch)) return patch;
  return {
    ...before,
    ...Object.fromEntries(Object.entries(patch).map(([key, value]) => [key, merged(before[key], value)])),
  };
}
