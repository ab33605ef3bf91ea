// Kubeconfigs that point at the real API server in wrong ways, for the errors that people meet.
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

interface KubeConfigFile {
  clusters: { cluster: Record<string, string> }[];
  users: { user: Record<string, string> }[];
}

/** A copy of a kubeconfig in a new folder below `parent`, with its cluster's and its user's members changed. */
export async function misdirected(
  kubeconfig: string,
  parent: string,
  change: { readonly server?: (server: string) => string; readonly user?: Readonly<Record<string, string>> },
): Promise<string> {
  const file = parse(await readFile(kubeconfig, 'utf8')) as KubeConfigFile;
  for (const { cluster } of file.clusters)
    cluster.server = change.server?.(cluster.server ?? '') ?? cluster.server ?? '';
  if (change.user !== undefined) for (const entry of file.users) entry.user = { ...change.user };
  const path = join(await mkdtemp(join(parent, 'kubeconfig-')), 'config');
  await writeFile(path, stringify(file), { mode: 0o600 });
  return path;
}

/** The address of a port on loopback where nobody listens: it was free a moment ago. */
export async function deadAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}
