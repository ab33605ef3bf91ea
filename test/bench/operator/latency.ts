// How fast: from the edit of a spec to the first write that follows from it, beside the plain controller; and from a start after a kill.
import { release, type Shape } from './assistants.ts';
import { isWrite } from './audit.ts';
import { type Figures, milliseconds, percentile } from './report.ts';
import type { World } from './world.ts';
import type { MeasuredProcess } from './process.ts';

const SHAPE: Shape = { components: ['chat'], replicas: 1 };
const EDITS = 40;
const RESTARTS = 5;
const TIMEOUT_MS = 120_000;

export async function measureLatency(world: World, figures: Figures): Promise<void> {
  const names = Array.from({ length: EDITS }, (_, index) => `latency-${index}`);
  const operator = world.operator();
  operator.start();
  await world.releaseAll(names, '1.0.0', SHAPE, TIMEOUT_MS);
  await operator.quiet(TIMEOUT_MS);
  const ours = await firstWrites(world, 'operator', names, '2.0.0');
  await operator.quiet(TIMEOUT_MS);
  await operator.kill();

  const plain = world.plain();
  plain.start();
  await plain.quiet(TIMEOUT_MS);
  const theirs = await firstWrites(world, 'plain', names, '3.0.0');
  await plain.kill();

  figures.keep(
    'spec change to first write, p50',
    milliseconds(percentile(ours, 50)),
    '25 ms',
    'Argo Rollouts 14 ms, Flagger 3.8 s',
  );
  figures.keep('  p99', milliseconds(percentile(ours, 99)), '', 'Argo Rollouts 30 ms');
  figures.keep('  plain makeInformer controller, p50', milliseconds(percentile(theirs, 50)));
  figures.keep('  p99', milliseconds(percentile(theirs, 99)));
  figures.keep('  ratio of the p50', (percentile(ours, 50) / percentile(theirs, 50)).toFixed(2));

  const restarts: number[] = [];
  for (let index = 0; index < RESTARTS; index++)
    restarts.push(await restart(world, operator, names[index] ?? '', `4.${index}.0`));
  figures.keep(
    'killed and started again: process start to next write, p50',
    milliseconds(percentile(restarts, 50)),
    '500 ms',
    'Argo Rollouts 180 ms',
  );
  await operator.stop();
}

/** From the moment at which the API server got each edit to its first write to the same object. */
async function firstWrites(
  world: World,
  account: 'operator' | 'plain',
  names: readonly string[],
  version: string,
): Promise<number[]> {
  const begun = Date.now();
  for (const name of names) {
    // An edit is measured by itself: not while the operator is busy with the ones before.
    await world.silent(account, 250);
    await release(world.person, name, version, SHAPE);
    await world.written(account, name, begun, TIMEOUT_MS);
  }
  const writes = world.requests(account, begun).filter(isWrite);
  return world.requests('person', begun).map(({ name, answeredAt }) => {
    const first = writes.find((write) => write.name === name);
    if (first === undefined) throw new Error(`${account} wrote nothing to ${name}`);
    return Math.max(0, first.receivedAt - answeredAt);
  });
}

/** The spec is edited while nobody looks: the first write is due at the start. */
async function restart(world: World, operator: MeasuredProcess, name: string, version: string): Promise<number> {
  await release(world.person, name, version, SHAPE);
  operator.start();
  await world.written('operator', name, operator.startedAt, TIMEOUT_MS);
  const first = world.requests('operator', operator.startedAt).find(isWrite);
  await operator.kill();
  return (first?.receivedAt ?? NaN) - operator.startedAt;
}
