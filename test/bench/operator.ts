// `npm run bench:operator [-- --only canary,latency,failover,...] [-- --write]`: what the operator costs and how fast it is, on a real API
// server with real workload controllers; kwok plays the kubelets, a fixture the gateway. Requests are counted by the API server itself.
// Each run has a control plane of its own and leaves nothing behind. --write keeps the figures in docs/benchmarks.md.
import { cpus, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import colors from 'picocolors';
import { table } from './figures.ts';
import { measureCanaries } from './operator/canary.ts';
import { measureFailOver } from './operator/failover.ts';
import { measureLatency } from './operator/latency.ts';
import { Figures } from './operator/report.ts';
import { measureRest } from './operator/rest.ts';
import { measureHundred, measureThousand } from './operator/scale.ts';
import { World } from './operator/world.ts';
import { keepSection } from './page.ts';

const repository = path.resolve(import.meta.dirname, '../..');
const stateDir = path.join(repository, '.state', 'bench-operator');

const PARTS = {
  canary: { what: 'What a canary costs', measure: measureCanaries },
  latency: { what: 'From a change to a write', measure: measureLatency },
  failover: { what: 'When the leader ends', measure: measureFailOver },
  scale: { what: '100 canaries at once', measure: measureHundred },
  thousand: { what: '1,000 canaries at once', measure: measureThousand },
  rest: {
    what: '2,000 assistants at rest',
    measure: (world: World, figures: Figures) =>
      measureRest(world, figures, {
        count: 2_000,
        memoryLimitMib: 256,
        targets: { start: '4 s', memory: '160 MB' },
        peers: { start: 'Argo Rollouts 15.7 s, 3,294 requests', memory: 'Argo Rollouts 274 MB' },
        settleMs: 900_000,
      }),
  },
  'rest-10000': {
    what: '10,000 assistants at rest',
    measure: (world: World, figures: Figures) =>
      measureRest(world, figures, {
        count: 10_000,
        copied: 8_000,
        memoryLimitMib: 512,
        targets: { start: '12 s', memory: '300 MB' },
        peers: { start: '', memory: '' },
        settleMs: 900_000,
      }),
  },
} as const;
type Part = keyof typeof PARTS;

const USAGE = `usage: npm run bench:operator [-- --only ${Object.keys(PARTS).join(',')}] [-- --write]`;

const { values } = parseArgs({
  options: { only: { type: 'string' }, write: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
});

function chosen(): Part[] {
  const names = values.only?.split(',') ?? Object.keys(PARTS);
  const unknown = names.filter((name) => !Object.hasOwn(PARTS, name));
  if (unknown.length > 0) throw new Error(`there is no part ${unknown.join(', ')}\n${USAGE}`);
  return names as Part[];
}

async function main(): Promise<void> {
  for (const part of chosen()) {
    const { what, measure } = PARTS[part];
    console.log(colors.bold(what));
    const figures = new Figures();
    const world = await World.start(stateDir);
    try {
      await measure(world, figures);
    } finally {
      await world.stop();
    }
    if (values.write) keep(part, figures);
  }
}

function keep(part: Part, figures: Figures): void {
  const machine = `${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${new Date().toISOString().slice(0, 10)}`;
  const rows = figures.all.map(({ what, value, target, peers }) => [what, value, target, peers]);
  const text = table(['', machine, 'target', 'peers, quoted'], rows);
  keepSection(`operator-${part}`, text);
}

if (values.help) console.log(USAGE);
else await main();
