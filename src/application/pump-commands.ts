import type { Clock } from '../ports/clock.ts';
import type { CommandDispatcher, Handover } from '../ports/command-dispatcher.ts';
import type { ClaimedCommand, CommandQueue, Doorbell } from '../ports/command-queue.ts';
import type { Logger } from '../ports/logger.ts';
import { settleAll } from './settle-all.ts';
import type { WakeProcesses } from './wake-processes.ts';

export interface PumpDeps {
  readonly queue: CommandQueue;
  readonly doorbell: Doorbell;
  readonly dispatcher: CommandDispatcher;
  /** Sees to process managers with the same eyes and the same sleep: the bell rings for both. */
  readonly wakeProcesses: WakeProcesses;
  readonly clock: Clock;
  readonly log: Logger;
  /** Commands, and process managers, in one claim. (Default: 100) */
  readonly batchSize?: number;
  /** How long to sleep where nobody rings; covers every lost bell. (Default: 500) */
  readonly pollIntervalMs?: number;
}

const longestBackOffMs = 10_000;

/**
 * Moves commands from the queue to an engine until the signal aborts; then claims no more, finishes what it has begun to hand over,
 * gives the rest back and resolves.
 * Faults of queue or engine are logged and waited out: 0.5 s, doubling to 10 s.
 */
export async function pumpCommands(deps: PumpDeps, signal: AbortSignal): Promise<void> {
  const { clock, log, batchSize = 100, pollIntervalMs = 500 } = deps;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const isIdle = (await pumpBatch(deps, batchSize, signal)) === 0;
      failures = 0;
      if (isIdle) await sleepUntilRung(deps, batchSize, pollIntervalMs, signal);
    } catch (error) {
      failures += 1;
      const backOffMs = Math.min(pollIntervalMs * 2 ** (failures - 1), longestBackOffMs);
      log.warn({ err: error, failures, backOffMs }, 'Commands wait: the queue or the engine cannot be reached');
      await clock.sleep(backOffMs, signal);
    }
  }
}

/** Answers how many commands and process managers there were. Where one kind is in trouble the other goes on. */
async function pumpBatch(deps: PumpDeps, batchSize: number, signal: AbortSignal): Promise<number> {
  if (signal.aborted) return 0;
  const [commands = 0, processes = 0] = await settleAll([dispatchBatch(deps, batchSize, signal), deps.wakeProcesses(batchSize)]);
  return commands + processes;
}

async function dispatchBatch(deps: PumpDeps, batchSize: number, signal: AbortSignal): Promise<number> {
  const commands = await deps.queue.claim(batchSize);
  if (signal.aborted) {
    await settleAll(commands.map((command) => deps.queue.release(command)));
    return 0;
  }
  const handovers = deps.dispatcher.dispatchAll(commands);
  await settleAll(commands.map((command, index) => report(deps, command, handovers[index]!)));
  return commands.length;
}

async function sleepUntilRung(deps: PumpDeps, batchSize: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const sleeper = await deps.doorbell.lieDown();
  try {
    const isStillIdle = (await pumpBatch(deps, batchSize, signal)) === 0;
    if (isStillIdle) await sleeper.sleep(timeoutMs, signal);
  } finally {
    await sleeper.rise();
  }
}

/** What has ended needs no mark: its outcome says more. */
async function report({ queue, log }: PumpDeps, command: ClaimedCommand, handover: Promise<Handover>): Promise<void> {
  const { tenantId, commandId, type } = command;
  try {
    if ((await handover) === 'ended') return;
  } catch (error) {
    // Where the queue is away too, the lease ends by itself.
    await queue.release(command).catch(() => {});
    throw error;
  }
  const marked = await queue.markDispatched(command);
  log.debug({ tenantId, commandId, type, marked }, 'Dispatched');
}
