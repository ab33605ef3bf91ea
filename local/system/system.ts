/**
 * Makes sure that the operating system has what the embedded cluster needs: looks for the programs, and installs the
 * Debian packages that carry them where it may.
 */
import { access, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Progress, silentProgress } from '../progress/progress.ts';
import { locate } from '../toolchain/path-tools.ts';
import { installPackages } from './install.ts';
import {
  BASE_REQUIREMENTS,
  CNI_FOLDERS,
  decideInstall,
  NODE_REQUIREMENTS,
  type Situation,
  type SystemRequirement,
} from './requirements.ts';

export { rootNeeded } from '../bootstrap/prerequisites.mjs';

/** Administrators' programs, which are not in the PATH of everybody. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];

/** Which tier of the embedded cluster: without a node nothing but flock is needed. */
export type SystemTier = 'control-plane' | 'node';

/**
 * Installs what is missing for a tier.
 * @throws with one message that names everything that is missing, and the ways on, when it may not install.
 */
export async function ensureSystem(tier: SystemTier, progress: Progress = silentProgress): Promise<void> {
  const missing = await missingFor(tier);
  const decision = decideInstall(missing, await situation());
  if (decision.kind === 'nothing') return;
  if (decision.kind === 'refuse') throw new Error(decision.message);
  await installPackages(decision.packages, progress);
  const still = await missingFor(tier);
  if (still.length > 0) {
    const files = still.map((requirement) => `${requirement.file} (${requirement.package})`).join(', ');
    throw new Error(`The packages were installed, but these are still not found: ${files}. Install them by hand.`);
  }
}

/** What a tier needs and this machine lacks. */
export async function missingFor(tier: SystemTier): Promise<SystemRequirement[]> {
  const needed = tier === 'node' ? [...BASE_REQUIREMENTS, ...NODE_REQUIREMENTS] : BASE_REQUIREMENTS;
  const found = await Promise.all(needed.map((requirement) => find(requirement.file)));
  return needed.filter((_, index) => found[index] === undefined);
}

/** Where a required file is, or undefined. A CNI plugin may lie in the folder of another distribution. */
async function find(file: string): Promise<string | undefined> {
  const path = [process.env['PATH'] ?? '', ...SYSTEM_FOLDERS].join(':');
  if (!file.startsWith('/')) return locate(file, path);
  for (const folder of CNI_FOLDERS) {
    const candidate = join(folder, basename(file));
    if (await exists(candidate)) return candidate;
  }
  return undefined;
}

async function situation(): Promise<Situation> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return {
    isRoot: process.getuid?.() === 0,
    hasAptGet: (await locate('apt-get')) !== undefined,
    system: /^PRETTY_NAME="?([^"\n]+)/m.exec(release)?.[1] ?? 'an unknown system',
  };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
