// Starts the supervisor of an instance: beside us for a control plane, in namespaces of its own for a node. And ends it.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { INSIDE, INSTANCE_VARIABLE, filesOf } from './instance.ts';
import type { Instance } from './instance.ts';
import { childOf, identify, isAlive, processesOf, signalProcess, waitForEnd } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';
import { readJson, writeAtomically } from './state-file.ts';

const SUPERVISOR = join(import.meta.dirname, 'supervisor.ts');
const INIT = join(import.meta.dirname, 'init.sh');
/** Longest orderly stop: three groups of components with 10 s each, pods with 5 s. */
const STOP_TIMEOUT_MS = 40_000;

/** Starts the supervisor as a process like any other. `cluster.json` must be there. */
export async function launchBeside(instance: Instance, tied: boolean): Promise<ProcessIdentity> {
  const supervisor = await spawnDetached(instance, process.execPath, [SUPERVISOR, instance.stateDir], tied);
  await remember(instance, supervisor.identity);
  return supervisor.identity;
}

/**
 * Starts the supervisor in PID, mount, network and UTS namespaces of its own. It waits there until `attach` has given the
 * network namespace its link; should this process die before that, the namespaces end by themselves.
 *
 * @param attach gets PID 1 of the namespace, as seen from here.
 */
export async function launchInNamespace(
  instance: Instance,
  tied: boolean,
  attach: (init: ProcessIdentity) => Promise<void>,
): Promise<ProcessIdentity> {
  const namespaces = ['--pid', '--fork', '--kill-child', '--mount-proc', '--mount', '--net', '--uts'];
  const init = ['bash', INIT, instance.stateDir, instance.id];
  const command = [...namespaces, '--', ...init, process.execPath, SUPERVISOR, INSIDE];
  const unshare = await spawnDetached(instance, 'unshare', command, tied, async (parent) => {
    const identity = await firstChild(parent);
    await remember(instance, identity);
    await attach(identity);
    return identity;
  });
  return unshare.identity;
}

/** The process whose end is the end of the instance, if it runs. */
export async function runningInit(instance: Instance): Promise<ProcessIdentity | undefined> {
  const identity = await readJson<ProcessIdentity>(join(instance.stateDir, 'process.json'));
  return identity !== undefined && isAlive(identity) ? identity : undefined;
}

/**
 * Ends every process of the instance: in order if its supervisor still listens, by force otherwise.
 *
 * @returns what had to be ended by force: commands of processes that no supervisor looked after.
 */
export async function endProcesses(instance: Instance): Promise<string[]> {
  const init = await runningInit(instance);
  if (init !== undefined) {
    signalProcess(init, 'SIGTERM');
    if (!(await waitForEnd(init, STOP_TIMEOUT_MS))) signalProcess(init, 'SIGKILL');
  }
  const forced: string[] = [];
  const deadline = Date.now() + 10_000;
  for (;;) {
    // What is left: unshare on its way out, or the components of a supervisor that was killed.
    const left = processesOf(instance.id).filter(({ pid }) => pid !== process.pid);
    if (left.length === 0) break;
    if (Date.now() > deadline) {
      throw new Error(
        `cluster ${instance.id}: process ${left[0]?.pid} (${left[0]?.command}) does not end, not even by SIGKILL`,
      );
    }
    if (init === undefined || !(await waitForEnd(left[0] as ProcessIdentity, 1000))) {
      for (const each of left) signalProcess(each, 'SIGKILL');
      forced.push(...left.map(({ command }) => command));
    }
    await delay(25);
  }
  await rm(join(instance.stateDir, 'process.json'), { force: true });
  return forced;
}

interface Launched {
  readonly identity: ProcessIdentity;
}

async function spawnDetached(
  instance: Instance,
  file: string,
  args: readonly string[],
  tied: boolean,
  attach?: (pid: number) => Promise<ProcessIdentity>,
): Promise<Launched> {
  const { logs } = filesOf(instance.stateDir);
  await mkdir(logs, { recursive: true });
  const log = openSync(join(logs, 'supervisor.log'), 'a', 0o600);
  const child = spawn(file, args, {
    cwd: '/',
    detached: true,
    stdio: ['pipe', log, log],
    env: environment(instance.id),
  });
  closeSync(log);
  const failed = new Promise<never>((_resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      reject(
        new Error(`${file} ended at once (${signal ?? `code ${String(code)}`}); see ${join(logs, 'supervisor.log')}`),
      );
    });
  });
  failed.catch(() => undefined);
  const { pid, stdin } = child;
  if (pid === undefined || stdin === null) return await failed;
  const identity = attach === undefined ? identify(pid) : await Promise.race([attach(pid), failed]);
  if (identity === undefined) return await failed;
  stdin.on('error', () => undefined); // it may die at any time; its status tells more than EPIPE
  if (tied) stdin.write('go\n');
  else stdin.end('go\n');
  child.removeAllListeners();
  child.unref();
  // A pipe that is open keeps this process alive unless told otherwise.
  (stdin as unknown as { unref(): void }).unref();
  return { identity };
}

/** Only what the components need: a proxy in the environment, for one, would send the control plane's own traffic astray. */
function environment(id: string): NodeJS.ProcessEnv {
  return {
    [INSTANCE_VARIABLE]: id,
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: process.env['HOME'] ?? '/',
    LANG: 'C.UTF-8',
  };
}

async function firstChild(pid: number): Promise<ProcessIdentity> {
  const deadline = Date.now() + 5000;
  while (Date.now() < deadline) {
    const child = childOf(pid);
    const identity = child === undefined ? undefined : identify(child);
    if (identity !== undefined) return identity;
    await delay(5);
  }
  throw new Error('unshare did not start its child within 5 s');
}

function remember(instance: Instance, identity: ProcessIdentity): Promise<void> {
  const { pid, startTime } = identity;
  return writeAtomically(join(instance.stateDir, 'process.json'), JSON.stringify({ pid, startTime }));
}
