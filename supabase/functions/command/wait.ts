import type { CommandStatus } from './command-api.ts';
import { Problem } from './problem.ts';

const maxWaitSeconds = 20;
const firstPauseMs = 10;
const longestPauseMs = 250;
const pauseGrowth = 1.5;

/** Seconds of `Prefer: wait=N` (RFC 7240), at most 20; null if there is no such preference. */
export function readWait(header: string | null): number | null {
  const seconds = header?.split(',').map((preference) => /^\s*wait\s*=\s*"?(\d{1,9})"?\s*$/i.exec(preference)?.[1]).find(Boolean);
  return seconds === undefined ? null : Math.min(Number(seconds), maxWaitSeconds);
}

export function isSettled({ status }: CommandStatus): boolean {
  return status !== 'pending' && status !== 'dispatched';
}

/** Asks until the command is settled or the time is over, and gives what was last known. */
export async function waitUntilSettled(
  submitted: CommandStatus,
  waitMs: number,
  ask: () => Promise<CommandStatus | null>,
): Promise<CommandStatus> {
  const deadline = performance.now() + waitMs;
  let latest = submitted;
  let pauseMs = firstPauseMs;
  while (!isSettled(latest) && performance.now() + pauseMs < deadline) {
    await pause(pauseMs);
    pauseMs = Math.min(pauseMs * pauseGrowth, longestPauseMs);
    latest = (await askPatiently(ask)) ?? latest;
  }
  return { ...latest, duplicate: submitted.duplicate };
}

/** The command has been taken: a failed look at it must not turn the answer into an error. */
async function askPatiently(ask: () => Promise<CommandStatus | null>): Promise<CommandStatus | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
