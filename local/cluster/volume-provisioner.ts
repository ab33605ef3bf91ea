// Gives every PersistentVolumeClaim of the StorageClass `standard` a folder below the state folder, and removes the folder when
// the claim is gone. A component of instances with a node. Usage: node volume-provisioner.ts <kubeconfig> <folder of volumes>
//
// Everything is decided from what the API server says, and each step may be repeated: it may be killed at any point.
import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PROVISIONER } from './add-ons.ts';
import { ApiClient } from './api-client.ts';
import { volumeFor } from './volumes.ts';
import type { Claim, Volume } from './volumes.ts';

interface Listed {
  readonly items: readonly unknown[];
  readonly metadata: { readonly resourceVersion: string };
}

const CLAIMS = '/api/v1/persistentvolumeclaims';
const VOLUMES = '/api/v1/persistentvolumes';
const RETRY_MS = 500;

const [kubeconfig, folder] = process.argv.slice(2);
if (kubeconfig === undefined || folder === undefined)
  throw new Error('usage: node volume-provisioner.ts <kubeconfig> <folder>');
const api = new ApiClient(readFileSync(kubeconfig, 'utf8'));
process.on('SIGTERM', () => process.exit(0));
mkdirSync(folder, { recursive: true });
process.stdout.write(`${new Date().toISOString()} provisioning volumes in ${folder}\n`);
void follow(VOLUMES, (object) => reclaim(object as Volume));
void follow(CLAIMS, (object) => provision(object as Claim));

/** Calls `handle` for every object there is and every change, for ever. What fails is said, and tried again from a new list. */
async function follow(path: string, handle: (object: unknown) => Promise<void>): Promise<never> {
  for (;;) {
    const ended = new AbortController();
    try {
      const list = await api.get<Listed>(path);
      if (list === undefined) throw new Error(`${path} is not served`);
      // One claim that cannot be served must not keep the others waiting.
      const failed = (await Promise.allSettled(list.items.map(handle))).find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
      const from = `${path}?watch=1&timeoutSeconds=300&resourceVersion=${list.metadata.resourceVersion}`;
      for await (const event of api.watch<{ readonly type: string; readonly object: unknown }>(from, ended.signal)) {
        if (event.type === 'ERROR') break; // the version is too old: list again
        if (event.type !== 'DELETED') await handle(event.object);
      }
    } catch (error) {
      process.stdout.write(
        `${new Date().toISOString()} ${path}: ${error instanceof Error ? error.message : String(error)}\n`,
      );
      await delay(RETRY_MS);
    } finally {
      ended.abort();
    }
  }
}

async function provision(claim: Claim): Promise<void> {
  const volume = volumeFor(claim, folder as string);
  if (volume === undefined) return;
  const path = volume.spec.hostPath.path;
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o777); // whoever the pod runs as; mkdir's mode is subject to the umask
  await api.apply(volume);
  process.stdout.write(`${new Date().toISOString()} ${claim.metadata.namespace}/${claim.metadata.name}: ${path}\n`);
}

async function reclaim(volume: Volume): Promise<void> {
  if (volume.metadata.annotations?.['pv.kubernetes.io/provisioned-by'] !== PROVISIONER) return;
  if (volume.status?.phase !== 'Released') return;
  const { name } = volume.metadata;
  // Never by the path that the object names: only what lies directly in our own folder may be removed.
  if (readdirSync(folder as string).includes(name)) rmSync(join(folder as string, name), { recursive: true });
  await api.delete(`${VOLUMES}/${name}`);
  process.stdout.write(`${new Date().toISOString()} ${name}: removed\n`);
}
