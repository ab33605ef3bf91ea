// What one canary costs: requests of the operator from the edit of the spec until the old revision is gone and nothing more is asked for.
import { release, type Shape } from './assistants.ts';
import { type AuditedRequest, byVerbAndResource, isRead, isWrite } from './audit.ts';
import type { Figures } from './report.ts';
import type { World } from './world.ts';

const ROUNDS = 3;
const SILENCE_MS = 4_000;
const TIMEOUT_MS = 90_000;

export async function measureCanaries(world: World, figures: Figures): Promise<void> {
  const operator = world.operator();
  operator.start();
  const single: Shape = { components: ['chat'], replicas: 4 };
  const pair: Shape = { components: ['chat', 'realtime'], replicas: 4 };
  await Promise.all([
    world.releaseAll(['single'], '1.0.0', single, TIMEOUT_MS),
    world.releaseAll(['pair'], '1.0.0', pair, TIMEOUT_MS),
  ]);
  for (const [name, what, shape, target] of [
    ['single', 'one component', single, 60],
    ['pair', 'chat + realtime', pair, 100],
  ] as const) {
    const rounds: AuditedRequest[][] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      await world.silent('operator', SILENCE_MS);
      const begun = Date.now();
      const version = `1.${round}.0`;
      await Promise.all([world.finished([name], version, TIMEOUT_MS), release(world.person, name, version, shape)]);
      await world.silent('operator', SILENCE_MS);
      rounds.push(world.requests('operator', begun).filter(({ verb }) => verb !== 'watch'));
    }
    // Requests and writes of one and the same round: the one in the middle.
    const median = rounds.toSorted((a, b) => a.length - b.length)[Math.floor(rounds.length / 2)] ?? [];
    figures.keep(
      `canary of four weights, ${what}: requests`,
      `${median.length} (${median.filter(isWrite).length} writes)`,
      `${target}`,
      name === 'single' ? 'Argo Rollouts 122 (27 writes), Flagger 137 (25)' : '',
    );
    figures.keep(`  of these list or get`, `${Math.max(...rounds.map((each) => each.filter(isRead).length))}`, '0');
    for (const line of byVerbAndResource(median)) figures.detail(line);
    for (const line of byVerbAndResource(median.filter(({ code }) => code >= 400))) figures.detail(`refused: ${line}`);
  }
  await operator.stop();
}
