// `npm run where [-- --json]`: every address and credential of what `npm start` brought up, read from the outputs of the stack.
import { clusterStatus } from './cluster/cluster.ts';
import { addressesOf, describeAddresses } from './start/addresses.ts';
import { START_STATE } from './start/places.ts';
import { DevStack } from './start/stack.ts';
import { lastTarget } from './start/target.ts';

async function main(args: readonly string[]): Promise<void> {
  const target = await lastTarget();
  if (target === undefined) throw new Error('Nothing was started yet: npm start.');
  const stack = await DevStack.open(target);
  const outputs = await stack.outputs();
  if (outputs === undefined) throw new Error('The stack was not brought up yet: npm start.');
  const where = addressesOf(target, outputs);
  if (args.includes('--json')) {
    console.log(JSON.stringify(where, undefined, 2));
    return;
  }
  console.log(describeAddresses(where));
  const { state, events } = await clusterStatus(START_STATE);
  if (target.kind === 'embedded' && state !== 'running') console.log(`\nThe embedded cluster is ${state}: npm start.`);
  for (const line of events.slice(-3)) console.log(`  ! ${line}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
