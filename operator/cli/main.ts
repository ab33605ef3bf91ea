// The process: arguments in, exit code out.
import { EXIT_ERROR } from './errors.ts';
import { run } from './program.ts';

/** As shells have it for a program whose reader has gone, such as `head`. */
const EXIT_PIPE = 141;

const isGone = (error: NodeJS.ErrnoException | null | undefined): boolean =>
  error?.code === 'EPIPE' || error?.code === 'ERR_STREAM_DESTROYED';

for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: Error) => {
    if (!isGone(error)) throw error;
    process.exit(EXIT_PIPE);
  });
}

const code = await run(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error); // a fault of this program: it says nothing of the rollout, as an exit code of 1 would
  return EXIT_ERROR;
});
// A request that nobody waits for any more holds nobody up; what was written goes out first.
process.stdout.write('', (error) => process.exit(isGone(error) ? EXIT_PIPE : code));
