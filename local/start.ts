// `npm start`: cluster, images, pulumi up, a first real answer. Safe to repeat; after a failure it goes on where it was.
import { clusterStatus, startCluster } from './cluster/cluster.ts';
import type { Cluster } from './cluster/cluster.ts';
import { buildImages, DEMO_IMAGES, packagesOfImages } from './images/images.ts';
import type { BuiltImage } from './images/images.ts';
import { createProgress, wasShown } from './progress/progress.ts';
import type { Progress } from './progress/progress.ts';
import { USAGE, parseStartArguments } from './start/arguments.ts';
import type { StartArguments } from './start/arguments.ts';
import { addressesOf, describeAddresses, nextCommands } from './start/addresses.ts';
import { describeForecast } from './start/forecast.ts';
import { firstAnswer } from './start/first-answer.ts';
import { IMAGE_WAYS, imageRoute, inspectOwnCluster, loadByTool } from './start/own-cluster.ts';
import { START_LOGS, START_STATE } from './start/places.ts';
import { shellSetup } from './start/shell.ts';
import { DevStack } from './start/stack.ts';
import { lastTarget, ownCluster, rememberTarget } from './start/target.ts';
import type { Target } from './start/target.ts';
import { ensureSystem, missingFor } from './system/system.ts';
import { packagesFor } from './system/requirements.ts';
import { hasPackage } from './toolchain/packages.ts';
import { ensureBinaries, estimateSeconds } from './toolchain/toolchain.ts';

const PULUMI = ['pulumi', 'pulumi-language-nodejs', 'pulumi-resource-kubernetes', 'kubectl'] as const;
const NODE = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'coredns',
  'pause',
] as const;
const FIRST_ANSWER_TIMEOUT_MS = 180_000;

async function main(args: StartArguments): Promise<void> {
  console.log(await forecast(args));
  const progress = createProgress({ logFolder: START_LOGS, remedy: 'run npm start again: it goes on where it was.' });
  try {
    const { target, settings } =
      args.context === undefined ? await embedded(args, progress) : await own(args, args.context, progress);
    await rememberTarget(target);
    const stack = await DevStack.open(target, progress);
    await progress.task('pulumi up', { estimateSeconds: 90 }, async (task) => {
      task.status('settings');
      await stack.configure(settings);
      task.status('');
      await stack.up((line) => task.log(line));
    });
    const outputs = await stack.outputs();
    if (outputs === undefined) throw new Error('pulumi up ended well, but the stack is not there');
    const where = addressesOf(target, outputs);
    const answer = await progress.task('first answer', { estimateSeconds: 10 }, (task) =>
      firstAnswer(where.gateway, FIRST_ANSWER_TIMEOUT_MS, (text) => task.status(text)),
    );
    const setup = await shellSetup(target);
    progress.print(
      [
        '',
        `${answer.question} — The assistant's own model, after ${(answer.tookMs / 1000).toFixed(1)} s: ${answer.text.replace(/\s+/g, ' ').slice(0, 200)}`,
        '',
        describeAddresses(where),
        '',
        'Next, try:',
        nextCommands(setup),
      ].join('\n'),
    );
  } finally {
    await progress.close();
  }
}

interface Ready {
  readonly target: Target;
  /** For the stack; see infra/config.ts. */
  readonly settings: Readonly<Record<string, unknown>>;
}

async function embedded(args: StartArguments, progress: Progress): Promise<Ready> {
  await ensureSystem('node', progress);
  // Everything at once; what needs something else waits for it. All settle before an error is told.
  const pulumi = ensureBinaries(PULUMI, progress);
  const cluster = startCluster({ stateDir: START_STATE, tier: 'node', egress: args.egress, progress });
  const images = buildAll(progress);
  const loaded = Promise.all([cluster, images]).then(([ready, built]) => load(ready, built, progress));
  await allOf([pulumi, cluster, images, loaded]);
  const { kubeconfig, id, nodeAddress } = await cluster;
  return {
    target: { kind: 'embedded', kubeconfig, context: id, stack: 'dev' },
    settings: { nodeAddress, ...imageSettings(await images) },
  };
}

async function own(args: StartArguments, context: string, progress: Progress): Promise<Ready> {
  const target = ownCluster(context);
  const route = imageRoute(context, args.registry);
  if (route.kind === 'unknown') throw new Error(IMAGE_WAYS);
  const facts = await progress.task('look at your cluster', { estimateSeconds: 3 }, () =>
    inspectOwnCluster(target, progress),
  );
  const settings = { ...facts, context };
  if (route.kind === 'registry') return { target, settings: { ...settings, imageRegistry: route.prefix } };
  const [images] = await Promise.all([buildAll(progress), ensureBinaries(PULUMI, progress)]);
  await progress.task('load images', { estimateSeconds: 60 }, (task) =>
    loadByTool(route, images, (line) => task.log(line)),
  );
  return { target, settings: { ...settings, ...imageSettings(images) } };
}

async function buildAll(progress: Progress): Promise<BuiltImage[]> {
  return [...(await buildImages(undefined, progress)), ...(await buildImages(DEMO_IMAGES, progress))];
}

async function load(cluster: Cluster, images: readonly BuiltImage[], progress: Progress): Promise<void> {
  await progress.task('load images', { estimateSeconds: 20 }, async (task) => {
    for (const { archive, ref } of images) {
      task.status(ref);
      await cluster.loadImage(archive, ref);
    }
  });
}

/** Tags and digests of the first release of everything that the stack runs. */
function imageSettings(images: readonly BuiltImage[]): Readonly<Record<string, unknown>> {
  const stackImages = images.filter(({ name }) => name !== 'coredns' && name !== 'pause');
  // The first of a name is the one that the stack begins with; later ones are releases for people to go to.
  const first = [...new Map(stackImages.toReversed().map((image) => [image.name, image])).values()];
  return {
    imageTags: Object.fromEntries(first.map(({ name, version }) => [name, version])),
    imageDigests: Object.fromEntries(first.map(({ name, digest }) => [name, digest])),
  };
}

async function allOf(work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

async function forecast({ context }: StartArguments): Promise<string> {
  const programs = context === undefined ? [...NODE, ...PULUMI] : PULUMI;
  const there = await Promise.all(packagesOfImages().map((name) => hasPackage(name)));
  const target = await lastTarget();
  return describeForecast({
    context,
    compileSeconds: await estimateSeconds(programs),
    missingPackages: there.filter((found) => !found).length,
    systemPackages: context === undefined ? packagesFor(await missingFor('node')) : [],
    running: (await clusterStatus(START_STATE)).state === 'running',
    stackThere: target !== undefined && target.kind === (context === undefined ? 'embedded' : 'own'),
  });
}

try {
  const args = parseStartArguments(process.argv.slice(2));
  if (args.help) console.log(USAGE);
  else await main(args);
} catch (error) {
  if (!wasShown(error)) console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
