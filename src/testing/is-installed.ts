import { spawnSync } from 'node:child_process';

/** Whether a program is there for the tests that need it. If it is not, says so. */
export function isInstalled(program: string): boolean {
  const installed = spawnSync(program, ['--version']).status === 0;
  if (!installed) console.log(`The tests with ${program} are left out: it is not installed.`);
  return installed;
}
