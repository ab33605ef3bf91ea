// What our routes do at the real gateway: Traefik, on a real API server. The rules as such are in operator/traffic/httpRoute.test.ts.
import { Agent, request } from 'node:http';
import { bucketName, bucketOf } from '@assistant-platform/kit/bucket';
import { ApiClient, connectionFromEnvironment, namespaces } from '@assistant-platform/runtime';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { WebSocket } from 'ws';
import { Backends, startTraefik, type Traefik } from './traefik.ts';
import { eventually } from '../servers/child-process.ts';
import type { RouteIntent } from '../../operator/rollout/snapshot.ts';
import { httpRoutes, toHttpRoute } from '../../operator/traffic/httpRoute.ts';

const WEIGHTS = [0, 1, 10, 33, 50, 90, 100];
const PATHS = { chat: '/', realtime: '/ws' };
type Headers = Readonly<Record<string, string>>;
type Component = keyof typeof PATHS;
const namespace = `gateway-${process.pid}`;
const [stable, update] = ['aaaa1111', 'bbbb2222'];

let api: ApiClient;
let backends: Backends;
let traefik: Traefik;
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

beforeAll(async () => {
  const kubeconfig = inject('kubeconfig');
  api = new ApiClient({ connection: await connectionFromEnvironment({ kubeconfig }), fieldManager: 'test' });
  await api.create(namespaces, { metadata: { name: namespace } });
  backends = new Backends();
  for (const component of Object.keys(PATHS))
    for (const hash of [stable, update]) await backends.add(api, namespace, `support-${component}-${hash}`);
  traefik = await startTraefik(api, { kubeconfig, namespace });
});

afterAll(async () => {
  agent.destroy();
  await traefik.stop();
  await backends.stop();
  await api.delete(namespaces, { name: namespace });
  api.close();
});

const intent = (component: Component, weight: number): RouteIntent => ({
  component,
  path: PATHS[component],
  parentRef: { name: 'public' },
  hostnames: [],
  backends: [
    { revision: stable, weight: 100 - weight, port: 8080 },
    { revision: update, weight, port: 8080 },
  ],
  byHeader: [stable, update].map((revision) => ({ revision, port: 8080 })),
  stickiness: { by: 'Bucket', update, stable },
});

/** Writes the routes of both components and returns when the gateway does what they say. */
async function setWeight(weight: number): Promise<void> {
  const reference = { apiVersion: 'v1', kind: 'Namespace', name: namespace, uid: 'none' };
  for (const component of Object.keys(PATHS) as Component[]) {
    const { ownerReferences: _nobody, ...metadata } = toHttpRoute(
      { name: 'support', namespace, reference },
      intent(component, weight),
      null,
    ).metadata;
    const { spec } = toHttpRoute({ name: 'support', namespace, reference }, intent(component, weight), null);
    await api.apply(httpRoutes, { apiVersion: httpRoutes.apiVersion, kind: httpRoutes.kind, metadata, spec } as never);
  }
  for (const path of Object.values(PATHS)) {
    await eventually(`${weight} % on ${path}`, async () => {
      const last = weight === 0 ? update : await sideOf({ [bucketName]: String(weight - 1) }, path);
      const next = weight === 100 ? stable : await sideOf({ [bucketName]: String(weight) }, path);
      return last === update && next === stable;
    });
  }
}

/** The revision that a request is answered by. */
async function sideOf(headers: Headers, path = '/'): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  request({ host: '127.0.0.1', port: traefik.port, agent, path, headers }, (response) => {
    response.resume();
    const backend = String(response.headers['x-backend']);
    response.on('end', () => resolve(response.statusCode === 200 ? revisionOf(backend) : `${response.statusCode}`));
    response.on('error', reject);
  })
    .on('error', reject)
    .end();
  return promise;
}

const revisionOf = (backend: string): string => backend.slice(backend.lastIndexOf('-') + 1);

/** Asks for each, some at a time. */
async function sidesOf(requests: readonly Headers[], path?: string): Promise<string[]> {
  const sides: string[] = [];
  let next = 0;
  const ask = async (): Promise<void> => {
    for (let index = next++; index < requests.length; index = next++)
      sides[index] = await sideOf(requests[index] ?? {}, path);
  };
  await Promise.all(Array.from({ length: 64 }, ask));
  return sides;
}

const percentOf = (sides: readonly string[]): number =>
  (sides.filter((side) => side === update).length * 100) / sides.length;

describe('the real gateway', () => {
  it('splits 10,000 conversations by their buckets within a point of the weight, and none flips back as it rises [R-294]', {
    timeout: 600_000,
  }, async () => {
    // Half of them tell their bucket in the header, as programs do, half in the cookie that a browser keeps.
    const conversations = Array.from({ length: 10_000 }, (_, index): Headers => {
      const bucket = bucketOf(`support-${index}`);
      return index % 2 === 0
        ? { [bucketName]: String(bucket) }
        : { cookie: `theme=dark; ${bucketName}=${bucket}; lang=de` };
    });
    let before = conversations.map(() => stable);
    const table: string[] = [];
    for (const weight of WEIGHTS) {
      await setWeight(weight);
      const sides = await sidesOf(conversations);
      expect(sides.filter((side) => side !== stable && side !== update)).toEqual([]);
      const back = sides.filter((side, index) => before[index] === update && side === stable).length;
      expect(back, `conversations that went back at ${weight} %`).toBe(0);
      expect(Math.abs(percentOf(sides) - weight), `split at ${weight} %`).toBeLessThanOrEqual(1);
      table.push(`${String(weight).padStart(4)} % -> ${percentOf(sides).toFixed(2).padStart(6)} %, back: ${back}`);
      before = sides;
    }
    console.log(`10,000 conversations at the gateway\n${table.join('\n')}`);
  });

  it('prefers the revision asked for, then the bucket in the header, then the one in the cookie, then the weights', async () => {
    await setWeight(10);
    const [low, high] = ['5', '50'];
    const told: { headers: Headers; side: string }[] = [
      {
        headers: { 'x-assistant-revision': update, [bucketName]: high, cookie: `${bucketName}=${high}` },
        side: update,
      },
      { headers: { 'x-assistant-revision': stable, [bucketName]: low }, side: stable },
      { headers: { [bucketName]: high, cookie: `${bucketName}=${low}` }, side: stable },
      { headers: { [bucketName]: low, cookie: `${bucketName}=${high}` }, side: update },
      { headers: { [bucketName]: '100', cookie: `a=1; ${bucketName}=${low}` }, side: update },
      { headers: { 'x-assistant-revision': 'gone', cookie: `${bucketName}=${high}` }, side: stable },
    ];
    for (const { headers, side } of told)
      expect(new Set(await sidesOf(Array.from({ length: 20 }, () => headers))), JSON.stringify(headers)).toEqual(
        new Set([side]),
      );
  });

  it.each<[string, Headers]>([
    ['no bucket', {}],
    ['what is none', { [bucketName]: '007', cookie: `${bucketName}=-1; y-${bucketName}=3` }],
    ['two at once', { [bucketName]: '5, 7' }],
    ['a number beyond', { [bucketName]: '100' }],
  ])('splits requests with %s by the weights', async (_what, headers) => {
    await setWeight(10);
    expect(percentOf(await sidesOf(Array.from({ length: 1000 }, () => headers)))).toBeCloseTo(10, 0);
  });

  it('sends WebSockets by the bucket of their upgrade request, along their own route, and leaves open ones where they are', async () => {
    await setWeight(33);
    const open = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const bucket = bucketOf(`socket-${index}`);
        const headers = index % 2 === 0 ? { [bucketName]: String(bucket) } : { cookie: `${bucketName}=${bucket}` };
        const socket = new WebSocket(`ws://127.0.0.1:${traefik.port}/ws`, { headers });
        await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
        return { socket, expected: `support-realtime-${bucket < 33 ? update : stable}` };
      }),
    );
    const backendOf = (socket: WebSocket): Promise<string> =>
      new Promise((resolve) => {
        socket.once('message', (data: Buffer) => resolve(data.toString()));
        socket.send('where am I?');
      });
    const places = () => Promise.all(open.map(({ socket }) => backendOf(socket)));
    expect(await places()).toEqual(open.map(({ expected }) => expected));
    // Every bucket is on update now, and every socket still where it was.
    await setWeight(100);
    expect(await places()).toEqual(open.map(({ expected }) => expected));
    for (const { socket } of open) socket.terminate();
  });
});
