import { defineConfig } from 'vitest/config';

/**
 * Three projects: `unit` sits beside the source and runs in parallel; `real` drives real clients and containers, two files at a
 * time, each with ports, folders and an engine of its own; `journey` plays whole stories, one after the other.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/**/src/**/*.test.ts', 'apps/**/src/**/*.test.ts', 'script/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.real.test.ts'],
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'real',
          include: ['packages/**/src/**/*.real.test.ts', 'apps/**/src/**/*.real.test.ts', 'testing/conformance/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'journey',
          include: ['testing/journeys/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
