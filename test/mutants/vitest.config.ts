// The unit tests of the decision with one of its modules changed (see replacement.ts); without a mutant, as they are.
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { defineConfig } from 'vitest/config';
import { REPOSITORY } from './program.ts';
import { readReplacement, replaceIn } from './replacement.ts';

const mutant = readReplacement(process.env);

/** In the order in which the files were asked for: the quick ones first. */
class AsAsked extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const asked = process.argv;
    const place = ({ moduleId }: TestSpecification): number => asked.findIndex((each) => moduleId.endsWith(each));
    return Promise.resolve(files.toSorted((a, b) => place(a) - place(b)));
  }
}

export default defineConfig({
  root: REPOSITORY,
  plugins: [
    {
      name: 'mutant',
      enforce: 'pre',
      transform: (text, id) => (mutant !== null && id === mutant.path ? replaceIn(text, mutant) : null),
    },
  ],
  test: {
    include: ['operator/rollout/**/*.test.ts'],
    sequence: { sequencer: AsAsked },
    testTimeout: 60_000,
    fileParallelism: false,
    fsModuleCache: false, // it does not know of the change
  },
});
