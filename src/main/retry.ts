import { systemClock } from '../adapters/system/clock.ts';
import type { Logger } from '../ports/logger.ts';

const firstPauseMs = 250;
const longestPauseMs = 10_000;

/** Repeats what must succeed before a process can work, until it does. Undefined if the signal aborts first. */
export async function retry<Value>(
  attempt: () => Promise<Value>,
  { log, waitingFor, signal }: { log: Logger; waitingFor: string; signal: AbortSignal },
): Promise<Value | undefined> {
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await attempt();
    } catch (error) {
      log.warn({ err: error, pauseMs }, `Waiting for ${waitingFor}`);
      await systemClock.sleep(pauseMs, signal);
    }
  }
  return undefined;
}
