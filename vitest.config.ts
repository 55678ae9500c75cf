import { defineConfig } from 'vitest/config';

const tests = (suffix: string) => [`{src,scripts,supabase,bench,chaos,examples}/**/*.${suffix}.test.ts`];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Most tests wait for a server more than they compute.
    maxWorkers: 3,
    reporters: ['default', './src/testing/run-reporter.ts'],
    projects: [
      { extends: true, test: { name: 'unit', include: tests('unit') } },
      { extends: true, test: { name: 'int', include: tests('int'), globalSetup: 'src/testing/global-setup.ts' } },
      { extends: true, test: { name: 'e2e', include: tests('e2e'), globalSetup: 'src/testing/stack.ts' } },
    ],
  },
});
