import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningProcess } from './start-process.ts';

const firstDelayMs = 500;
const maxDelayMs = 10_000;
/** After a run of this length the next failure counts as the first one again. */
const stableMs = 60_000;

export interface KeptProcess {
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Starts a process and starts it again, with growing delays, whenever it ends by itself. Throws when the first start fails. */
export async function keepRunning(start: () => Promise<RunningProcess>, log: (line: string) => void): Promise<KeptProcess> {
  const stopped = new AbortController();
  let current = await start();
  const watching = watch();

  async function watch(): Promise<void> {
    let delayMs = firstDelayMs;
    while (!stopped.signal.aborted) {
      const beganAt = performance.now();
      const exit = await current.exited;
      if (stopped.signal.aborted) return;
      if (performance.now() - beganAt > stableMs) delayMs = firstDelayMs;
      const how = exit.signal ?? `code ${exit.code}`;
      log(`${exit.name} ended (${how}); starting it again in ${delayMs} ms. Its log: ${exit.logFile}`);
      delayMs = await restart(delayMs);
    }
  }

  /** Tries until a start succeeds or we are stopped. Returns the next delay. */
  async function restart(delayMs: number): Promise<number> {
    for (let wait = delayMs; ; wait = Math.min(wait * 2, maxDelayMs)) {
      try {
        await sleep(wait, undefined, { signal: stopped.signal });
        current = await start();
        return Math.min(wait * 2, maxDelayMs);
      } catch (error) {
        if (stopped.signal.aborted) return wait;
        log((error as Error).message);
      }
    }
  }

  return {
    async stop() {
      stopped.abort();
      await current.stop();
      await watching;
      // A start that was under way when we were stopped has replaced the process that we knew.
      await current.stop();
    },
  };
}
