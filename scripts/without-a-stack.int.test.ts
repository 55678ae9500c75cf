import { afterAll, beforeAll, expect, it } from 'vitest';
import { join } from 'node:path';
import { projectRoot } from '../src/local/paths.ts';
import { runProgram } from '../src/local/process/run-program.ts';
import { createScratchDirectory, type ScratchDirectory } from '../src/testing/scratch-directory.ts';

let scratch: ScratchDirectory;
beforeAll(async () => {
  scratch = await createScratchDirectory();
});
afterAll(() => scratch.remove());

it.each([
  'examples/walkthrough.ts', 'examples/monthly-budget.ts', 'examples/household/serve.ts',
  'scripts/db-watch.ts', 'scripts/psql-guide.ts', 'scripts/test-rls.ts',
])('%s, which needs a running stack, says to start one and shows no stack trace', async (script) => {
  const { DATABASE_URL: _, ...env } = process.env;
  const run = await runProgram(process.execPath, [join(projectRoot, script)], { cwd: scratch.path, env: { ...env, INTENT_DIR: scratch.path } });
  expect(run).toMatchObject({ code: 1, output: expect.stringContaining('`npm start` in another terminal') });
  expect(run.output).not.toMatch(/^\s+at |ENOENT/m);
});

it.each(['examples/walkthrough.ts', 'examples/monthly-budget.ts', 'examples/household/serve.ts'])('%s looks for the stack that INTENT_DIR names', async (script) => {
  const run = await runProgram(process.execPath, [join(projectRoot, script)], { cwd: projectRoot, env: { ...process.env, INTENT_DIR: scratch.path } });
  expect(run).toMatchObject({ code: 1, output: expect.stringContaining(join(scratch.path, 'stack.json')) as string });
});
