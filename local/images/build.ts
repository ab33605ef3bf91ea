// Builds one image: the key of all its inputs first, and work only when that key has not been built before.
import { mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensureFolder, isFolder } from '../toolchain/cache.ts';
import { writeArchive } from './archive.ts';
import { BASES, type Base, type BaseKind, type BaseSource } from './bases.ts';
import { type ImageDefinition, imageOfRef, refOf } from './catalogue.ts';
import { type Instruction, parseContainerfile } from './containerfile.ts';
import { type BuildContext, layerEntries, readContext } from './contexts.ts';
import { type Fingerprints, hashText } from './fingerprint.ts';
import { ensureLayer, LAYER_MEDIA_TYPE, type Layer } from './layers.ts';
import { removeOldBuilds } from './prune.ts';
import { baseOf, type ContainerConfig, planImage } from './plan.ts';
import { type ImageEnvironment, type ResolvedSource, resolveSource } from './sources.ts';

/** Part of every key: raise it when the same inputs shall give another image. */
const BUILDER = `builder 1, ${LAYER_MEDIA_TYPE}`;

/** An image in the cache. */
export interface BuiltImage {
  readonly name: string;
  readonly version: string;
  /** Reference with tag, such as `localhost/assistant/chat:1.0.0`. */
  readonly ref: string;
  /** Absolute path of the OCI archive. */
  readonly archive: string;
  /** `sha256:...` of the manifest. */
  readonly digest: string;
  /** `sha256:...` of the config: the image id of the kubelet and of Docker. */
  readonly configDigest: string;
  /** Bytes of the archive. */
  readonly size: number;
  /** Whether it was in the cache already. */
  readonly cached: boolean;
}

/** What a cached image's folder says about it, so that another image can stand on it. */
export interface ImageRecord {
  readonly ref: string;
  readonly digest: string;
  readonly configDigest: string;
  readonly size: number;
  readonly config: ContainerConfig;
  readonly layers: readonly Omit<Layer, 'file'>[];
}

/** An image whose inputs are known: `key` names what would be built. */
export interface ImageInputs {
  readonly definition: ImageDefinition;
  readonly ref: string;
  readonly key: string;
  /** Text of the Containerfile. */
  readonly containerfile: string;
  readonly instructions: readonly Instruction[];
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly sources: readonly ResolvedSource[];
  readonly base:
    | { readonly kind: 'stand-in'; readonly source: BaseSource }
    | { readonly kind: 'image'; readonly inputs: ImageInputs };
}

/**
 * Finds an image's inputs and computes the key of what they give.
 *
 * @throws ContainerfileError and errors of missing inputs
 */
export async function imageInputs(
  definition: ImageDefinition,
  environment: ImageEnvironment,
  bases: Readonly<Record<BaseKind, BaseSource>>,
  prints: Fingerprints,
): Promise<ImageInputs> {
  const file = definition.containerfile;
  const text = await readFile(join(environment.repository, file), 'utf8');
  const instructions = parseContainerfile(text, file);
  const buildArgs = new Map(
    instructions.some((instruction) => instruction.kind === 'ARG' && instruction.name === 'VERSION')
      ? [['VERSION', definition.version]]
      : [],
  );
  const base = await findBase(baseOf(instructions, file, buildArgs), definition, environment, bases, prints);
  const sources = await Promise.all(definition.sources.map((source) => resolveSource(source, environment, prints)));
  const key = hashText(
    [
      BUILDER,
      process.arch,
      // zstd is not promised to give the same bytes in every release.
      process.versions.zstd ?? process.version,
      refOf(definition),
      text,
      base.kind === 'image' ? base.inputs.key : base.source.key,
      ...sources.map((source) => source.key),
    ].join('\n'),
  );
  return { definition, ref: refOf(definition), key, containerfile: text, instructions, buildArgs, sources, base };
}

async function findBase(
  ref: string,
  definition: ImageDefinition,
  environment: ImageEnvironment,
  bases: Readonly<Record<BaseKind, BaseSource>>,
  prints: Fingerprints,
): Promise<ImageInputs['base']> {
  const standIn = Object.entries(BASES).find(([known]) => known === ref)?.[1];
  if (standIn !== undefined) return { kind: 'stand-in', source: bases[standIn] };
  if (ref === 'scratch')
    return { kind: 'stand-in', source: { key: 'scratch', config: {}, layers: () => Promise.resolve([]) } };
  const ours = imageOfRef(ref);
  if (ours === undefined || refOf(ours) === refOf(definition)) {
    throw new Error(
      `${definition.containerfile}: FROM ${ref} cannot be had without a registry. Use ${Object.keys(BASES).join(', ')}, scratch or one of our images.`,
    );
  }
  return { kind: 'image', inputs: await imageInputs(ours, environment, bases, prints) };
}

/** The build context of an image; makes the bundle of a service. */
export async function imageContext(inputs: ImageInputs): Promise<BuildContext> {
  return await readContext((await Promise.all(inputs.sources.map((source) => source.mounts()))).flat());
}

/** Whether these inputs were built before. */
export async function isBuilt(inputs: ImageInputs, environment: ImageEnvironment): Promise<boolean> {
  return await isFolder(join(environment.cache, 'built', inputs.key));
}

/**
 * Builds an image, and before it the image it stands on, unless they are in the cache.
 *
 * @param log - told what is being done
 */
export async function ensureImage(
  inputs: ImageInputs,
  environment: ImageEnvironment,
  log: (line: string) => void,
): Promise<BuiltImage> {
  const parent = join(environment.cache, 'built');
  const cached = await isBuilt(inputs, environment);
  const folder = await ensureFolder(join(parent, inputs.key), (target) => buildInto(target, inputs, environment, log));
  const { ref, digest, configDigest, size } = await readRecord(folder);
  const now = new Date();
  // The folder's time says when it was last wanted; see prune.ts.
  await utimes(folder, now, now);
  if (!cached) await removeOldBuilds(environment.cache, ref, now.getTime());
  const { name, version } = inputs.definition;
  return { name, version, ref, archive: join(folder, 'image.tar'), digest, configDigest, size, cached };
}

async function buildInto(
  target: string,
  inputs: ImageInputs,
  environment: ImageEnvironment,
  log: (line: string) => void,
): Promise<void> {
  const { definition, instructions, buildArgs } = inputs;
  const store = join(environment.cache, 'layers');
  await mkdir(store, { recursive: true });
  const base = await baseLayers(inputs, environment, store, log);
  const plan = planImage(instructions, definition.containerfile, buildArgs, base.config);
  log('preparing the build context');
  const context = await imageContext(inputs);
  const layers = [...base.layers];
  for (const step of plan.steps) {
    const entries = layerEntries(step, context, definition.containerfile);
    if (entries.length === 0) continue;
    log(step.created);
    layers.push(await ensureLayer(store, entries, step.created));
  }
  log('writing the archive');
  const archive = join(target, 'image.tar');
  const identity = await writeArchive({ ref: inputs.ref, config: plan.config, layers }, archive, goArchitecture());
  const record: ImageRecord = {
    ref: inputs.ref,
    ...identity,
    size: (await stat(archive)).size,
    config: plan.config,
    layers: layers.map(({ digest, diffId, size, created }) => ({ digest, diffId, size, created })),
  };
  await writeFile(join(target, 'image.json'), JSON.stringify(record, undefined, 2));
}

async function baseLayers(
  inputs: ImageInputs,
  environment: ImageEnvironment,
  store: string,
  log: (line: string) => void,
): Promise<Base> {
  if (inputs.base.kind === 'stand-in') {
    log('preparing the base');
    return { layers: await inputs.base.source.layers(store), config: inputs.base.source.config };
  }
  const built = await ensureImage(inputs.base.inputs, environment, log);
  const record = await readRecord(dirname(built.archive));
  const layers = record.layers.map((layer) => ({
    ...layer,
    file: join(store, layer.diffId.slice('sha256:'.length), 'layer.tar.zst'),
  }));
  return { layers, config: record.config };
}

/** Reads what a cached image's folder says about it. */
export async function readRecord(folder: string): Promise<ImageRecord> {
  return JSON.parse(await readFile(join(folder, 'image.json'), 'utf8')) as ImageRecord;
}

function goArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}
