// `bundle NAME`: a support dump without secrets, as one archive.
import { readFileSync } from 'node:fs';
import type { Assistants } from '../assistants.ts';
import { compose } from '../bundle/compose.ts';
import { gather } from '../bundle/gather.ts';
import { tarGz } from '../bundle/tar.ts';
import type { Io } from '../io.ts';
import { writeNewFile } from '../new-file.ts';
import { podRow } from '../pods.ts';
import { historyRows, renderHistory } from '../render/history.ts';
import { makePaint } from '../render/paint.ts';
import { renderSockets, socketsView } from '../render/sockets.ts';
import { renderStatus } from '../render/status.ts';
import { renderWhy } from '../render/why.ts';
import { askSessions } from '../sessions.ts';

export interface BundleOptions {
  /** Path of the archive; by default in the working directory, named after the assistant and the time. */
  readonly out?: string | undefined;
}

export async function bundle(assistants: Assistants, name: string, io: Io, options: BundleOptions): Promise<number> {
  const object = await assistants.read(name);
  const now = io.now();
  const gathered = await gather(assistants.session, object);
  const pods = (await assistants.rawPods(name)) ?? [];
  const sessions = await askSessions(assistants.session, pods);
  const plain = makePaint(false);
  const files = compose({
    name,
    namespace: assistants.session.namespace,
    now,
    gathered,
    pages: {
      'status.txt': renderStatus({ object, pods: pods.map(podRow), now }, plain),
      'why.txt': renderWhy(object, now),
      'sockets.txt': renderSockets(socketsView(object, sessions), now, plain),
      'history.txt': renderHistory(name, historyRows(object, null), now),
    },
    versions: { 'kubectl-assistant': ownVersion(), node: process.version, platform: process.platform },
  });
  const folder = files[0]?.path.split('/')[0] ?? `assistant-${name}`;
  const path = options.out ?? `${folder}.tar.gz`;
  const archive = tarGz(files, now);
  await writeNewFile(path, archive);
  io.stdout.write(`${path}: ${files.length} files, ${Math.ceil(archive.length / 1024)} KiB, without secrets\n`);
  for (const gap of gathered.gaps) io.stderr.write(`not in it: ${gap}\n`);
  return 0;
}

/** The version of this command, from its package.json. */
function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
