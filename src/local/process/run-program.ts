import { spawn } from 'node:child_process';
import type { SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { endWithUs } from './end-with-us.ts';

export interface ProgramResult {
  /** Null if a signal ended it. */
  readonly code: number | null;
  /** What it said on both streams. */
  readonly output: string;
}

/** Runs a program to its end, which comes with ours at the latest. Throws if it cannot be started. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid'>,
): Promise<ProgramResult> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], detached: true, windowsHide: true });
  endWithUs(child);
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, output: output + errors };
}
