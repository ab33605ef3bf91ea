// Makes images known to an instance's containerd, from archives, without a registry.
import { runCommand } from '../toolchain/command.ts';
import { CONTAINERD_SOCKET } from './node.ts';
import type { ProcessIdentity } from './processes.ts';

interface Index {
  readonly manifests: readonly { readonly digest: string }[];
}

/**
 * Imports the archive unless the node has exactly this image under this reference.
 *
 * @param init PID 1 of the instance, as seen from the machine.
 * @throws Error when the archive does not hold an image of that name.
 */
export async function importImage(init: ProcessIdentity, archive: string, ref: string): Promise<void> {
  const index = JSON.parse(await runCommand('tar', ['-xOf', archive, 'index.json'])) as Index;
  const digest = index.manifests[0]?.digest;
  if (digest !== undefined && (await digestOf(init, ref)) === digest) return;
  await ctr(init, ['images', 'import', archive]);
  const loaded = await digestOf(init, ref);
  if (loaded === undefined) throw new Error(`${archive} holds no image named ${ref}`);
  // The kubelet removes unused images when the disk is full; containerd 1.7 and later keep what is pinned.
  await ctr(init, ['images', 'label', ref, 'io.cri-containerd.pinned=pinned']);
}

/** Digest of the manifest that the reference names on the node, or undefined. */
export async function digestOf(init: ProcessIdentity, ref: string): Promise<string | undefined> {
  const table = await ctr(init, ['images', 'list', `name==${ref}`]);
  const row = table.split('\n').find((line) => line.startsWith(`${ref} `));
  return row?.split(/\s+/)[2];
}

function ctr(init: ProcessIdentity, args: readonly string[]): Promise<string> {
  // The socket and the state folder have their names only inside the instance's mount namespace.
  const inside = ['--target', String(init.pid), '--mount', '--wdns=/', '--'];
  return runCommand('nsenter', [...inside, 'ctr', '--address', CONTAINERD_SOCKET, '--namespace', 'k8s.io', ...args]);
}
