// Plain GETs at the API server, for what the typed client does not offer: the pod proxy, any kind of object as JSON, logs as text.
import { get as getByHttp } from 'node:http';
import { get as getByHttps, type RequestOptions } from 'node:https';
import type { Session } from './session.ts';

/** What came back, whatever its code. */
export interface RawAnswer {
  readonly code: number;
  readonly body: string;
}

/** More than this of a body is not read, in bytes. */
const LONGEST = 32 * 1024 * 1024;

/**
 * GETs a path of the API server with the credentials of the session.
 * @param path with query, such as /api/v1/namespaces/a/pods/b:9090/proxy/sessions.
 * @throws Error of the connection: refused, timed out, cut off.
 */
export async function rawGet(
  session: Session,
  path: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<RawAnswer> {
  const options: RequestOptions = {};
  await session.config.applyToHTTPSOptions(options);
  const limit = AbortSignal.timeout(timeoutMs);
  const url = new URL(`${session.server.replace(/[/]$/, '')}${path}`);
  const get = url.protocol === 'http:' ? getByHttp : getByHttps;
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const request = get(
    url,
    { ...options, signal: signal === undefined ? limit : AbortSignal.any([limit, signal]) },
    (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > LONGEST) request.destroy(new Error(`the answer to GET ${path} is longer than ${LONGEST} bytes`));
        else chunks.push(chunk);
      });
      response.on('end', () =>
        resolve({ code: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
      response.on('error', reject);
    },
  );
  request.on('error', (error) =>
    reject(limit.aborted ? new Error(`no answer to GET ${path} within ${timeoutMs} ms`, { cause: error }) : error),
  );
  return promise;
}
