import { spawn } from 'node:child_process';
import { once } from 'node:events';

const quotedLines = 3;

/** Builds a program of a module and its version into the folder GOBIN. Returns what Go said last if it failed. */
export async function goInstall(
  go: string,
  what: string,
  env: NodeJS.ProcessEnv,
  alsoHeldBy: (pid: number) => void,
): Promise<string | undefined> {
  const child = spawn(go, ['install', what], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.once('spawn', () => alsoHeldBy(child.pid!));
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0 ? undefined : output.trim().split('\n').slice(-quotedLines).join('; ');
}
