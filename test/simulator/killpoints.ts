// `npm run killpoints -- [--path NAME] [--stride N] [--real 60]`: the operator is killed before and after every write of every path, and started
// again; each run must end as the undisturbed one does, and break no invariant on its way (invariant 7 of docs/concepts/safety.md). Prints a line for each
// path and the sum. With --real a sample is played by the real operator process on a real API server instead, killed by SIGKILL (kill/real.ts).
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { startCluster, stopCluster } from '@assistant-platform/local/cluster';
import { installCustomResources } from '../cluster/custom-resources.ts';
import { type Path, PATHS } from './kill/paths.ts';
import { type End, type KillPoint, play } from './kill/scene.ts';
import { killReal, type RealResult } from './kill/real.ts';

interface Tally {
  readonly path: string;
  readonly writes: number;
  points: number;
  same: number;
  readonly failures: string[];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      path: { type: 'string' },
      stride: { type: 'string', default: '1' },
      offset: { type: 'string', default: '0' },
      real: { type: 'string' },
      parallel: { type: 'string', default: '4' },
    },
  });
  if (values.real !== undefined) return mainReal(Number(values.real), Number(values.parallel));
  const chosen = Object.entries(PATHS).filter(([name]) => values.path === undefined || name === values.path);
  if (chosen.length === 0)
    throw new Error(`there is no path "${values.path ?? ''}"; there are: ${Object.keys(PATHS).join(', ')}`);
  const begun = performance.now();
  const tallies: Tally[] = [];
  for (const [name, path] of chosen) {
    const tally = await killAlong(name, path, { stride: Number(values.stride), offset: Number(values.offset) });
    tallies.push(tally);
    const mark = tally.failures.length === 0 ? '✓' : '✗';
    console.log(
      `${mark} ${name.padEnd(44)} ${String(tally.writes).padStart(4)} writes ${String(tally.points).padStart(4)} points  ${elapsed(begun)}`,
    );
    for (const failure of tally.failures.slice(0, 3)) console.log(failure);
  }
  const points = tallies.reduce((sum, tally) => sum + tally.points, 0);
  const same = tallies.reduce((sum, tally) => sum + tally.same, 0);
  console.log(
    `\n${points} kill points on ${tallies.length} paths in ${elapsed(begun)}: ${same} ended as the undisturbed run, ${points - same} did not`,
  );
  return same === points ? 0 : 1;
}

/** The sample on a control plane of its own. */
async function mainReal(points: number, parallel: number): Promise<number> {
  const stateDir = fileURLToPath(new URL('../../.state/killpoints', import.meta.url));
  const begun = performance.now();
  const { kubeconfig } = await startCluster({ stateDir, tier: 'control-plane', fakeNodes: 1 });
  try {
    await installCustomResources(kubeconfig);
    console.log(`a real API server is up (${elapsed(begun)}); first each path undisturbed, then ${points} kill points`);
    const tell = ({ path, point, killed, difference }: RealResult): void => {
      const mark = difference !== null ? '✗' : killed ? '✓' : '-';
      console.log(
        `${mark} ${path.padEnd(30)} ${killed ? 'killed' : 'not reached:'} ${point.when.toLowerCase().padEnd(6)} write ${point.write}  ${elapsed(begun)}`,
      );
      if (difference !== null) console.log(`    ${difference}`);
    };
    const { results, sampled } = await killReal(kubeconfig, { points, parallel, tell });
    const killed = results.filter((result) => result.killed);
    const different = results.filter(({ difference }) => difference !== null).length;
    console.log(
      `\nkill points of the real process in ${elapsed(begun)}: ${killed.length} killed, ${results.length - killed.length} not reached; ` +
        `${results.length - different} ended as the undisturbed run, ${different} did not`,
    );
    if (killed.length < sampled) console.log(`${sampled - killed.length} of ${sampled} points came to no kill`);
    return different === 0 && killed.length >= sampled ? 0 : 1;
  } finally {
    await stopCluster(stateDir);
  }
}

const elapsed = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** All points of a path, or every `stride`-th from `offset`. */
async function killAlong(
  name: string,
  path: Path,
  { stride, offset }: { stride: number; offset: number },
): Promise<Tally> {
  const undisturbed = await play(path, null);
  const tally: Tally = { path: name, writes: undisturbed.writes.length, points: 0, same: 0, failures: [] };
  if (undisturbed.violations.length > 0)
    tally.failures.push(`  undisturbed: ${JSON.stringify(undisturbed.violations[0])}`);
  const points = undisturbed.writes.flatMap((_write, write): KillPoint[] => [
    { write, when: 'Before' },
    { write, when: 'After' },
  ]);
  const chosen = points.filter((_point, index) => index % stride === offset % stride);
  for (const point of chosen) {
    const end = await play(path, point);
    tally.points += 1;
    if (process.stdout.isTTY)
      process.stdout.write(`\r… ${name.padEnd(44)} ${tally.points} of ${chosen.length} points `);
    const failure = differenceOf(undisturbed, end);
    if (failure === null) tally.same += 1;
    else
      tally.failures.push(
        `  killed ${point.when.toLowerCase()} write ${point.write} (${undisturbed.writes[point.write] ?? ''}): ${failure}`,
      );
  }
  if (process.stdout.isTTY) process.stdout.write('\r');
  return tally;
}

/** What differs at the end; null when nothing does. */
function differenceOf(undisturbed: End, end: End): string | null {
  if (!end.killed) return 'it was never killed: the run did not come to this write';
  const [violation] = end.violations;
  if (violation !== undefined)
    return `invariant ${violation.invariant} at ${violation.at / 1000} s: ${violation.message}`;
  const parts = Object.keys(undisturbed.state).filter(
    (part) => !isDeepStrictEqual(undisturbed.state[part], end.state[part]),
  );
  if (parts.length === 0) return null;
  return parts
    .map(
      (part) =>
        `${part}:\n      undisturbed ${JSON.stringify(undisturbed.state[part])}\n      killed      ${JSON.stringify(end.state[part])}`,
    )
    .join('\n    ');
}

process.exitCode = await main();
