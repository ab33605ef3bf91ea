// `npm run objects -- [--count 10000] [--seed N] [--valid K | --invalid K]`: so many generated valid AssistantDeployments, and so many with one mistake
// each, put to a real API server of its own and to the operator's decision. What fails is printed at its smallest, with how to replay it.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startCluster, stopCluster } from '@assistant-platform/local/cluster';
import { ApiClient, connectionFromEnvironment, namespaces } from '@assistant-platform/runtime';
import { installCustomResources } from '../cluster/custom-resources.ts';
import { wholeNumber } from '../whole-number.ts';
import { type CampaignOptions, type CampaignResult, type Failure, runCampaign } from './campaign.ts';

const USAGE = 'npm run objects -- [--count 10000] [--seed N] [--valid K | --invalid K] [--parallel 12] [--failures 5]';
const NAMESPACE = 'objects';

interface Arguments extends Pick<CampaignOptions, 'seed' | 'count' | 'parallel' | 'only'> {
  readonly mostFailures: number;
}

function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      count: { type: 'string', default: '10000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      valid: { type: 'string' },
      invalid: { type: 'string' },
      parallel: { type: 'string', default: '12' },
      failures: { type: 'string', default: '5' },
    },
  });
  const number = (name: string, text: string): number => wholeNumber(name, text, { usage: USAGE });
  const only =
    values.valid !== undefined
      ? { half: 'valid' as const, number: number('valid', values.valid) }
      : values.invalid !== undefined
        ? { half: 'invalid' as const, number: number('invalid', values.invalid) }
        : undefined;
  return {
    seed: number('seed', values.seed),
    count: number('count', values.count),
    parallel: number('parallel', values.parallel),
    mostFailures: number('failures', values.failures),
    ...(only === undefined ? {} : { only }),
  };
}

async function main(): Promise<number> {
  const { mostFailures, ...options } = readArguments(process.argv.slice(2));
  const stateDir = fileURLToPath(new URL('../../.state/objects', import.meta.url));
  console.log(`seed ${options.seed}: ${options.count} objects with a mistake, then ${options.count} valid ones`);
  const { kubeconfig } = await startCluster({ stateDir, tier: 'control-plane', fakeNodes: 1 });
  try {
    await installCustomResources(kubeconfig);
    const api = new ApiClient({ connection: await connectionFromEnvironment({ kubeconfig }), fieldManager: 'objects' });
    try {
      if ((await api.find(namespaces, { name: NAMESPACE })) === undefined)
        await api.create(namespaces, { metadata: { name: NAMESPACE } });
      const begun = performance.now();
      const result = await runCampaign(
        { api, namespace: NAMESPACE, requests: 0 },
        { ...options, appliesEach: 1, tell: progress(options.count, begun) },
      );
      print(result, (performance.now() - begun) / 1000);
      for (const failure of result.failures.slice(0, mostFailures)) printFailure(failure, options.seed);
      return result.failures.length === 0 ? 0 : 1;
    } finally {
      api.close();
    }
  } finally {
    await stopCluster(stateDir);
  }
}

/** A line each tenth of a half. */
function progress(count: number, begun: number): CampaignOptions['tell'] {
  const done = { valid: 0, invalid: 0 };
  const each = Math.max(1, Math.floor(count / 10));
  return (half) => {
    done[half] += 1;
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    if (done[half] % each === 0) console.log(`. ${half.padEnd(8)} ${String(done[half]).padStart(6)}   ${seconds} s`);
  };
}

function print({ kinds, sites, accepted, requests, failures }: CampaignResult, seconds: number): void {
  console.log('\nkind of mistake    made  at the field   refused by');
  let [made, refused] = [0, 0];
  for (const [kind, tally] of [...kinds].sort(([a], [b]) => a.localeCompare(b))) {
    const by = Object.entries(tally.by);
    made += tally.made;
    refused += by.reduce((sum, [, count]) => sum + count, 0);
    const who = by.map(([refuser, count]) => `${refuser} ${count}`).join(', ');
    console.log(`${kind.padEnd(17)} ${String(tally.made).padStart(5)}  ${String(tally.exact).padStart(12)}   ${who}`);
  }
  const rate = `${requests} requests in ${seconds.toFixed(1)} s, ${Math.round(requests / seconds)} a second`;
  console.log(`\n${refused} of ${made} mistakes refused and named, at ${sites.made} of ${sites.all} places and rules`);
  console.log(`${accepted} valid objects taken, installed and at rest; ${failures.length} failures; ${rate}`);
}

function printFailure({ half, number, what, problem, smallest }: Failure, seed: number): void {
  console.log(`\n✗ ${what}\n  ${problem}\n  smallest: ${JSON.stringify(smallest)}`);
  console.log(`  replay:   npm run objects -- --seed ${seed} --${half} ${number}`);
}

process.exitCode = await main();
