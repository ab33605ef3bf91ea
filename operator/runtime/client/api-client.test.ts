import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../clock/manual-clock.ts';
import { runtimeMetrics } from '../metrics/metrics.ts';
import { configMaps, deployments, nodes, pods } from '../objects/builtin.ts';
import type { Answer } from '../testing/scripted-server.ts';
import { failure, renewable, withServer } from '../testing/scripted-client.ts';
import { hangUp, json, listPage, refuse, ScriptedServer } from '../testing/scripted-server.ts';
import { ApiClient } from './api-client.ts';
import {
  ApiError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isInvalid,
  isMistyped,
  isNamespaceTerminating,
  isNotFound,
  isRefusal,
} from './errors.ts';

const ref = { namespace: 'ns', name: 'x' };
const stored = { metadata: { ...ref, resourceVersion: '1' } };

describe('ApiClient requests', () => {
  it('speaks the paths, methods, queries and content types of the Kubernetes API', () =>
    withServer(async (server, client) => {
      server.on('other', ...Array.from({ length: 9 }, () => json(200, stored)));
      await client.get(deployments, ref);
      await client.get(nodes, { name: 'n1' });
      await client.create(configMaps, { metadata: ref, data: { a: 'b' } });
      await client.update(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: ref }, { dryRun: true });
      await client.updateStatus(deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: ref });
      await client.apply(deployments, { metadata: ref, spec: { replicas: 2 } });
      await client.applyStatus(
        deployments,
        { metadata: ref, status: { replicas: 2 } },
        { force: false, fieldManager: 'other' },
      );
      await client.patch(configMaps, ref, { data: { a: null } });
      await client.delete(configMaps, ref, { preconditions: { uid: 'u' }, propagationPolicy: 'Foreground' });
      const seen = server.requests.map(({ method, path, query, headers, body }) => [
        `${method} ${path}?${String(query)}`,
        headers['content-type'],
        body && (JSON.parse(body) as unknown),
      ]);
      expect(seen).toEqual([
        ['GET /apis/apps/v1/namespaces/ns/deployments/x?', undefined, ''],
        ['GET /api/v1/nodes/n1?', undefined, ''],
        [
          'POST /api/v1/namespaces/ns/configmaps?fieldManager=tester',
          'application/json',
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: ref, data: { a: 'b' } },
        ],
        [
          'PUT /api/v1/namespaces/ns/configmaps/x?fieldManager=tester&dryRun=All',
          'application/json',
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: ref },
        ],
        [
          'PUT /apis/apps/v1/namespaces/ns/deployments/x/status?fieldManager=tester',
          'application/json',
          { apiVersion: 'apps/v1', kind: 'Deployment', metadata: ref },
        ],
        [
          'PATCH /apis/apps/v1/namespaces/ns/deployments/x?fieldManager=tester&force=true',
          'application/apply-patch+yaml',
          { apiVersion: 'apps/v1', kind: 'Deployment', metadata: ref, spec: { replicas: 2 } },
        ],
        [
          'PATCH /apis/apps/v1/namespaces/ns/deployments/x/status?fieldManager=other&force=false',
          'application/apply-patch+yaml',
          { apiVersion: 'apps/v1', kind: 'Deployment', metadata: ref, status: { replicas: 2 } },
        ],
        [
          'PATCH /api/v1/namespaces/ns/configmaps/x?fieldManager=tester',
          'application/merge-patch+json',
          { data: { a: null } },
        ],
        [
          'DELETE /api/v1/namespaces/ns/configmaps/x?',
          'application/json',
          { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'u' }, propagationPolicy: 'Foreground' },
        ],
      ]);
      expect(server.requests[0]?.headers['user-agent']).toBe('tester');
    }));

  it('lists by pages and gives items their type', () =>
    withServer(async (server, client) => {
      server.on(
        'list',
        listPage([{ metadata: { name: 'a' } }], '7', 'next'),
        listPage([{ metadata: { name: 'b' } }], '7'),
      );
      const list = await client.list(pods, { namespace: 'ns', labelSelector: 'a=b', limit: 1, resourceVersion: '0' });
      expect(list.resourceVersion).toBe('7');
      expect(list.items.map(({ kind, apiVersion, metadata }) => [apiVersion, kind, metadata.name])).toEqual([
        ['v1', 'Pod', 'a'],
        ['v1', 'Pod', 'b'],
      ]);
      expect(server.requests.map(({ query }) => String(query))).toEqual([
        'labelSelector=a%3Db&limit=1&resourceVersion=0',
        'labelSelector=a%3Db&limit=1&continue=next',
      ]);
    }));

  it('tells a removal from a deletion that waits', () =>
    withServer(async (server, client) => {
      server.on(
        'other',
        json(200, { kind: 'Status', status: 'Success', details: { uid: 'u1' } }),
        json(200, { kind: 'Pod', metadata: { ...stored.metadata, uid: 'u2' } }),
        json(200, { kind: 'Pod', metadata: { ...stored.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      );
      expect(await client.delete(pods, ref)).toEqual({ state: 'Gone', uid: 'u1' });
      // Some types are answered as they were last.
      expect(await client.delete(pods, ref)).toEqual({ state: 'Gone', uid: 'u2' });
      expect(await client.delete(pods, ref)).toMatchObject({
        state: 'Terminating',
        object: { metadata: { name: 'x' } },
      });
    }));

  it('refuses a missing or superfluous namespace before it asks', async () => {
    const client = new ApiClient({
      connection: { endpoint: () => Promise.reject(new Error('must not be asked')) },
      fieldManager: 't',
    });
    await expect(async () => client.get(pods, { name: 'x' })).rejects.toThrow('Pod x needs a namespace');
    await expect(async () => client.get(nodes, { name: 'x', namespace: 'ns' })).rejects.toThrow(
      'Node is cluster-scoped',
    );
    await expect(async () => client.create(pods, { metadata: { name: 'x' } })).rejects.toThrow(
      'metadata.namespace is missing',
    );
  });

  it('escapes names in paths', () =>
    withServer(async (server, client) => {
      server.on('other', json(200, stored));
      await client.get(pods, { namespace: 'ns', name: '../nodes' });
      expect(server.requests[0]?.path).toBe('/api/v1/namespaces/ns/pods/..%2Fnodes');
    }));
});

describe('ApiClient refusals', () => {
  it.each<[number, string, (error: unknown) => boolean]>([
    [404, 'NotFound', isNotFound],
    [409, 'AlreadyExists', isAlreadyExists],
    [409, 'Conflict', isConflict],
    [410, 'Expired', isGone],
    [422, 'Invalid', isInvalid],
    [403, 'Forbidden', isForbidden],
  ])('%i %s', (code, reason, is) =>
    withServer(async (server, client) => {
      server.on('other', refuse(code, reason));
      const error = await failure(client.get(pods, ref));
      expect(error).toBeInstanceOf(ApiError);
      expect(is(error)).toBe(true);
      expect(String(error)).toBe(`ApiError: GET /api/v1/namespaces/ns/pods/x: ${code} ${reason}: ${reason} by script`);
      expect([isAlreadyExists(error), isConflict(error)]).toEqual([reason === 'AlreadyExists', reason === 'Conflict']);
    }),
  );

  it('a body that does not fit its type is refused for good, though the API server calls it 500', () =>
    withServer(async (server, client) => {
      const message =
        'failed to create typed patch object (ns/x; apps/v1, Kind=Deployment): .spec.x: field not declared in schema';
      server.on(
        'other',
        json(500, { kind: 'Status', code: 500, message }),
        json(500, { kind: 'Status', code: 500, message: 'etcd' }),
      );
      const mistyped = await failure(client.get(pods, ref));
      const broken = await failure(client.get(pods, ref));
      expect([isRefusal(mistyped), isMistyped(mistyped)]).toEqual([true, true]);
      expect([isRefusal(broken), isMistyped(broken)]).toEqual([false, false]);
    }));

  it('keeps the causes with their fields', () =>
    withServer(async (server, client) => {
      const causes = [{ reason: 'NamespaceTerminating', message: 'going', field: 'metadata.namespace' }];
      server.on('other', json(403, { kind: 'Status', code: 403, reason: 'Forbidden', details: { causes } }));
      const error = await failure(client.create(configMaps, { metadata: ref }));
      expect((error as ApiError).causes).toEqual(causes);
      expect(isNamespaceTerminating(error)).toBe(true);
    }));

  it('find gives undefined for what is not there, and only for that', () =>
    withServer(async (server, client) => {
      server.on('other', refuse(404, 'NotFound'), refuse(403, 'Forbidden'));
      expect(await client.find(pods, ref)).toBeUndefined();
      expect(isForbidden(await failure(client.find(pods, ref)))).toBe(true);
    }));

  it("shows the beginning of a proxy's page that is no Status", () =>
    withServer(async (server, client) => {
      server.on('other', (_request, response) => void response.writeHead(502).end('<html>bad gateway'));
      const error = await failure(client.get(pods, ref));
      expect(error).toMatchObject({ code: 502, reason: 'Unknown' });
      expect(String(error)).toContain('<html>bad gateway');
    }));

  it('an answer that is no JSON is malformed', () =>
    withServer(async (server, client) => {
      server.on('other', (_request, response) => void response.writeHead(200).end('hello'));
      expect(await failure(client.get(pods, ref))).toMatchObject({ name: 'TransportError', failure: 'Malformed' });
    }));
});

describe('ApiClient retries', () => {
  it('waits as long as a 429 says, then sends again, writes as well', () =>
    withServer(async (server, client) => {
      const times: number[] = [];
      const timed =
        (answer: Answer): Answer =>
        (request, response) => {
          times.push(performance.now());
          answer(request, response);
        };
      server.on('other', timed(refuse(429, 'TooManyRequests', { 'retry-after': '0.05' })), timed(json(201, stored)));
      await client.create(configMaps, { metadata: ref });
      expect(times).toHaveLength(2);
      expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(45);
    }));

  it('a 503 is repeated only when the server says when', () =>
    withServer(async (server, client) => {
      server.on(
        'other',
        refuse(503, 'ServiceUnavailable', { 'retry-after': '0' }),
        json(200, stored),
        refuse(503, 'ServiceUnavailable'),
      );
      await client.get(pods, ref);
      expect(await failure(client.get(pods, ref))).toMatchObject({ code: 503 });
      expect(server.requests).toHaveLength(3);
    }));

  it('gives up after the retries it may', () =>
    withServer(
      async (server, client) => {
        server.on('other', ...Array.from({ length: 3 }, () => refuse(429, 'TooManyRequests', { 'retry-after': '0' })));
        expect(await failure(client.get(pods, ref))).toMatchObject({ code: 429 });
        expect(server.requests).toHaveLength(3);
      },
      { maxRetries: 2 },
    ));

  it('a read over a dead kept-alive connection is sent again; a write is not, as it may have happened', () =>
    withServer(async (server, client) => {
      server.on('other', hangUp, json(200, stored), hangUp);
      await client.get(pods, ref);
      expect(await failure(client.create(configMaps, { metadata: ref }))).toMatchObject({
        name: 'TransportError',
        failure: 'Connection',
      });
      expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'POST']);
    }));

  it('reads its credentials anew, once, after a 401', async () => {
    await using server = await ScriptedServer.start();
    const { connection, asked } = await renewable(server);
    const client = new ApiClient({ connection, fieldManager: 't' });
    server.on(
      'other',
      refuse(401, 'Unauthorized'),
      json(200, stored),
      refuse(401, 'Unauthorized'),
      refuse(401, 'Unauthorized'),
    );
    await client.get(pods, ref);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
    expect(await failure(client.get(pods, ref))).toMatchObject({ code: 401 });
    expect(asked).toEqual([false, true, false, true]);
    client.close();
  });

  it('names credentials that cannot be had', async () => {
    const client = new ApiClient({
      connection: { endpoint: () => Promise.reject(new Error('no token file')) },
      fieldManager: 't',
    });
    expect(await failure(client.get(pods, ref))).toMatchObject({
      failure: 'Credentials',
      message: expect.stringContaining('no token file') as string,
    });
  });
});

describe('ApiClient limits', () => {
  it('ends a request that takes too long, in its head or in its body', () =>
    withServer(
      async (server, client) => {
        server.on(
          'other',
          () => undefined,
          (_request, response) => void response.writeHead(200).write('{"metadata":'),
        );
        for (let round = 0; round < 2; round++) {
          expect(await failure(client.get(pods, ref))).toMatchObject({
            failure: 'Timeout',
            message: expect.stringContaining('no answer within 60 ms') as string,
          });
        }
      },
      { timeoutMs: 60 },
    ));

  it('ends a request whose credentials do not come, as of a plug-in that hangs', async () => {
    const clock = new ManualClock();
    const connection = { endpoint: () => new Promise<never>(() => undefined) };
    const client = new ApiClient({ connection, fieldManager: 't', clock });
    const stop = new AbortController();
    const outcomes: unknown[] = [];
    for (const options of [{ signal: stop.signal }, {}])
      void failure(client.get(pods, ref, options)).then((error) => outcomes.push(error));
    stop.abort();
    await clock.advance(30_000);
    expect(outcomes).toMatchObject([{ failure: 'Aborted' }, { failure: 'Timeout' }]);
  });

  it("tells the caller's abort from a broken connection", () =>
    withServer(async (server, client) => {
      const stop = new AbortController();
      server.on('other', () => stop.abort());
      expect(await failure(client.get(pods, ref, { signal: stop.signal }))).toMatchObject({ failure: 'Aborted' });
      expect(await failure(client.get(pods, ref, { signal: stop.signal }))).toMatchObject({ failure: 'Aborted' });
      expect(server.requests).toHaveLength(1);
    }));

  it('keeps to its rate', () =>
    withServer(
      async (server, client) => {
        server.on('other', ...Array.from({ length: 4 }, () => json(200, stored)));
        const startedAt = performance.now();
        await Promise.all(Array.from({ length: 4 }, () => client.get(pods, ref)));
        expect(performance.now() - startedAt).toBeGreaterThanOrEqual(95);
      },
      { rateLimit: { rate: 20, burst: 2 } },
    ));

  it('counts requests and retries by code', async () => {
    const registry = new Registry();
    await withServer(
      async (server, client) => {
        server.on('other', refuse(429, 'TooManyRequests', { 'retry-after': '0' }), json(200, stored));
        await client.get(pods, ref);
        const host = server.requests[0]?.headers.host ?? '';
        const text = await registry.metrics();
        expect(text).toContain(`rest_client_requests_total{code="429",method="GET",host="${host}"} 1`);
        expect(text).toContain(`rest_client_requests_total{code="200",method="GET",host="${host}"} 1`);
        expect(text).toContain(`rest_client_request_retries_total{code="429",verb="GET",host="${host}"} 1`);
        expect(text).toContain(`rest_client_request_duration_seconds_count{verb="GET",host="${host}"} 2`);
      },
      { metrics: runtimeMetrics(registry).client },
    );
  });
});
