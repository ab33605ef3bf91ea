// What instances with a node change on the machine outside their namespaces, and how it is undone: the link and its route, the
// blackhole route, a few kernel settings, forwarding for egress. Kept in /run/assistant-platform, so a reboot forgets it as the kernel does.
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TEST_RANGE, addressPlan, freeIndex } from './addresses.ts';
import type { AddressPlan } from './addresses.ts';
import { createCgroup, removeCgroup } from './cgroups.ts';
import { runCommand as run } from '../toolchain/command.ts';
import { withFileLock } from '../toolchain/lock.ts';
import { cacheRoot } from '../toolchain/cache.ts';
import { filesOf } from './instance.ts';
import type { Instance } from './instance.ts';
import { NODE_LINK } from './namespace.ts';
import { isAlive } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';
import { readJson, writeAtomically } from './state-file.ts';

/** The machine's record of its instances. */
export const REGISTRY = '/run/assistant-platform';

/** One instance as the machine knows it. */
export interface Registration {
  readonly id: string;
  readonly stateDir: string;
  readonly hostLink: string;
  readonly nftTable: string;
  readonly cgroup: string;
  readonly index: number;
  readonly egress: boolean;
  /** PID 1 of the instance, as seen from the machine. */
  readonly init: ProcessIdentity;
}

/** kubelet writes these, and they are the machine's, not the namespace's. */
const SHARED_SETTINGS = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
] as const;
const FORWARDING = 'net/ipv4/ip_forward';

/** Runs `work` while no other launcher changes the machine. */
export function withMachine<T>(work: () => Promise<T>): Promise<T> {
  return withFileLock(join(REGISTRY, 'lock'), 'exclusive', {}, work);
}

/** All registered instances, running or killed. */
export async function registrations(): Promise<Registration[]> {
  if (!existsSync(instancesDir())) return [];
  const names = (await readdir(instancesDir())).filter((name) => name.endsWith('.json'));
  const found = await Promise.all(names.map((name) => readJson<Registration>(join(instancesDir(), name))));
  return found.filter((each) => each !== undefined);
}

/** Undoes what instances left whose processes were killed. Call it under {@link withMachine}. */
export async function sweep(): Promise<void> {
  for (const each of await registrations()) if (!isAlive(each.init)) await release(each);
}

/**
 * Prepares the machine for an instance: an index that nobody uses, the blackhole route, its cgroup. Call it under
 * {@link withMachine}, and {@link register} under the same hold.
 *
 * @param wanted the index that the instance had before: its Services have addresses there, which cannot change.
 * @throws Error when another instance runs with that index.
 */
export async function prepare(instance: Instance, wanted: number | undefined): Promise<AddressPlan> {
  const plan = addressPlan(await chooseIndex(instance, wanted));
  await recordSettings();
  await ensureBlackhole();
  await createCgroup(instance.cgroup);
  return plan;
}

/** Links the machine with the instance's network namespace, and records the instance. */
export async function register(
  instance: Instance,
  plan: AddressPlan,
  init: ProcessIdentity,
  egress: boolean,
): Promise<void> {
  const { id, stateDir, hostLink, nftTable, cgroup } = instance;
  const registration: Registration = { id, stateDir, hostLink, nftTable, cgroup, index: plan.index, egress, init };
  await mkdir(instancesDir(), { recursive: true });
  await writeAtomically(recordOf(id), JSON.stringify(registration, undefined, 2));
  // A namespace that was killed a moment ago may not have let go of its link yet.
  await deleteLink(hostLink);
  const peer = ['peer', 'name', NODE_LINK, 'netns', String(init.pid)];
  await run('ip', ['link', 'add', hostLink, 'type', 'veth', ...peer]);
  await run('ip', ['address', 'add', `${plan.host}/30`, 'dev', hostLink]);
  await run('ip', ['link', 'set', hostLink, 'up']);
  await run('ip', ['route', 'add', plan.range, 'via', plan.node, 'dev', hostLink]);
  if (egress) await allowEgress(instance, plan);
}

/** Undoes {@link register} and {@link prepare}; with the last instance also what all shared. Safe to repeat. */
export async function release(instance: Pick<Registration, 'id' | 'hostLink' | 'nftTable' | 'cgroup'>): Promise<void> {
  // Its end in the namespace and its route go with it. It is gone already when the namespace ended first.
  await deleteLink(instance.hostLink);
  if (await hasNftTable(instance.nftTable)) await run('nft', ['delete', 'table', 'ip', instance.nftTable]);
  await removeCgroup(instance.cgroup);
  await rm(recordOf(instance.id), { force: true });
  const others = await registrations();
  if (!others.some(({ egress }) => egress)) await restore([FORWARDING]);
  if (others.length > 0) return;
  if (await hasBlackhole()) await run('ip', ['route', 'delete', 'blackhole', TEST_RANGE]);
  await restore(SHARED_SETTINGS);
  await rm(settingsFile(), { force: true });
  await rm(instancesDir(), { recursive: true, force: true });
}

/** Is the blackhole route there? */
export async function hasBlackhole(): Promise<boolean> {
  return (await run('ip', ['route', 'show', 'type', 'blackhole'])).includes(TEST_RANGE);
}

/** Is there a network device of that name? */
export async function hasLink(name: string): Promise<boolean> {
  const links = JSON.parse(await run('ip', ['-json', 'link', 'show'])) as readonly { readonly ifname: string }[];
  return links.some(({ ifname }) => ifname === name);
}

/** Is there an nftables table of that name (family ip)? */
export async function hasNftTable(name: string): Promise<boolean> {
  return (await run('nft', ['list', 'tables'])).split('\n').includes(`table ip ${name}`);
}

/** The kernel deletes it, too, when the namespace at its other end ends: that may happen at any moment. */
async function deleteLink(name: string): Promise<void> {
  if (!(await hasLink(name))) return;
  await run('ip', ['link', 'delete', name]).catch(async (error: unknown) => {
    if (await hasLink(name)) throw error;
  });
}

async function ensureBlackhole(): Promise<void> {
  if (await hasBlackhole()) return;
  const taken = (await run('ip', ['route', 'show', 'root', TEST_RANGE])).trim();
  if (taken !== '') {
    throw new Error(
      `The embedded cluster needs the network ${TEST_RANGE}, but this machine has other routes there: ${taken.split('\n').join('; ')}. ` +
        'Remove what made them (often a VPN or proxy), or use a cluster of your own with --context NAME.',
    );
  }
  await run('ip', ['route', 'add', 'blackhole', TEST_RANGE]);
}

async function chooseIndex(instance: Instance, wanted: number | undefined): Promise<number> {
  const others = (await registrations()).filter(({ id }) => id !== instance.id);
  const kept = Object.entries((await readJson<Record<string, number>>(indexFile())) ?? {}).filter(
    ([stateDir]) => stateDir !== instance.stateDir && existsSync(filesOf(stateDir).specification),
  );
  const holder = others.find(({ index }) => index === wanted);
  if (holder !== undefined) {
    throw new Error(
      `The network of ${instance.stateDir} is in use by another embedded cluster, ${holder.stateDir}. ` +
        'Stop that one, or remove the state of this one (npm run clean).',
    );
  }
  const index = wanted ?? freeIndex(new Set(others.map((each) => each.index)), new Set(kept.map(([, each]) => each)));
  await mkdir(cacheRoot(), { recursive: true });
  await writeAtomically(
    indexFile(),
    JSON.stringify(Object.fromEntries([...kept, [instance.stateDir, index]]), undefined, 2),
  );
  return index;
}

/** Which instance has which index, also while it is stopped: outlives a reboot, as the instances' data does. */
function indexFile(): string {
  return join(cacheRoot(), 'networks.json');
}

async function recordSettings(): Promise<void> {
  if (existsSync(settingsFile())) return;
  const settings: Record<string, string> = {};
  for (const name of [...SHARED_SETTINGS, FORWARDING]) {
    const path = join('/proc/sys', name);
    if (existsSync(path)) settings[name] = (await readFile(path, 'utf8')).trim();
  }
  await mkdir(REGISTRY, { recursive: true });
  await writeAtomically(settingsFile(), JSON.stringify(settings, undefined, 2));
}

/** Gives the settings the values that they had before the first instance. */
async function restore(names: readonly string[]): Promise<void> {
  const settings = (await readJson<Record<string, string>>(settingsFile())) ?? {};
  for (const name of names) {
    const path = join('/proc/sys', name);
    const value = settings[name];
    if (value !== undefined && (await readFile(path, 'utf8')).trim() !== value) await writeFile(path, value);
  }
}

async function allowEgress({ nftTable, hostLink }: Instance, plan: AddressPlan): Promise<void> {
  await writeFile(join('/proc/sys', FORWARDING), '1');
  // Destinations inside the test range are for the other instances' eyes only: they are never masqueraded, and the blackhole ends them.
  await run('nft', [
    `table ip ${nftTable} {
      chain postrouting {
        type nat hook postrouting priority srcnat;
        ip saddr ${plan.range} oifname != "${hostLink}" ip daddr != ${TEST_RANGE} masquerade
      }
    }`,
  ]);
}

function instancesDir(): string {
  return join(REGISTRY, 'instances');
}

function recordOf(id: string): string {
  return join(instancesDir(), `${id}.json`);
}

function settingsFile(): string {
  return join(REGISTRY, 'settings.json');
}
