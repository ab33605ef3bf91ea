// The process that runs an instance: starts the components of `cluster.json` in order, keeps them running, and stops them in order.
// Usage: node supervisor.ts <state folder as seen here>. SIGTERM stops the instance.
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ComponentProcess } from './component-process.ts';
import { INSTANCE_VARIABLE, filesOf } from './instance.ts';
import { enterNamespace, endPods } from './namespace.ts';
import { writeAtomicallySync } from './state-file.ts';
import type { Specification } from './specification.ts';
import type { Phase, SupervisorStatus } from './status.ts';

const STOP_GRACE_MS = 10_000;
const POD_GRACE_MS = 5_000;
/** A log that is larger than this at the start is set aside as `<name>.log.1`. */
const LOG_LIMIT_BYTES = 32 * 1024 * 1024;

const root = process.argv[2];
if (root === undefined) throw new Error('usage: node supervisor.ts <state folder>');
const files = filesOf(root);
const specification = JSON.parse(readFileSync(files.specification, 'utf8')) as Specification;
const startedAt = new Date().toISOString();
let phase: Phase = 'starting';
let failure: string | undefined;

const components = specification.components.map(
  (component) =>
    new ComponentProcess(component, {
      logFile: join(files.logs, `${component.name}.log`),
      visibleLogFile: join(filesOf(specification.stateDir).logs, `${component.name}.log`),
      environment: { ...process.env, [INSTANCE_VARIABLE]: specification.id },
      changed: saveStatus,
      event,
    }),
);

function saveStatus(): void {
  const status: SupervisorStatus = {
    id: specification.id,
    phase,
    startedAt,
    ...(failure === undefined ? {} : { failure }),
    components: Object.fromEntries(components.map((each) => [each.component.name, each.status])),
  };
  writeAtomicallySync(files.status, JSON.stringify(status, undefined, 2));
}

function enter(next: Phase): void {
  phase = next;
  saveStatus();
}

/** Says it to people: in `events.log` and in the supervisor's own log. */
function event(line: string): void {
  const dated = `${new Date().toISOString()} ${line}\n`;
  appendFileSync(files.events, dated);
  process.stdout.write(dated);
}

function byName(name: string): ComponentProcess {
  const found = components.find((each) => each.component.name === name);
  if (found === undefined) throw new Error(`cluster.json: no component is named ${name}`);
  return found;
}

async function startAll(): Promise<void> {
  await Promise.all(
    components.map(async (each) => {
      await Promise.all(each.component.after.map((name) => byName(name).firstReady));
      // A stop during the start must not be followed by another start.
      if (!isStopping()) each.start();
      await each.firstReady;
    }),
  );
}

async function stopAll(): Promise<void> {
  const groups = [...new Set(specification.components.map(({ stopGroup }) => stopGroup))].sort((a, b) => a - b);
  for (const [position, group] of groups.entries()) {
    const members = components.filter(({ component }) => component.stopGroup === group);
    await Promise.all(members.map((each) => each.stop(STOP_GRACE_MS)));
    // The first group is what starts and routes pods; with it gone, the pods can end without being started again.
    if (position === 0 && specification.node !== undefined) await endPods(specification.node.cgroup, POD_GRACE_MS);
  }
}

let stopping: Promise<void> | undefined;
/** A function, for a signal may change the answer during any await. */
function isStopping(): boolean {
  return stopping !== undefined;
}

function stop(exitCode: number): Promise<void> {
  stopping ??= (async () => {
    enter('stopping');
    await stopAll();
    enter(failure === undefined ? 'stopped' : 'failed');
    process.exit(exitCode);
  })();
  return stopping;
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(0));
if (specification.tied) {
  // The launcher holds the other end: when its process is gone, however it ended, nobody needs this instance.
  process.stdin.on('end', () => void stop(0)).resume();
}

mkdirSync(files.logs, { recursive: true });
for (const { name } of specification.components) {
  const log = join(files.logs, `${name}.log`);
  if (existsSync(log) && statSync(log).size > LOG_LIMIT_BYTES) renameSync(log, `${log}.1`);
}
saveStatus();
try {
  if (specification.node !== undefined) await enterNamespace(specification.node);
  await startAll();
  if (!isStopping()) enter('running');
} catch (error) {
  failure = error instanceof Error ? error.message : String(error);
  event(`the start failed: ${failure}`);
  await stop(1);
}
