// Turns a parsed Containerfile into what the image will be: its base, the copies to make and the OCI config. Pure.
import { posix } from 'node:path';
import { ContainerfileError, expandWord, type Instruction, type Word } from './containerfile.ts';

/** The `config` object of an OCI image (image-spec, config.md); field names are the specification's. */
export interface ContainerConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
}

/** A layer to add: files copied from the context, or a folder that only has to exist. */
export type LayerStep = { readonly line: number; readonly created: string } & (
  | {
      readonly kind: 'copy';
      readonly sources: readonly string[];
      readonly destination: string;
      readonly intoFolder: boolean;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly kind: 'folder'; readonly path: string }
);

/** What a Containerfile asks for, all variables put in. */
export interface ImagePlan {
  readonly from: string;
  readonly steps: readonly LayerStep[];
  /** The config on top of the base image's. */
  readonly config: ContainerConfig;
}

/**
 * The base reference of a Containerfile; its config must be known before the rest can be planned.
 *
 * @throws ContainerfileError when FROM is empty after variables are put in
 */
export function baseOf(
  instructions: readonly Instruction[],
  file: string,
  buildArgs: ReadonlyMap<string, string>,
): string {
  const variables = new Map<string, string>();
  for (const instruction of instructions) {
    if (instruction.kind === 'ARG') declareArg(instruction, variables, buildArgs);
    if (instruction.kind !== 'FROM') continue;
    const from = expandWord(instruction.ref, variables);
    if (from === '')
      throw new ContainerfileError(
        file,
        instruction.line,
        'FROM is empty after its variables are put in: give the ARG a value.',
      );
    return from;
  }
  throw new ContainerfileError(file, 1, 'there is no FROM.');
}

/**
 * Plans an image.
 *
 * @param instructions - of one Containerfile
 * @param file - the name to put into errors
 * @param buildArgs - values for ARG, as `docker build --build-arg` gives them; one that no ARG declares is an error
 * @param base - config of the base image
 * @throws ContainerfileError for a value that cannot be used
 */
export function planImage(
  instructions: readonly Instruction[],
  file: string,
  buildArgs: ReadonlyMap<string, string>,
  base: ContainerConfig,
): ImagePlan {
  const from = baseOf(instructions, file, buildArgs);
  const declared = new Set(
    instructions.flatMap((instruction) => (instruction.kind === 'ARG' ? [instruction.name] : [])),
  );
  for (const name of buildArgs.keys()) {
    if (!declared.has(name))
      throw new ContainerfileError(file, 1, `build argument ${name} is given but no ARG ${name} takes it.`);
  }
  const env = new Map((base.Env ?? []).map((entry) => splitEnv(entry)));
  const args = new Map<string, string>();
  const labels = new Map(Object.entries(base.Labels ?? {}));
  const ports = new Set(Object.keys(base.ExposedPorts ?? {}));
  const volumes = new Set(Object.keys(base.Volumes ?? {}));
  const steps: LayerStep[] = [];
  let workingDir = base.WorkingDir ?? '/';
  let { User: user, Entrypoint: entrypoint, Cmd: cmd, StopSignal: stopSignal } = base;
  let started = false;

  for (const instruction of instructions) {
    const { line } = instruction;
    const expand = (word: Word): string => expandWord(word, new Map([...args, ...env]));
    if (instruction.kind === 'FROM') started = true;
    if (!started || instruction.kind === 'FROM') continue;
    switch (instruction.kind) {
      case 'ARG':
        declareArg(instruction, args, buildArgs, env);
        break;
      case 'ENV':
      case 'LABEL': {
        // All pairs of one instruction see the values from before it, as in Docker.
        const pairs = instruction.pairs.map(([key, value]) => [key, expand(value)] as const);
        for (const [key, value] of pairs) (instruction.kind === 'ENV' ? env : labels).set(key, value);
        break;
      }
      case 'COPY':
        steps.push(copyStep(instruction, expand, workingDir, file));
        break;
      case 'WORKDIR':
        workingDir = posix.resolve(workingDir, expand(instruction.value));
        steps.push({ kind: 'folder', line, path: workingDir, created: `WORKDIR ${workingDir}` });
        break;
      case 'USER':
        user = expand(instruction.value);
        if (!/^\d+(:\d+)?$/.test(user)) {
          throw new ContainerfileError(
            file,
            line,
            `USER ${user}: give numbers (uid:gid), so that Kubernetes can check runAsNonRoot.`,
          );
        }
        break;
      case 'EXPOSE':
        for (const port of instruction.values.map(expand)) ports.add(exposedPort(port, file, line));
        break;
      case 'VOLUME':
        for (const volume of instruction.values.map(expand)) volumes.add(volume);
        break;
      case 'STOPSIGNAL':
        stopSignal = expand(instruction.value);
        break;
      case 'ENTRYPOINT':
        entrypoint = instruction.argv;
        // An inherited CMD was meant for the inherited entry point.
        cmd = instructions.some((other) => other.kind === 'CMD') ? cmd : undefined;
        break;
      case 'CMD':
        cmd = instruction.argv;
        break;
    }
  }
  const config: ContainerConfig = {
    ...(user === undefined ? {} : { User: user }),
    ...(ports.size === 0 ? {} : { ExposedPorts: emptyObjects(ports) }),
    Env: [...env].map(([key, value]) => `${key}=${value}`),
    ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
    ...(cmd === undefined ? {} : { Cmd: cmd }),
    ...(volumes.size === 0 ? {} : { Volumes: emptyObjects(volumes) }),
    WorkingDir: workingDir,
    ...(labels.size === 0 ? {} : { Labels: Object.fromEntries([...labels].toSorted(([a], [b]) => (a < b ? -1 : 1))) }),
    ...(stopSignal === undefined ? {} : { StopSignal: stopSignal }),
  };
  return { from, steps, config };
}

function declareArg(
  instruction: Extract<Instruction, { kind: 'ARG' }>,
  args: Map<string, string>,
  buildArgs: ReadonlyMap<string, string>,
  env: ReadonlyMap<string, string> = new Map(),
): void {
  const given = buildArgs.get(instruction.name);
  if (given !== undefined) args.set(instruction.name, given);
  else if (instruction.value !== undefined)
    args.set(instruction.name, expandWord(instruction.value, new Map([...args, ...env])));
}

function copyStep(
  instruction: Extract<Instruction, { kind: 'COPY' }>,
  expand: (word: Word) => string,
  workingDir: string,
  file: string,
): LayerStep {
  const { line } = instruction;
  const sources = instruction.sources.map((word) => contextPath(expand(word), file, line));
  const written = expand(instruction.destination);
  const intoFolder = written.endsWith('/') || written === '.';
  if (sources.length > 1 && !intoFolder) {
    throw new ContainerfileError(file, line, `COPY of several sources: the destination ${written} must end with "/".`);
  }
  const destination = posix.resolve(workingDir, written);
  const owner = instruction.chown === undefined ? '0:0' : expand(instruction.chown);
  const match = /^(\d+)(?::(\d+))?$/.exec(owner);
  if (match === null) throw new ContainerfileError(file, line, `COPY --chown=${owner}: give numbers, uid or uid:gid.`);
  const uid = Number(match[1]);
  const gid = Number(match[2] ?? match[1]);
  return {
    kind: 'copy',
    line,
    sources,
    destination,
    intoFolder,
    uid,
    gid,
    created: `COPY ${sources.join(' ')} ${destination}`,
  };
}

/** A path inside the build context, without leading or trailing slash; '' is the whole context. */
function contextPath(written: string, file: string, line: number): string {
  const path = posix.normalize(`/${written}`).replace(/^\/+|\/+$/g, '');
  if (posix.normalize(written).startsWith('..')) {
    throw new ContainerfileError(file, line, `COPY ${written}: the source lies outside the build context.`);
  }
  return path;
}

function exposedPort(port: string, file: string, line: number): string {
  const match = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(port);
  if (match === null || Number(match[1]) > 65_535)
    throw new ContainerfileError(file, line, `EXPOSE ${port}: give a port such as 8080 or 53/udp.`);
  return `${match[1] ?? ''}/${match[2] ?? 'tcp'}`;
}

function splitEnv(entry: string): readonly [string, string] {
  const at = entry.indexOf('=');
  return [entry.slice(0, at), entry.slice(at + 1)];
}

function emptyObjects(keys: Iterable<string>): Record<string, object> {
  return Object.fromEntries([...keys].toSorted().map((key) => [key, {}]));
}
