// Counts over a window against a real Prometheus: to the last event, whatever pods come, go and start anew.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../test/servers/child-process.ts';
import { startPrometheus, type PrometheusServer, type ScrapedPod } from '../../test/servers/prometheus.ts';
import { buckets, count, podMatchers, type Window } from './counters.ts';
import { PrometheusClient } from './prometheus-client.ts';

interface Counts {
  readonly requests: number;
  readonly errors: number;
  readonly quick: number;
}

/** What each pod counts at the moment, by pod; undefined: it does not answer. */
const counted = new Map<string, Counts | undefined>();
let server: Server;
let prometheus: PrometheusServer;
let client: PrometheusClient;
/** How many queries were sent. */
let queries = 0;
const revision = { name: 'support', namespace: 'assistants', revision: '6c9f7d', components: ['chat'] };

beforeAll(async () => {
  server = createServer((request, response) => {
    const counts = counted.get(request.url?.slice(1) ?? '');
    if (counts === undefined) response.writeHead(503).end();
    else response.end(exposition(counts));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  prometheus = await startPrometheus();
  client = new PrometheusClient({
    url: prometheus.url,
    fetch: (...request) => {
      queries += 1;
      return fetch(...request);
    },
  });
});
afterAll(async () => {
  await prometheus.remove();
  await new Promise((resolve) => server.close(resolve));
});

/** As prom-client writes it: the series of a status begins with the first response of that status. */
const exposition = ({ requests, errors, quick }: Counts): string =>
  [
    `requests_total{status="200"} ${requests - errors}`,
    ...(errors === 0 ? [] : [`requests_total{status="500"} ${errors}`]),
    `seconds_bucket{le="0.1"} ${quick}`,
    `seconds_bucket{le="+Inf"} ${requests}`,
    '',
  ].join('\n');

/** Prometheus scrapes these, and only these, pods. */
async function serve(...pods: readonly string[]): Promise<void> {
  const { port } = server.address() as AddressInfo;
  const scraped = pods.map((name): ScrapedPod => {
    const { namespace, name: assistant, revision: hash } = revision;
    return { namespace, name, assistant, component: 'chat', revision: hash, port, path: `/${name}` };
  });
  prometheus.setPods(scraped);
  await prometheus.scraped();
}

/** The pod counts this, and was scraped since. */
async function counts(pod: string, now: Counts): Promise<void> {
  counted.set(pod, now);
  await serve(pod);
}

const ask = async (window: Window, of = revision) => {
  const { signal } = new AbortController();
  const matchers = podMatchers(of);
  return {
    requests: await count(client, `requests_total{${matchers}}`, window, signal),
    errors: await count(client, `requests_total{${matchers},status="500"}`, window, signal),
    quicker: (await buckets(client, `seconds_bucket{${matchers}}`, window, signal)).map((bucket) => bucket.count),
  };
};

it('[R-295] counts exactly, for pods that were there before, that come, go, start anew, and for a first error', async () => {
  const [steady, fresh, restarted, leaving, other] = [
    'support-chat-6c9f7d-7b5d-aaaaa',
    'support-chat-6c9f7d-7b5d-bbbbb',
    'support-chat-6c9f7d-7b5d-ccccc',
    'support-chat-6c9f7d-7b5d-ddddd',
    'support-chat-51aa0e-7b5d-eeeee',
  ] as const;
  counted.set(steady, { requests: 1000, errors: 0, quick: 900 });
  counted.set(restarted, { requests: 500, errors: 20, quick: 400 });
  counted.set(leaving, { requests: 300, errors: 10, quick: 250 });
  counted.set(other, { requests: 700, errors: 700, quick: 0 });
  await serve(steady, restarted, leaving, other);
  const since = Date.now();
  expect(await ask({ since: since - 600_000, at: since })).toEqual({
    requests: 1800,
    errors: 30,
    quicker: [1550, 1800],
  });

  counted.set(steady, { requests: 1100, errors: 1, quick: 950 });
  counted.set(fresh, { requests: 40, errors: 3, quick: 30 });
  counted.set(restarted, { requests: 7, errors: 2, quick: 4 });
  counted.set(leaving, { requests: 320, errors: 11, quick: 260 });
  counted.set(other, { requests: 900, errors: 900, quick: 0 });
  await serve(steady, fresh, restarted, leaving, other);
  await serve(steady, fresh, restarted, other);
  const at = Date.now();
  expect(await ask({ since, at })).toEqual({ requests: 167, errors: 7, quicker: [94, 167] });
  // Nothing was scraped yet in a window that has just begun.
  expect(await ask({ since: at, at })).toEqual({ requests: 0, errors: 0, quicker: [] });
});

it('takes no history for new when scrapes failed as the window began', async () => {
  const pod = 'support-chat-6c9f7d-7b5d-fffff';
  counted.set(pod, { requests: 5000, errors: 50, quick: 100 });
  await serve(pod);
  counted.set(pod, undefined);
  await eventually('a scrape to fail', async () => {
    const failed = await client.query(`up{pod="${pod}"} == 0`, Date.now(), AbortSignal.timeout(5000));
    return failed.length === 1;
  });
  const since = Date.now();
  counted.set(pod, { requests: 5010, errors: 51, quick: 100 });
  await serve(pod);
  expect(await ask({ since, at: Date.now() })).toMatchObject({ requests: 10, errors: 1 });
});

it('counts what was scraped before a restart, by a second query that nobody asks otherwise', async () => {
  const [pod, steady] = ['support-chat-77aa11-7b5d-ggggg', 'support-chat-77aa11-7b5d-hhhhh'];
  counted.set(steady, { requests: 1000, errors: 0, quick: 1000 });
  await serve(steady);
  const since = Date.now();
  const look = () => ask({ since, at: Date.now() }, { ...revision, revision: '77aa11' });
  counted.set(pod, { requests: 200, errors: 100, quick: 150 });
  await serve(pod, steady);
  queries = 0;
  expect(await look()).toEqual({ requests: 200, errors: 100, quicker: [150, 200] });
  expect(queries).toBe(3);
  counted.set(pod, { requests: 60, errors: 0, quick: 50 });
  counted.set(steady, { requests: 1007, errors: 0, quick: 1003 });
  await serve(pod, steady);
  queries = 0;
  expect(await look()).toEqual({ requests: 267, errors: 100, quicker: [203, 267] });
  // One more each for requests and buckets: no series of errors has begun anew yet.
  expect(queries).toBe(5);
});

it('counts every restart of a window, and at no look less than at the one before', async () => {
  const pod = 'support-chat-6c9f7d-7b5d-iiiii';
  await counts(pod, { requests: 1000, errors: 50, quick: 900 });
  const since = Date.now();
  const looks: Awaited<ReturnType<typeof ask>>[] = [];
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) looks.push(await ask({ since, at: Date.now() }));
  })();
  await counts(pod, { requests: 1200, errors: 150, quick: 1050 });
  await counts(pod, { requests: 60, errors: 5, quick: 50 });
  await counts(pod, { requests: 90, errors: 9, quick: 70 });
  await counts(pod, { requests: 30, errors: 2, quick: 10 });
  over.abort();
  await watching;
  expect(await ask({ since, at: Date.now() })).toEqual({ requests: 320, errors: 111, quicker: [230, 320] });
  const rising = (numbers: readonly number[]) => expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  rising(looks.map(({ requests }) => requests));
  rising(looks.map(({ errors }) => errors));
  rising(looks.map(({ quicker }) => quicker[0] ?? 0));
});

it('counts nothing of a restart before the window', async () => {
  const pod = 'support-chat-6c9f7d-7b5d-jjjjj';
  await counts(pod, { requests: 500, errors: 40, quick: 400 });
  await counts(pod, { requests: 20, errors: 4, quick: 15 });
  const since = Date.now();
  await counts(pod, { requests: 35, errors: 5, quick: 21 });
  expect(await ask({ since, at: Date.now() })).toEqual({ requests: 15, errors: 1, quicker: [6, 15] });
});

it('lets all buckets of a histogram begin anew, also one that is past its earlier count at the next scrape', async () => {
  const pod = 'support-chat-6c9f7d-7b5d-kkkkk';
  const since = Date.now();
  await counts(pod, { requests: 50, errors: 0, quick: 50 });
  await counts(pod, { requests: 55, errors: 0, quick: 10 });
  expect(await ask({ since, at: Date.now() })).toMatchObject({ quicker: [60, 105] });
});
