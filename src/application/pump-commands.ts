import type { Clock } from '../ports/clock.ts';
import type { CommandDispatcher } from '../ports/command-dispatcher.ts';
import type { ClaimedCommand, CommandQueue, Doorbell } from '../ports/command-queue.ts';
import type { Logger } from '../ports/logger.ts';

export interface PumpDeps {
  readonly queue: CommandQueue;
  readonly doorbell: Doorbell;
  readonly dispatcher: CommandDispatcher;
  readonly clock: Clock;
  readonly log: Logger;
  /** Commands in one claim. (Default: 100) */
  readonly batchSize?: number;
  /** How long to sleep where nobody rings; covers every lost bell. (Default: 500) */
  readonly pollIntervalMs?: number;
}

const longestBackOffMs = 10_000;

/**
 * Moves commands from the queue to an engine until the signal aborts; then finishes the batch in hand and resolves.
 * Faults of queue or engine are logged and waited out: 0.5 s, doubling to 10 s.
 */
export async function pumpCommands(deps: PumpDeps, signal: AbortSignal): Promise<void> {
  const { clock, log, batchSize = 100, pollIntervalMs = 500 } = deps;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const isIdle = (await pumpBatch(deps, batchSize)) === 0;
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

/** Answers how many commands there were. */
async function pumpBatch(deps: PumpDeps, batchSize: number): Promise<number> {
  const commands = await deps.queue.claim(batchSize);
  await dispatchAll(deps, commands);
  return commands.length;
}

async function sleepUntilRung(deps: PumpDeps, batchSize: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const sleeper = await deps.doorbell.lieDown();
  try {
    const isStillIdle = (await pumpBatch(deps, batchSize)) === 0;
    if (isStillIdle) await sleeper.sleep(timeoutMs, signal);
  } finally {
    await sleeper.rise();
  }
}

async function dispatchAll(deps: PumpDeps, commands: readonly ClaimedCommand[]): Promise<void> {
  const results = await Promise.allSettled(commands.map((command) => dispatchOne(deps, command)));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
}

async function dispatchOne({ queue, dispatcher, log }: PumpDeps, command: ClaimedCommand): Promise<void> {
  const { tenantId, commandId, type } = command;
  try {
    await dispatcher.dispatch(command);
  } catch (error) {
    // Where the queue is away too, the lease ends by itself.
    await queue.release(command).catch(() => {});
    throw error;
  }
  const marked = await queue.markDispatched(command);
  log.debug({ tenantId, commandId, type, marked }, 'Dispatched');
}
