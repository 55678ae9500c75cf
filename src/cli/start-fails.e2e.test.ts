import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createScratchDirectory, type ScratchDirectory } from '../testing/scratch-directory.ts';
import { runStartCommandWith } from '../testing/start-command.ts';

let scratch: ScratchDirectory;
beforeAll(async () => {
  scratch = await createScratchDirectory();
});
afterAll(() => scratch.remove());

it('a part that fails while others are still starting is named, and nothing else is tried', { timeout: 120_000 }, async () => {
  // Nobody listens at port 9: the Edge Function's packages cannot be had, long before PostgreSQL has its files.
  const unreachable = { HTTPS_PROXY: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9', INTENT_CACHE_DIR: join(scratch.path, 'cache') };
  const { code, output } = await runStartCommandWith(unreachable, join(scratch.path, 'stack'), '--no-example').ended;
  expect(output).toContain("Deno could not get the Edge Function's packages");
  expect(output).toContain('Check that the npm registry can be reached');
  expect(output).not.toMatch(/taken meanwhile|left over|Unhandled|at .*\.ts:\d/);
  expect(code).toBe(1);
});
