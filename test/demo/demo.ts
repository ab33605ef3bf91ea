// `npm run demo`: releases of the running assistant under live traffic, with the losses counted. Needs `npm start`.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import colors from 'picocolors';
import { Crowd } from './crowd.ts';
import { guestTokens, runHttpLoad } from './http-load.ts';
import { mix, questions, seeded } from './questions.ts';
import { Releases } from './releases.ts';
import { render, verdict } from './report.ts';
import { playScenario } from './scenario.ts';
import { countRequest, noRequests } from './statistics.ts';

/** The part of `npm run where --json` that is used here. */
interface Where {
  readonly kubeconfig: string;
  readonly context: string;
  readonly gateway: string;
}

const usage = `usage: npm run demo [-- --people 200] [-- --rate 50] [-- --seed 1] [-- -o json]
  --people  open WebSockets           --rate  HTTP requests a second
  --seed    repeats the same traffic  -o json the report for machines`;

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '200' },
    rate: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    output: { type: 'string', short: 'o' },
    help: { type: 'boolean', short: 'h' },
  },
});

async function main(): Promise<void> {
  const people = positive('people', values.people);
  const rate = positive('rate', values.rate);
  const seed = positive('seed', values.seed);
  const where = readWhere();
  const started = Date.now();
  const print = (line: string) => {
    if (values.output === 'json') return;
    const at = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
    console.log(`${colors.dim(`${at} s`)}  ${line}`);
  };
  const run = started.toString(36);
  const random = seeded(seed);
  const asked = questions(random);

  print(`${people} people with a WebSocket each, ${rate} HTTP requests a second through ${where.gateway}`);
  print(
    `questions: ${mix.common * 100} % common (cached after the first time), ${mix.new * 100} % new (for the model); seed ${seed}`,
  );

  const requests = noRequests();
  const broken = new Set<string>();
  const crowd = new Crowd({
    url: `${where.gateway.replace(/^http/, 'ws')}/ws`,
    people,
    meanPauseMs: 10_000,
    questions: asked,
    random,
    token: guestTokens(where.gateway),
    run,
  });
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
    const releases = new Releases(where.kubeconfig, { namespace: 'assistants', name: 'demo' }, where.context);
    const result = await playScenario({
      releases,
      requests: () => requests,
      expectBug: (revision) => broken.add(revision),
      print,
      run,
    });
    stopLoad.abort();
    await Promise.all([load, crowd.quiet()]);
    print('reading every conversation back');
    const { sockets } = crowd.counts();
    const messages = await crowd.audit();
    const report = { seed, seconds: (Date.now() - started) / 1000, ...result, requests, messages, sockets };
    console.log(
      values.output === 'json' ? JSON.stringify({ ...report, wrong: verdict(report) }, null, 2) : `\n${render(report)}`,
    );
    process.exitCode = verdict(report).length === 0 ? 0 : 1;
  } finally {
    clearInterval(ticker);
    stopLoad.abort();
  }
}

function positive(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0)
    throw new Error(`--${name} ${value}: write a whole number, such as --${name} 50`);
  return number;
}

function readWhere(): Where {
  const script = path.resolve(import.meta.dirname, '../../local/where.ts');
  const output = execFileSync(process.execPath, [script, '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output) as Where;
}

if (values.help) console.log(usage);
else {
  try {
    await main();
  } catch (error) {
    console.error(colors.red(error instanceof Error ? error.message : String(error)));
    process.exitCode = 1;
  }
  // Sockets of people who were still waiting when the run failed must not keep the process alive.
  process.exit();
}
