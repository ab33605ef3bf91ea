// `npm run bench:local [-- --cold] [-- --write]`: how long the embedded cluster and `npm start` take here, and how big things are.
// Each run works on an instance of its own, `bench`, and leaves nothing behind. --cold begins with an empty cache (downloads and
// compiles included; the Go module cache too). --write keeps the figures in docs/benchmarks.md.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import colors from 'picocolors';
import { startCluster, stopCluster } from '@assistant-platform/local/cluster';
import { buildImages } from '@assistant-platform/local/images';
import { table } from './figures.ts';
import { keepSection } from './page.ts';

const repository = path.resolve(import.meta.dirname, '../..');
const stateDir = path.join(repository, '.state', 'bench');

const { values } = parseArgs({
  options: { cold: { type: 'boolean' }, write: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
});

/** One line of the table. */
interface Figure {
  readonly what: string;
  readonly value: string;
  readonly target: string;
}

async function main(): Promise<void> {
  const figures: Figure[] = [];
  const keep = (what: string, value: string, target = ''): void => {
    figures.push({ what, value, target });
    console.log(`  ${what}: ${value}${target ? colors.dim(` (target ${target})`) : ''}`);
  };

  await removeInstance();
  if (values.cold) {
    const cold = mkdtempSync(path.join(tmpdir(), 'assistant-platform-cold-'));
    try {
      const environment = { XDG_CACHE_HOME: cold, GOMODCACHE: path.join(cold, 'go-modules') };
      keep('npm start, caches empty', seconds(await timed(() => command('local/start.ts', environment))), '20 min');
    } finally {
      await removeInstance();
      // Go marks its module cache read-only.
      execFileSync('chmod', ['-R', 'u+w', cold]);
      rmSync(cold, { recursive: true, force: true });
    }
  }

  const controlPlane = path.join(repository, '.state', 'bench-control-plane');
  rmSync(controlPlane, { recursive: true, force: true });
  const ready = await timed(() => startCluster({ stateDir: controlPlane, tier: 'control-plane' }));
  keep('control-plane tier ready, new instance', seconds(ready), '10 s');
  keep('control-plane tier stopped', seconds(await timed(() => stopCluster(controlPlane))));
  keep(
    'control-plane tier ready, with its data',
    seconds(await timed(() => startCluster({ stateDir: controlPlane, tier: 'control-plane' }))),
    '10 s',
  );
  await stopCluster(controlPlane);
  rmSync(controlPlane, { recursive: true, force: true });

  keep('npm start, caches warm, new instance', seconds(await timed(() => command('local/start.ts'))), '2 min');
  keep('npm start again, all of it running', seconds(await timed(() => command('local/start.ts'))));
  const where = JSON.parse(
    execFileSync(process.execPath, ['local/where.ts', '--json'], {
      cwd: repository,
      env: environmentOf(),
      encoding: 'utf8',
    }),
  ) as { prometheus: string };
  keep('operator, resident memory (leader)', await operatorMemory(where.prometheus), '200 MB');
  keep('npm run stop', seconds(await timed(() => command('local/stop.ts'))));
  keep('npm start after a stop', seconds(await timed(() => command('local/start.ts'))), '2 min');

  for (const image of await buildImages())
    keep(`image ${image.ref}`, `${(statSync(image.archive).size / 1e6).toFixed(0)} MB`);
  await removeInstance();

  if (!values.write) return;
  const machine = `${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${new Date().toISOString().slice(0, 10)}`;
  const text = table(
    ['', machine, 'target'],
    figures.map((f) => [f.what, f.value, f.target]),
  );
  keepSection(values.cold ? 'local-cold' : 'local', text);
}

async function removeInstance(): Promise<void> {
  await stopCluster(stateDir);
  rmSync(stateDir, { recursive: true, force: true });
}

function environmentOf(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { ...process.env, ASSISTANT_PLATFORM_INSTANCE: 'bench', ...extra };
}

/** Runs a command of ours on the bench instance, its output shown. */
function command(script: string, extra: Readonly<Record<string, string>> = {}): Promise<void> {
  const child = spawn(process.execPath, [script], {
    cwd: repository,
    env: environmentOf(extra),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${script} ended with ${code}`));
    });
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function seconds(value: number): string {
  return value < 100 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

/** The larger of the operator's processes, as Prometheus has scraped it; waits for the first scrape. */
async function operatorMemory(prometheus: string): Promise<string> {
  const query = encodeURIComponent('max(process_resident_memory_bytes{app="assistant-operator"})');
  const end = Date.now() + 60_000;
  for (;;) {
    const response = await fetch(`${prometheus}/api/v1/query?query=${query}`);
    const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
    const value = data.result[0]?.value[1];
    if (value !== undefined) return `${(Number(value) / 1e6).toFixed(0)} MB`;
    if (Date.now() > end) throw new Error('Prometheus has no memory of the operator after a minute: is it scraped?');
  }
}

if (values.help) console.log('usage: npm run bench:local [-- --cold] [-- --write]');
else await main();
