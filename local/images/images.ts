// Builds the images of everything that runs in the cluster, without a registry, a daemon or root, and only when their
// inputs have changed. See README.md in this folder for how, and for building the same images with Docker.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { type Progress, silentProgress } from '../progress/progress.ts';
import { cacheRoot } from '../toolchain/cache.ts';
import { ensurePackage } from '../toolchain/packages.ts';
import { ensureBinary } from '../toolchain/toolchain.ts';
import { findBases, nodeBinaryOf } from './bases.ts';
import { type BuiltImage, ensureImage, imageContext, type ImageInputs, imageInputs, isBuilt } from './build.ts';
import { allImages, findImage, type ImageDefinition, type ImageName, refOf } from './catalogue.ts';
import { writeContext } from './contexts.ts';
import { Fingerprints } from './fingerprint.ts';
import type { ImageEnvironment } from './sources.ts';

export type { BuiltImage } from './build.ts';
export { bundleService } from './bundle.ts';
export {
  allImages,
  DEMO_IMAGES,
  DEMO_RELEASES,
  findImage,
  IMAGE_NAMES,
  type ImageDefinition,
  type ImageName,
  packagesOfImages,
  refOf,
} from './catalogue.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');

/**
 * Builds images, or finds them in the cache.
 *
 * @param names - `chat`, or `chat@1.1.0` for another release of chat or realtime; all images when left out
 * @param progress - shows a task for each image that has to be built
 * @returns one for each name, in the same order
 * @throws when a name is unknown or an image cannot be built; the others are built nevertheless
 */
export async function buildImages(
  names?: readonly string[],
  progress: Progress = silentProgress,
): Promise<BuiltImage[]> {
  const definitions = names === undefined ? allImages() : names.map(findImage);
  const environment = await defaultEnvironment(progress);
  const build = await prepare(environment);
  const results = await settleInTurn(definitions, async (definition) => {
    const inputs = await build.inputs(definition);
    return await ensureShown(inputs, environment, progress);
  });
  await build.prints.save();
  return results;
}

/** A build context on disk, and the command that makes an image of it. */
export interface WrittenContext {
  readonly name: string;
  readonly ref: string;
  readonly folder: string;
  readonly command: string;
}

/**
 * Writes build contexts (a folder for each image, its Containerfile in it) for people with Docker, podman or buildah.
 *
 * @param folder - absolute path; what it holds of the same images is replaced
 */
export async function writeContexts(
  folder: string,
  names?: readonly string[],
  progress: Progress = silentProgress,
): Promise<WrittenContext[]> {
  const definitions = names === undefined ? allImages() : names.map(findImage);
  const environment = await defaultEnvironment(progress);
  const build = await prepare(environment);
  const results = await settleInTurn(definitions, async (definition) => {
    const inputs = await build.inputs(definition);
    const target = join(folder, `${definition.name}-${definition.version}`);
    await rm(target, { recursive: true, force: true });
    await mkdir(target, { recursive: true });
    await writeContext(await imageContext(inputs), target);
    await writeFile(join(target, 'Containerfile'), inputs.containerfile);
    const args = [...inputs.buildArgs].map(([key, value]) => `--build-arg ${key}=${value} `).join('');
    const command = `docker build -t ${inputs.ref} -f ${join(target, 'Containerfile')} ${args}${target}`;
    return { name: definition.name, ref: inputs.ref, folder: target, command };
  });
  await build.prints.save();
  return results;
}

/** The references of images, without building anything. */
export function imageRefs(
  names?: readonly string[],
): { name: string; version: string; ref: string; summary: string }[] {
  return (names === undefined ? allImages() : names.map(findImage)).map((definition) => ({
    name: definition.name,
    version: definition.version,
    ref: refOf(definition),
    summary: definition.summary,
  }));
}

async function defaultEnvironment(progress: Progress): Promise<ImageEnvironment> {
  return {
    repository: REPOSITORY,
    cache: join(cacheRoot(), 'images'),
    packageFolder: (name) => ensurePackage(name, progress),
    binary: (name) => ensureBinary(name, progress),
    nodeBinary: await nodeBinaryOf(REPOSITORY),
  };
}

async function prepare(
  environment: ImageEnvironment,
): Promise<{ prints: Fingerprints; inputs: (definition: ImageDefinition) => Promise<ImageInputs> }> {
  const prints = await Fingerprints.open(join(environment.cache, 'hashes'));
  const bases = await findBases(environment.nodeBinary, prints);
  return { prints, inputs: (definition) => imageInputs(definition, environment, bases, prints) };
}

/** Seconds that the larger ones take on two cores; the others are done before one has read an estimate. */
const ESTIMATES: Partial<Record<ImageName, number>> = { model: 8, unleash: 15 };

async function ensureShown(
  inputs: ImageInputs,
  environment: ImageEnvironment,
  progress: Progress,
): Promise<BuiltImage> {
  const { definition } = inputs;
  if (await isBuilt(inputs, environment)) return await ensureImage(inputs, environment, () => undefined);
  const estimateSeconds = ESTIMATES[definition.name];
  const options = estimateSeconds === undefined ? {} : { estimateSeconds };
  return await progress.task(`image ${definition.name} ${definition.version}`, options, async (task) => {
    const image = await ensureImage(inputs, environment, (line) => task.log(line));
    task.status(`${(image.size / 1e6).toFixed(0)} MB`);
    return image;
  });
}

/** Runs a few at a time; all settle before the first error is thrown, so that one bad image does not cost the others. */
async function settleInTurn<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: PromiseSettledResult<Result>[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) [results[index]] = await Promise.allSettled([work(item)]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), items.length) }, worker));
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (errors.length > 1)
    throw new AggregateError(
      errors,
      errors.map((error) => (error instanceof Error ? error.message : String(error))).join('\n'),
    );
  if (errors.length === 1) throw errors[0];
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
