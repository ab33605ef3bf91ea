// Lists what an instance still has on the machine outside its state folder. After a stop every list is empty; tests ask for it.
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../toolchain/command.ts';
import { TEST_RANGE } from './addresses.ts';
import { existingCgroups } from './cgroups.ts';
import { instanceOf } from './instance.ts';
import { REGISTRY, hasBlackhole, hasLink, hasNftTable, registrations } from './machine.ts';
import { processesOf } from './processes.ts';

/** What was found, as a person would write it. */
export interface Residue {
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly links: readonly string[];
  readonly routes: readonly string[];
  readonly cgroups: readonly string[];
  readonly nftTables: readonly string[];
  /** Records and settings in /run/assistant-platform that nobody needs any more. */
  readonly records: readonly string[];
}

/** What is left of the instance of the folder. Routes and mounts of other instances are not counted. */
export async function residueOf(stateDir: string): Promise<Residue> {
  const instance = instanceOf(stateDir);
  const registered = await registrations();
  const alone = registered.every(({ id }) => id === instance.id);
  const route = await runCommand('ip', ['route', 'show']);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return {
    processes: processesOf(instance.id).map(({ pid, command }) => `${pid} ${command}`),
    mounts: mounts.filter((line) => line.includes(instance.stateDir) || line.includes(' assistant-platform ')),
    links: (await hasLink(instance.hostLink)) ? [instance.hostLink] : [],
    routes: [
      ...route.split('\n').filter((line) => line.includes(`dev ${instance.hostLink}`)),
      // Shared by all instances: residue only when there is no other.
      ...(alone && (await hasBlackhole()) ? [`blackhole ${TEST_RANGE}`] : []),
    ],
    cgroups: existingCgroups(instance.cgroup),
    nftTables: (await hasNftTable(instance.nftTable)) ? [instance.nftTable] : [],
    records: [
      ...registered.filter(({ id }) => id === instance.id).map(({ id }) => id),
      ...(alone && existsSync(REGISTRY) ? readdirSync(REGISTRY).filter((name) => name !== 'lock') : []).map((name) =>
        join(REGISTRY, name),
      ),
    ],
  };
}

/** Nothing of anything? */
export function isClean(residue: Residue): boolean {
  return Object.values(residue as unknown as Record<string, readonly string[]>).every((list) => list.length === 0);
}
