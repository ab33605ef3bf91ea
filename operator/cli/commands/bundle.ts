// `bundle NAME`: a support dump without secrets, as one archive.
import { readFileSync } from 'node:fs';
import type { Assistants } from '../assistants.ts';
import { compose } from '../bundle/compose.ts';
import { gather } from '../bundle/gather.ts';
import { tarGz } from '../bundle/tar.ts';
import type { Io } from '../io.ts';
import { demandNew, writeNewFile } from '../new-file.ts';
import { podRow } from '../pods.ts';
import type { Done } from '../render/outcome.ts';
import { historyRows, renderHistory } from '../render/history.ts';
import { makePaint } from '../render/paint.ts';
import { renderSockets, socketsView } from '../render/sockets.ts';
import { renderStatus } from '../render/status.ts';
import { renderWhy } from '../render/why.ts';
import { askSessions } from '../sessions.ts';
import { reportDone, type ReportOptions } from './report.ts';

/** Where to, and in which form it is told. */
export interface BundleOptions extends ReportOptions {
  /** Path of the archive; by default in the working directory, named after the assistant and the time. */
  readonly out?: string | undefined;
}

/** What `-o json` prints. */
interface Bundled extends Done {
  /** Path of the archive. */
  readonly file: string;
  /** Number of files in it. */
  readonly files: number;
  readonly bytes: number;
  /** What could not be read, one sentence each. */
  readonly gaps: readonly string[];
}

/** Writes the archive. @returns the exit code. @throws CommandError BadUsage when the file is there already. */
export async function bundle(assistants: Assistants, name: string, io: Io, options: BundleOptions): Promise<number> {
  if (options.out !== undefined) demandNew(options.out);
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
  const message = `${files.length} files, ${Math.ceil(archive.length / 1024)} KiB, without secrets`;
  const { namespace } = assistants.session;
  const { gaps } = gathered;
  const done: Bundled = {
    ...{ verb: 'bundle', namespace, name, changed: false, message },
    ...{ file: path, files: files.length, bytes: archive.length, gaps },
  };
  const warnings = gaps.map((gap) => `not in it: ${gap}`);
  return reportDone(io, done, [`${path}: ${message}`], warnings, options);
}

/** The version of this command, from its package.json. */
function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
