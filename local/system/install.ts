/**
 * Installs Debian packages without side effects: the packages bring services (Debian's own containerd), and neither
 * may one start now or at the next boot because of us, nor may one that ran before be touched.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Progress, type Task } from '../progress/progress.ts';
import { APT_ENVIRONMENT, APT_OPTIONS, updateLists } from '../toolchain/apt.ts';
import { cacheRoot } from '../toolchain/cache.ts';
import { CommandError, runCommand } from '../toolchain/command.ts';
import { withFileLock } from '../toolchain/lock.ts';
import { locate } from '../toolchain/path-tools.ts';

/** invoke-rc.d and systemd's helpers ask this script before they start a service; 101 means "not allowed". */
const POLICY = '/usr/sbin/policy-rc.d';
const MARK = '# Written by assistant-platform while it installs packages; removed afterwards.';
const POLICY_SCRIPT = `#!/bin/sh\n${MARK}\nexit 101\n`;

/** Services of packages that we install, which must not run on a machine only because of us. */
const SERVICES: Readonly<Record<string, string>> = { containerd: 'containerd.service' };

/** What was installed by us is written here, so that a person can see it and remove it. */
export const INSTALLED_FILE = join(cacheRoot(), 'installed-system-packages.json');

/**
 * Installs packages as root; the package lists are refreshed when they do not know what is asked for.
 * @throws when apt-get fails, with its last lines.
 */
export async function installPackages(packages: readonly string[], progress: Progress): Promise<void> {
  await progress.task(`install ${packages.join(', ')}`, { estimateSeconds: 30, remedy: remedy(packages) }, (task) =>
    withFileLock(join(cacheRoot(), 'install.lock'), 'exclusive', {}, async () => {
      const before = await Promise.all(packages.map((name) => isInstalled(name)));
      const fresh = packages.filter((_, index) => before[index] === false);
      await withoutServices(() => aptInstall(packages, task));
      await disableServices(fresh, task);
      await remember(fresh);
    }),
  );
}

function remedy(packages: readonly string[]): string {
  return `install them by hand (apt-get update; apt-get install ${packages.join(' ')}) and run the same command again.`;
}

async function aptInstall(packages: readonly string[], task: Task): Promise<void> {
  const install = (): Promise<string> =>
    runCommand('apt-get', [...APT_OPTIONS, '--no-install-recommends', 'install', ...packages], {
      env: APT_ENVIRONMENT,
      onLine: (line) => task.log(line),
    });
  await install().catch(async (error: unknown) => {
    // Lists that are missing or old are the usual cause; a second failure is a real one.
    if (!(error instanceof CommandError)) throw error;
    await updateLists(task);
    return install();
  });
}

/** Forbids that packages start their services while `work` runs. A policy that the machine has is left alone. */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  const existing = await readFile(POLICY, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  // One with our mark is what a killed run left.
  const ours = existing === undefined || existing.includes(MARK);
  if (ours) await writeFile(POLICY, POLICY_SCRIPT, { mode: 0o755 });
  try {
    await work();
  } finally {
    if (ours) await rm(POLICY, { force: true });
  }
}

/** Packages enable their services for the next boot; those that were not there before are disabled again. */
async function disableServices(fresh: readonly string[], task: Task): Promise<void> {
  if ((await locate('systemctl')) === undefined) return;
  for (const name of fresh) {
    const service = SERVICES[name];
    if (service === undefined) continue;
    task.status(`disabling ${service}`);
    // Works without a running systemd too: it only removes links.
    await runCommand('systemctl', ['disable', service], { onLine: (line) => task.log(line) });
  }
}

async function isInstalled(name: string): Promise<boolean> {
  return runCommand('dpkg-query', ['-W', '-f', '${db:Status-Status}', name]).then(
    (status) => status === 'installed',
    (error: unknown) => {
      // dpkg-query ends with 1 for a package that it has never heard of.
      if (error instanceof CommandError && error.status === 1) return false;
      throw error;
    },
  );
}

async function remember(fresh: readonly string[]): Promise<void> {
  const known = await installedByUs();
  await writeFile(INSTALLED_FILE, `${JSON.stringify([...new Set([...known, ...fresh])].sort(), null, 2)}\n`);
}

/** The system packages that this project has installed on this machine. */
export async function installedByUs(): Promise<string[]> {
  const text = await readFile(INSTALLED_FILE, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '[]';
    throw error;
  });
  const list: unknown = JSON.parse(text);
  return Array.isArray(list) ? list.filter((name) => typeof name === 'string') : [];
}
