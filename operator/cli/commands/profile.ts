// `profile POD`: where a running pod's time or memory goes, as a file for the performance panels of browsers and editors.
import { Writable } from 'node:stream';
import { CoreV1Api, Exec, type V1Status } from '@kubernetes/client-node';
import { type Assistants, explain, isStatus } from '../assistants.ts';
import { CommandError } from '../errors.ts';
import type { Io } from '../io.ts';
import { demandNew, writeNewFile } from '../new-file.ts';
import { IN_CONTAINER, inPodSource, type ProfileKind } from '../profile/in-pod.ts';
import type { Done } from '../render/outcome.ts';
import type { Session } from '../session.ts';
import { reportDone, type ReportOptions } from './report.ts';

/** What is measured, where to, and in which form it is told. */
export interface ProfileOptions extends ReportOptions {
  readonly kind: ProfileKind;
  readonly seconds: number;
  /** Default: the pod's default container, or its first. */
  readonly container?: string | undefined;
  /** Path of the file; by default in the working directory, named after the pod. */
  readonly out?: string | undefined;
}

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';
/** Endings that Chrome's and VS Code's panels know. */
const ENDINGS: Readonly<Record<ProfileKind, string>> = { cpu: 'cpuprofile', heap: 'heapprofile' };

/** What `-o json` prints. */
interface Profiled extends Done {
  readonly container: string;
  readonly kind: ProfileKind;
  readonly seconds: number;
  /** Path of the profile. */
  readonly file: string;
}

/** Takes a profile. @returns the exit code. @throws CommandError NotFound, Refused; BadUsage when the file is there already. */
export async function profile(
  { session }: Assistants,
  pod: string,
  io: Io,
  { kind, seconds, container: wanted, out, json }: ProfileOptions,
): Promise<number> {
  if (out !== undefined) demandNew(out);
  const container = wanted ?? (await defaultContainer(session, pod));
  io.stderr.write(`${pod}/${container}: ${kind} for ${seconds} s ...\n`);
  const text = await runInside(session, pod, container, inPodSource({ kind, seconds, ...IN_CONTAINER }));
  const path = out ?? `${pod}-${io.now()}.${ENDINGS[kind]}`;
  await writeNewFile(path, text);
  const message = "open it in the performance or memory panel of Chrome's DevTools, or in VS Code";
  const done: Profiled = {
    ...{ verb: 'profile', namespace: session.namespace, name: pod, changed: false, message },
    ...{ container, kind, seconds, file: path },
  };
  return reportDone(io, done, [`${path}: ${message}`], [], { json });
}

/** @throws CommandError NotFound, and what explain() makes of the rest. */
async function defaultContainer(session: Session, name: string): Promise<string> {
  const { namespace } = session;
  try {
    const { metadata, spec } = await session.config.makeApiClient(CoreV1Api).readNamespacedPod({ namespace, name });
    return metadata?.annotations?.[DEFAULT_CONTAINER] ?? spec?.containers[0]?.name ?? '';
  } catch (error) {
    if (!isStatus(error, 404)) throw explain(error, session);
    throw new CommandError('NotFound', `there is no pod "${name}" in namespace ${namespace}: name one, with -n`);
  }
}

/** Runs a program in the container's Node.js. @returns what it printed. @throws CommandError with what it complained of. */
async function runInside(session: Session, pod: string, container: string, source: string): Promise<string> {
  const [stdout, stderr] = [new Gathered(), new Gathered()];
  const { promise: ended, resolve, reject } = Promise.withResolvers<V1Status>();
  const command = ['node', '--input-type=module', '--eval', source];
  try {
    const exec = new Exec(session.config);
    const { namespace } = session;
    const socket = await exec.exec(namespace, pod, container, command, stdout, stderr, null, false, resolve);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection ended before the profile was there')));
  } catch (error) {
    throw refused(session, pod, error);
  }
  const { status, message = '' } = await ended.catch((error: unknown) => Promise.reject(refused(session, pod, error)));
  if (status === 'Success') return stdout.text;
  const said = /Error: .*/.exec(stderr.text)?.[0] ?? message;
  throw new CommandError('Refused', `${pod}/${container} gave no profile: ${said} (it needs Node.js 22 as process 1)`);
}

/** What the handshake of an exec fails with says little: it needs rights that a reader of assistants may not have. */
function refused({ namespace }: Session, pod: string, error: unknown): CommandError {
  const said = error instanceof Error ? error.message : JSON.stringify(error);
  const needs = `it needs "create" on pods/exec in namespace ${namespace}`;
  return new CommandError('Refused', `no program can be run in ${pod}: ${said}; ${needs}`, { cause: error });
}

/** Keeps what is written to it. */
class Gathered extends Writable {
  readonly #parts: Buffer[] = [];

  override _write(part: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#parts.push(part);
    done();
  }

  get text(): string {
    return Buffer.concat(this.#parts).toString('utf8');
  }
}
