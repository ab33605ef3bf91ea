// `npm run images`: builds, lists or exports the images of everything that runs in the cluster.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildImages, imageRefs, writeContexts } from './images/images.ts';
import { createProgress, silentProgress, wasShown } from './progress/progress.ts';

const USAGE = `Usage: npm run images -- [name...] [options]

Builds images as OCI archives in the cache, without a registry, a daemon or root; only what has changed is built.
A name is one of the list, or name@version for another release of chat or realtime (chat@1.1.0).

  --list             list the images and their references, build nothing
  --contexts[=DIR]   write build contexts for docker, podman or buildah instead (default: .state/contexts)
  --json             print the result as JSON
  --help             this text

An archive is loaded with "ctr images import", "docker load -i", "podman load -i", "kind load image-archive",
"k3d image import" or "minikube image load", and pushed with
  skopeo copy oci-archive:ARCHIVE docker://REGISTRY/NAME:VERSION
`;

async function main(args: readonly string[]): Promise<void> {
  // A value is optional for --contexts, which parseArgs cannot say.
  const contexts = args.find((arg) => arg === '--contexts' || arg.startsWith('--contexts='));
  const { values, positionals } = parseArgs({
    args: args.filter((arg) => arg !== contexts),
    allowPositionals: true,
    options: { list: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  const names = positionals.length === 0 ? undefined : positionals;
  if (values.help === true) {
    console.log(USAGE);
    return;
  }
  const print = (result: readonly object[], line: (index: number) => string): void => {
    if (values.json === true) console.log(JSON.stringify(result, undefined, 2));
    else for (const index of result.keys()) console.log(line(index));
  };
  if (values.list === true) {
    const refs = imageRefs(names);
    print(refs, (index) => `${refs[index]?.ref.padEnd(40) ?? ''} ${refs[index]?.summary ?? ''}`);
    return;
  }
  const progress = values.json === true ? silentProgress : createProgress();
  try {
    if (contexts !== undefined) {
      const folder = resolve(contexts.split('=')[1] ?? '.state/contexts');
      const written = await writeContexts(folder, names, progress);
      print(written, (index) => written[index]?.command ?? '');
      return;
    }
    const started = performance.now();
    const images = await buildImages(names, progress);
    print(images, (index) => {
      const image = images[index];
      return image === undefined
        ? ''
        : `${image.ref.padEnd(40)} ${(image.size / 1e6).toFixed(1).padStart(6)} MB  ${image.archive}`;
    });
    if (values.json !== true) {
      const built = images.filter((image) => !image.cached).length;
      console.log(
        `${images.length} images, ${built} of them built, in ${((performance.now() - started) / 1000).toFixed(1)} s.`,
      );
    }
  } finally {
    await progress.close();
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!wasShown(error)) console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
