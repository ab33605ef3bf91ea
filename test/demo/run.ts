// Releases of a running assistant under live traffic: people with open WebSockets, a steady load of HTTP requests, and the books on both.
import colors from 'picocolors';
import { Crowd } from './crowd.ts';
import { runHttpLoad } from './http-load.ts';
import { mix, questions, seeded } from './questions.ts';
import { Releases } from './releases.ts';
import type { DemoReport } from './report.ts';
import { playReleases, type Turn } from './scenario.ts';
import { countRequest, noRequests } from './statistics.ts';

/** Where the assistant is: the part of `npm run where --json` that is used here. */
export interface Where {
  readonly kubeconfig: string;
  readonly context: string;
  readonly gateway: string;
}

export interface RunOptions {
  readonly where: Where;
  /** Open WebSockets. */
  readonly people: number;
  /** Mean time between two messages of one person, in milliseconds. */
  readonly meanPauseMs: number;
  /** HTTP requests a second. */
  readonly rate: number;
  /** Repeats the same traffic. */
  readonly seed: number;
  readonly turns: readonly Turn[];
  /** Told what happens, a line at a time. */
  readonly print: (line: string) => void;
}

/** Plays the releases and reads every conversation back at the end. @throws when a release does not get to its end in time. */
export async function runUnderTraffic(options: RunOptions): Promise<DemoReport> {
  const { where, people, meanPauseMs, rate, seed, turns, print } = options;
  const started = Date.now();
  const run = started.toString(36);
  const random = seeded(seed);
  const asked = questions(random);

  print(`${people} people with a WebSocket each, ${rate} HTTP requests a second through ${where.gateway}`);
  print(
    `questions: ${mix.common * 100} % common (cached after the first time), ${mix.new * 100} % new (for the model); seed ${seed}`,
  );

  const requests = noRequests();
  const broken = new Set<string>();
  const crowd = new Crowd({ gateway: where.gateway, people, meanPauseMs, questions: asked, random, run });
  await crowd.connect();
  print(`${people} sockets are open`);
  crowd.talk();
  const stopLoad = new AbortController();
  const load = runHttpLoad({
    gateway: where.gateway,
    requestsPerSecond: rate,
    questions: asked,
    signal: stopLoad.signal,
    onOutcome: (outcome) => countRequest(requests, outcome, (revision) => broken.has(revision)),
  });
  const ticker = setInterval(() => {
    const { acknowledged, sockets } = crowd.counts();
    print(
      colors.dim(
        `${requests.requests} requests, ${requests.failures} failed; ${acknowledged} messages acknowledged; sockets moved ${sockets.moved}, broken ${sockets.broken}; ` +
          Object.entries(crowd.byRevision())
            .map(([revision, n]) => `${revision} has ${n}`)
            .join(', '),
      ),
    );
  }, 5_000);

  try {
    const result = await playReleases(turns, {
      releases: new Releases(where.kubeconfig, { namespace: 'assistants', name: 'demo' }, where.context),
      requests: () => requests,
      traffic: () => {
        const { acknowledged, sockets } = crowd.counts();
        return { requests: requests.requests, failures: requests.failures, acknowledged, moved: sockets.moved };
      },
      expectBug: (revision) => broken.add(revision),
      print,
      run,
    });
    stopLoad.abort();
    await Promise.all([load, crowd.quiet()]);
    print('reading every conversation back');
    const { sockets } = crowd.counts();
    const messages = await crowd.audit();
    return { seed, seconds: (Date.now() - started) / 1000, ...result, requests, messages, sockets };
  } finally {
    clearInterval(ticker);
    stopLoad.abort();
  }
}
