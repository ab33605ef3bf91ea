// Which tests exist and what they need. A file's ending says it: see docs/testing.md.
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files in the order of their names: the end-to-end tests share one platform, from provisioning to destroying it. */
class ByName extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(files.toSorted((a, b) => a.moduleId.localeCompare(b.moduleId)));
  }
}

const everywhere = ['**/node_modules/**', '**/dist/**', '.state/**'];
const special = ['**/*.{cluster,servers,pulumi,e2e,releases}.test.ts'];

export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    projects: [
      {
        test: { name: 'unit', include: ['**/*.test.ts'], exclude: [...everywhere, ...special], testTimeout: 20_000 },
      },
      {
        test: {
          name: 'operator',
          include: ['**/*.cluster.test.ts'],
          exclude: everywhere,
          globalSetup: ['test/cluster/control-plane.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'services',
          include: ['**/*.servers.test.ts'],
          exclude: everywhere,
          testTimeout: 90_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'infra',
          include: ['**/*.pulumi.test.ts'],
          exclude: everywhere,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.e2e.test.ts'],
          exclude: everywhere,
          globalSetup: ['test/e2e/platform.ts'],
          // The tests' instance, beside a person's `start` (local/start/places.ts).
          env: { ASSISTANT_PLATFORM_INSTANCE: 'test' },
          testTimeout: 900_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'releases',
          include: ['test/releases/**/*.releases.test.ts'],
          exclude: everywhere,
          globalSetup: ['test/e2e/platform.ts'],
          env: { ASSISTANT_PLATFORM_INSTANCE: 'test' },
          disableConsoleIntercept: true,
          testTimeout: 3_600_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
