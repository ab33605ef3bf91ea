// Many assistants at rest: how long a start takes, what it needs, and that nothing is written. The operator itself has brought them to rest before.
import { setTimeout as delay } from 'node:timers/promises';
import type { Shape } from './assistants.ts';
import { byVerbAndResource, isRead, isWrite } from './audit.ts';
import type { MeasuredProcess } from './process.ts';
import { type Figures, megabytes, milliseconds, seconds } from './report.ts';
import type { World } from './world.ts';

const SHAPE: Shape = { components: ['chat'], replicas: 1 };
/** Longer than the time after which the operator asks pods at rest again. */
const REST_MS = 70_000;
const QUIET_MS = 120_000;

export interface RestOptions {
  readonly count: number;
  /** So many of them are copies of the others; default: the operator has installed all. */
  readonly copied?: number;
  readonly targets: { readonly start: string; readonly memory: string };
  readonly peers: { readonly start: string; readonly memory: string };
  /** Of the operator's container. */
  readonly memoryLimitMib: number;
  /** Longest time to bring them to rest. */
  readonly settleMs: number;
}

export const restNames = (count: number): string[] => Array.from({ length: count }, (_, index) => `rest-${index}`);

export async function measureRest(world: World, figures: Figures, options: RestOptions): Promise<void> {
  const { count, targets, peers, copied = 0 } = options;
  const installed = count - copied;
  const operator = world.operator([], options.memoryLimitMib);
  operator.start();
  const settling = Date.now();
  await world.releaseAll(restNames(installed), '1.0.0', SHAPE, options.settleMs);
  await operator.quiet(QUIET_MS);
  figures.detail(`${installed} assistants installed and at rest after ${seconds(Date.now() - settling)}`);
  await operator.stop();
  if (copied > 0) {
    await world.copy(copied / installed);
    figures.detail(`${copied} copies of them taken in after ${seconds(Date.now() - settling)}`);
  }

  const ours = await startToQuiet(operator);
  const rest = Date.now();
  figures.keep(`${count} assistants: start to quiet`, seconds(ours.quietMs), targets.start, peers.start);
  figures.keep(
    '  resident memory at rest (peak)',
    `${megabytes(ours.resident)} (${megabytes(ours.peak)})`,
    targets.memory,
    peers.memory,
  );
  figures.keep('  event-loop lag p99 (most)', `${milliseconds(ours.lagP99)} (${milliseconds(ours.lagMax)})`, '50 ms');
  for (const line of byVerbAndResource(world.requests('operator', operator.startedAt, rest))) figures.detail(line);
  figures.keep(
    '  writes at the start',
    `${world.requests('operator', operator.startedAt, rest).filter(isWrite).length}`,
    '0',
  );
  await delay(REST_MS);
  const resting = world.requests('operator', rest);
  figures.keep(`  writes in ${seconds(REST_MS)} at rest`, `${resting.filter(isWrite).length}`, '0', '0');
  figures.keep('  lists and gets at rest', `${resting.filter(isRead).length}`, '0');
  figures.detail(`event loop at rest: p99 ${milliseconds((await operator.ask()).lagP99)}`);
  await operator.stop();

  const theirs = await startToQuiet(world.plain());
  figures.keep('  plain makeInformer controller: start to quiet', seconds(theirs.quietMs));
  figures.keep('  its resident memory (peak)', `${megabytes(theirs.resident)} (${megabytes(theirs.peak)})`);
  figures.keep('  its event-loop lag p99 (most)', `${milliseconds(theirs.lagP99)} (${milliseconds(theirs.lagMax)})`);
  figures.keep(
    '  ratio of time, of memory',
    `${(ours.quietMs / theirs.quietMs).toFixed(2)}, ${(ours.resident / theirs.resident).toFixed(2)}`,
  );
}

async function startToQuiet(measured: MeasuredProcess) {
  measured.start();
  const quietMs = (await measured.quiet(QUIET_MS)) - measured.startedAt;
  const { lagP99, lagMax } = await measured.ask();
  return { quietMs, lagP99, lagMax, ...measured.memory() };
}
