import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { ClaimedProcess, ProcessQueue } from '../ports/process-queue.ts';
import type { ProcessWaker } from '../ports/process-waker.ts';
import { settleAll } from './settle-all.ts';

const reportEveryMs = 60_000;
/** More than so many are reported as so many. */
const mostReported = 1_000;

/** Sees to the instances of process managers that have something to do, at most so many. Returns how many were woken. */
export type WakeProcesses = (maxProcesses: number) => Promise<number>;

export interface WakeProcessesDeps {
  readonly queue: ProcessQueue;
  readonly waker: ProcessWaker;
  readonly log: Logger;
}

/** Wakes them. Throws if the engine or the queue cannot be reached; those that could not be woken are given back. */
export function createWakeProcesses({ queue, waker, log }: WakeProcessesDeps): WakeProcesses {
  async function wake(process: ClaimedProcess): Promise<void> {
    try {
      await waker.wake(process);
    } catch (error) {
      // If the queue is away too, it comes again by itself.
      await queue.release(process).catch(() => {});
      throw error;
    }
    log.debug({ tenantId: process.tenantId, process: process.process, key: process.key }, 'Woken');
  }

  return async (maxProcesses) => {
    const processes = await queue.claim(maxProcesses);
    await settleAll(processes.map(wake));
    return processes.length;
  };
}

export interface ReportWaitingProcessesDeps {
  readonly queue: ProcessQueue;
  readonly clock: Clock;
  readonly log: Logger;
}

/** If no engine can run them: says so once a minute, and leaves them where they are. */
export function createReportWaitingProcesses({ queue, clock, log }: ReportWaitingProcessesDeps): WakeProcesses {
  let reportedAt = -Infinity;
  return async () => {
    const now = Date.parse(clock.now());
    if (now - reportedAt < reportEveryMs) return 0;
    reportedAt = now;
    const waiting = await queue.claim(mostReported);
    await settleAll(waiting.map((process) => queue.release(process)));
    if (waiting.length > 0) log.warn({ waiting: waiting.length }, 'Process managers wait: they need Temporal');
    return 0;
  };
}
