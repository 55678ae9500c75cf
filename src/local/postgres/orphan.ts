import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processIdentity } from '../process/process-identity.ts';
import { StackError } from '../stack-error.ts';

const fastShutdownMs = 10_000;
const immediateShutdownMs = 5_000;
const pollMs = 25;

/**
 * Ends the server that a killed stack left on this data directory, and removes a `postmaster.pid` whose process is gone, or is
 * another program by now. (PostgreSQL itself gives up when that pid is in use again.)
 */
export async function endOrphanedServer(directory: string, log: (line: string) => void): Promise<void> {
  const pidFile = join(directory, 'postmaster.pid');
  const pid = readPid(pidFile);
  if (pid === undefined) return;
  if (!isServerOf(directory, pid)) {
    rmSync(pidFile, { force: true });
    return;
  }
  log(`stopping PostgreSQL (pid ${pid}), left over from a stack that was killed`);
  const identity = processIdentity(pid);
  process.kill(pid, 'SIGINT');
  if (await isGoneWithin(pid, identity, fastShutdownMs)) return;
  process.kill(pid, 'SIGQUIT');
  if (await isGoneWithin(pid, identity, immediateShutdownMs)) return;
  throw new StackError(`A PostgreSQL server (pid ${pid}) still uses ${directory} and does not end.`, `End it: kill -9 ${pid}`);
}

function readPid(pidFile: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isServerOf(directory: string, pid: number): boolean {
  try {
    const command =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        : execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return command.includes(`-D ${directory} `);
  } catch {
    return false;
  }
}

/** Polls, because no event tells of the end of a process that is not one's own child. */
async function isGoneWithin(pid: number, identity: string | undefined, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (identity !== undefined && processIdentity(pid) === identity) {
    if (performance.now() > deadline) return false;
    await sleep(pollMs);
  }
  return true;
}
