import { spawnSync } from 'node:child_process';
import { runProgram } from '../../src/local/process/run-program.ts';
import { StackError } from '../../src/local/stack-error.ts';

/** What the program says on both streams. Throws `StackError` with it if it ends with another code than 0. */
export async function run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<string> {
  const { code, output } = await runProgram(command, args, options);
  if (code === 0) return output;
  const said = output.trimEnd().split('\n').slice(-40).join('\n');
  throw new StackError(`${command} ${args.join(' ').slice(0, 200)}\nended with ${code}. It said:\n${said}`, 'Read what it says, mend that, and run this again.');
}

export function isInstalled(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
