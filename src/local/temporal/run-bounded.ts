import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { endWithUs, killGroup } from '../process/end-with-us.ts';

const lookEveryMs = 250;

export interface BoundedOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Asked four times a second. Once it returns true the program is killed, with all that it has started. */
  readonly isStalled: () => boolean;
}

export interface BoundedResult {
  /** Null if a signal ended it, or if it could not be started. */
  readonly code: number | null;
  readonly stalled: boolean;
  /** What it said on both streams. */
  readonly output: string;
}

/** Runs a program that may hang. It ends with this process at the latest. */
export async function runBounded(program: string, args: readonly string[], { env, cwd, isStalled }: BoundedOptions): Promise<BoundedResult> {
  const child = spawn(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true, windowsHide: true });
  endWithUs(child);
  let stalled = false;
  const watch = setInterval(() => {
    stalled ||= isStalled();
    if (stalled) killGroup(child);
  }, lookEveryMs);
  try {
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { code: child.exitCode, stalled, output: output + errors };
  } catch (error) {
    return { code: null, stalled, output: (error as Error).message };
  } finally {
    clearInterval(watch);
  }
}
