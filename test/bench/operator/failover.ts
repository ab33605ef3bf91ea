// Two operators, one leads: how long nobody works when the leader is killed, and when it is told to end.
import { release, type Shape } from './assistants.ts';
import { isWrite } from './audit.ts';
import type { MeasuredProcess } from './process.ts';
import { type Figures, percentile, seconds } from './report.ts';
import { ACCOUNTS_NAMESPACE, type World } from './world.ts';

const SHAPE: Shape = { components: ['chat'], replicas: 1 };
const ROUNDS = 3;
const TIMEOUT_MS = 90_000;

export async function measureFailOver(world: World, figures: Figures): Promise<void> {
  let leader = world.operator(['--lease-namespace', ACCOUNTS_NAMESPACE, '--identity', 'first']);
  let standby = world.operator(['--lease-namespace', ACCOUNTS_NAMESPACE, '--identity', 'second']);
  leader.start();
  await world.releaseAll(['handed'], '1.0.0', SHAPE, TIMEOUT_MS);
  let version = 1;
  const times: Record<'crash' | 'graceful', number[]> = { crash: [], graceful: [] };
  for (const way of ['graceful', 'crash'] as const) {
    for (let round = 0; round < ROUNDS; round++) {
      standby.start();
      await standby.quiet(TIMEOUT_MS);
      await world.silent('operator', 1_000);
      version += 1;
      times[way].push(await handOver(world, way, leader, `${version}.0.0`));
      await world.finished(['handed'], `${version}.0.0`, TIMEOUT_MS);
      [leader, standby] = [standby, leader];
    }
  }
  figures.keep('leader told to end: next write of the standby, most', seconds(percentile(times.graceful, 100)), '3 s');
  figures.keep(
    'leader killed: next write of the standby, most',
    seconds(percentile(times.crash, 100)),
    '20 s (lease of 15 s)',
  );
  await leader.stop();
}

/** Ends the leader; the spec is edited when it is gone, so that the next write is the other one's. */
async function handOver(
  world: World,
  way: 'crash' | 'graceful',
  leader: MeasuredProcess,
  version: string,
): Promise<number> {
  const begun = Date.now();
  await (way === 'crash' ? leader.kill() : leader.stop());
  const gone = Date.now();
  await release(world.person, 'handed', version, SHAPE);
  await world.written('operator', 'handed', gone, TIMEOUT_MS);
  const first = world.requests('operator', gone).find((request) => isWrite(request) && request.resource !== 'leases');
  return (first?.receivedAt ?? NaN) - begun;
}
