// vitest globalSetup of the tests that need a real API server: starts or reuses the control plane of this clone, installs our CRD,
// and gives the tests the kubeconfig (`inject('kubeconfig')`). Concurrent runs share it; the last one to end stops it.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clusterStatus, startCluster, stopCluster } from '@assistant-platform/local/cluster';
import type { TestProject } from 'vitest/node';
import { withFileLock } from '../../local/toolchain/lock.ts';
import { installCustomResources } from './custom-resources.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Absolute path of a kubeconfig with full rights on the control plane. */
    readonly kubeconfig: string;
  }
}

const stateDir =
  process.env.TEST_CONTROL_PLANE ?? fileURLToPath(new URL('../../.state/test-control-plane', import.meta.url));
/** One file for each test run that uses the control plane, named by its process id. */
const usersDir = `${stateDir}.users`;

/** A person's own `startCluster` on the same folder counts as a user that never leaves. */
const STANDING = 'standing';

/** Starts or reuses; what it returns is called by vitest at the end. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const kubeconfig = await exclusively(async () => {
    const users = await liveUsers();
    if (users.length === 0 && (await clusterStatus(stateDir)).state === 'running') await enter(STANDING);
    await enter(String(process.pid));
    try {
      const cluster = await startCluster({ stateDir, tier: 'control-plane', fakeNodes: 1 });
      await installCustomResources(cluster.kubeconfig);
      return cluster.kubeconfig;
    } catch (error) {
      await leave();
      throw error;
    }
  });
  project.provide('kubeconfig', kubeconfig);
  return () => exclusively(leave);
}

const exclusively = <T>(work: () => Promise<T>): Promise<T> => withFileLock(`${stateDir}.lock`, 'exclusive', {}, work);

async function enter(user: string): Promise<void> {
  await mkdir(usersDir, { recursive: true });
  await writeFile(join(usersDir, user), '');
}

async function leave(): Promise<void> {
  await rm(join(usersDir, String(process.pid)), { force: true });
  if ((await liveUsers()).length > 0) return;
  await stopCluster(stateDir);
  await rm(usersDir, { recursive: true, force: true });
}

/** Users that still run. A run that was killed has left its file behind: it is removed here. */
async function liveUsers(): Promise<string[]> {
  await mkdir(usersDir, { recursive: true });
  const standing = (await clusterStatus(stateDir)).state === 'running';
  const alive: string[] = [];
  for (const user of await readdir(usersDir)) {
    if (user === STANDING ? standing : isRunning(Number(user))) alive.push(user);
    else await rm(join(usersDir, user), { force: true });
  }
  return alive;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}
