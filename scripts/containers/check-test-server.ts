import { join } from 'node:path';
import { projectRoot } from '../../src/local/paths.ts';
import { StackError } from '../../src/local/stack-error.ts';
import type { Engine } from './engine.ts';
import { say } from './progress.ts';
import { run } from './run.ts';

const serverOfTests = join(projectRoot, 'src', 'testing', 'container-server.ts');
const vitest = join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs');

/** On an engine without images and without a registry. */
export async function checkFallback({ env }: Engine): Promise<void> {
  const script = `const { startContainerServer } = await import('${serverOfTests}'); console.log(await startContainerServer('x', console.log)); process.exit()`;
  const said = await run(process.execPath, ['--input-type=module', '--eval', script], { env });
  if (!said.endsWith('the embedded server takes its place.\nundefined\n')) throw new StackError(`The tests do not fall back to the embedded server:\n${said}`, 'This is a fault of ours.');
  say('Tests on an engine without Supabase\'s image take the embedded server, and say so.');
}

/** On one that has them: a real run takes the container, and tests in it prove that. */
export async function checkTestServer({ env }: Engine): Promise<void> {
  const said = await run(process.execPath, [vitest, 'run', 'src/testing/container-server.int.test.ts'], { cwd: projectRoot, env: { ...env, NO_COLOR: '1' } });
  const server = /^PostgreSQL for the tests: (.*)$/m.exec(said)?.[1];
  if (!server?.endsWith(' in Docker')) throw new StackError(`The tests took ${server}, and not the image:\n${said}`, 'This is a fault of ours.');
  say(`Tests take ${server}: ${/Tests .*passed.*/.exec(said)?.[0] ?? ''}`);
}
