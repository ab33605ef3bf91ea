// Many canaries at once.
import type { Shape } from './assistants.ts';
import { byVerbAndResource } from './audit.ts';
import { measureFloor } from './floor.ts';
import { type Figures, megabytes, milliseconds, seconds } from './report.ts';
import type { World } from './world.ts';

const TIMEOUT_MS = 900_000;

interface Crowd {
  readonly count: number;
  readonly shape: Shape;
  readonly target: string;
  readonly peers: string;
  /** Whether Kubernetes' own way of replacing as many pods is measured beside it. */
  readonly withFloor: boolean;
}

const CROWDS: readonly Crowd[] = [
  {
    count: 100,
    shape: { components: ['chat'], replicas: 10 },
    target: '32 s',
    peers: 'Argo Rollouts 32.5 s (no Services, no gateway)',
    withFloor: true,
  },
  { count: 1000, shape: { components: ['chat'], replicas: 1 }, target: 'completes', peers: '', withFloor: false },
];

export const measureHundred = (world: World, figures: Figures): Promise<void> =>
  measureCrowd(world, figures, CROWDS[0] as Crowd);
export const measureThousand = (world: World, figures: Figures): Promise<void> =>
  measureCrowd(world, figures, CROWDS[1] as Crowd);

async function measureCrowd(
  world: World,
  figures: Figures,
  { count, shape, target, peers, withFloor }: Crowd,
): Promise<void> {
  const floor = withFloor
    ? await measureFloor({
        ...{ count, replicas: shape.replicas },
        api: world.admin,
        timeoutMs: TIMEOUT_MS,
      })
    : null;
  const names = Array.from({ length: count }, (_, index) => `crowd-${index}`);
  const operator = world.operator();
  operator.start();
  await world.releaseAll(names, '1.0.0', shape, TIMEOUT_MS);
  await operator.quiet(TIMEOUT_MS);
  await operator.ask();
  const [begun, worked] = [Date.now(), operator.processorMs()];
  await world.releaseAll(names, '2.0.0', shape, TIMEOUT_MS);
  const took = Date.now() - begun;
  figures.keep(
    `${count} canaries of ${shape.replicas} ${shape.replicas === 1 ? 'pod' : 'pods'} at once`,
    seconds(took),
    target,
    peers,
  );
  figures.keep('  processor time of the operator', seconds(operator.processorMs() - worked));
  if (floor !== null) {
    figures.keep('  as many plain Deployments in their rolling update, in the same run', seconds(floor));
    figures.keep('  ratio', (took / floor).toFixed(2));
  }
  const { lagP99, lagMax } = await operator.ask();
  const { resident, peak } = operator.memory();
  figures.keep('  event-loop lag p99 (most)', `${milliseconds(lagP99)} (${milliseconds(lagMax)})`);
  figures.keep('  resident memory (peak)', `${megabytes(resident)} (${megabytes(peak)})`);
  for (const line of byVerbAndResource(world.requests('operator', begun))) figures.detail(line);
  await operator.stop();
}
