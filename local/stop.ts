// `npm run stop`: ends the embedded cluster of `npm start` and keeps its data.
import { clusterStatus, stopCluster } from './cluster/cluster.ts';
import { createProgress, wasShown } from './progress/progress.ts';
import { START_STATE } from './start/places.ts';
import { lastTarget } from './start/target.ts';

async function main(): Promise<void> {
  const target = await lastTarget();
  if (target?.kind === 'own') {
    console.log(
      `The platform runs on your own cluster (context ${target.context}), which is not ours to stop. npm run clean removes the platform from it.`,
    );
  }
  const { state } = await clusterStatus(START_STATE);
  if (state === 'absent') {
    console.log('No embedded cluster runs.');
    return;
  }
  if (process.getuid?.() !== 0)
    throw new Error('The embedded cluster was started by root, so root must stop it: sudo npm run stop');
  const progress = createProgress();
  try {
    await progress.task('stop the cluster', { estimateSeconds: 3 }, () => stopCluster(START_STATE));
    progress.print('Stopped. Its data is kept: npm start goes on where it was, npm run clean removes everything.');
  } finally {
    await progress.close();
  }
}

try {
  await main();
} catch (error) {
  if (!wasShown(error)) console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
