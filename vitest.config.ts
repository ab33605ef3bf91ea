// Which tests exist and what they need. A file's ending says it: see docs/testing.md.
import { defineConfig } from 'vitest/config';

const everywhere = ['**/node_modules/**', '**/dist/**', '.state/**'];
const special = ['**/*.{cluster,servers,pulumi,e2e}.test.ts'];

export default defineConfig({
  test: {
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
          testTimeout: 900_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
