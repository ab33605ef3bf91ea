// Inside the instance's own mount, network, PID and UTS namespaces: makes them a place where a node can run, and ends its pods.
// Everything here vanishes with the namespaces; nothing of it touches the machine outside.
import { readFileSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand as run } from '../toolchain/command.ts';
import type { NodeSpecification } from './specification.ts';

/** Name of the node's end of the link. The machine's end is named after the instance. */
export const NODE_LINK = 'node0';

/**
 * Gives the network namespace its addresses and routes. The mounts were made by `init.sh` before.
 * The launcher has put the link into the namespace before the supervisor started.
 */
export async function enterNamespace({ plan, egress }: NodeSpecification): Promise<void> {
  await run('ip', ['link', 'set', 'lo', 'up']);
  await run('ip', ['address', 'add', `${plan.node}/30`, 'dev', NODE_LINK]);
  await run('ip', ['link', 'set', NODE_LINK, 'up']);
  // A connect() to a ClusterIP from the node itself needs a route before kube-proxy's DNAT can change the destination.
  await run('ip', ['route', 'add', plan.services, 'dev', 'lo', 'src', plan.node]);
  if (egress) await run('ip', ['route', 'add', 'default', 'via', plan.host]);
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
}

/** Ends what still runs below the cgroup: SIGTERM, then SIGKILL after `graceMs`. */
export async function endPods(cgroup: string, graceMs: number): Promise<void> {
  const deadline = Date.now() + graceMs;
  signal(processesIn(cgroup), 'SIGTERM');
  while (processesIn(cgroup).length > 0 && Date.now() < deadline) await delay(50);
  signal(processesIn(cgroup), 'SIGKILL');
}

function processesIn(cgroup: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`:${cgroup}/kubepods`);
      } catch {
        return false; // it ended while we looked
      }
    });
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
