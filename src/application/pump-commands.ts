import type { Clock } from '../ports/clock.ts';
import type { CommandDispatcher, Handover } from '../ports/command-dispatcher.ts';
import type { ClaimedCommand, CommandQueue, Doorbell } from '../ports/command-queue.ts';
import type { Logger } from '../ports/logger.ts';
import { createHandovers } from './handovers.ts';
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
  /**
   * Whether commands that come in numbers wait for each other, up to 0.1 s, and for the batch under way, up to a poll: for an engine
   * that settles many at once for far less each. One that comes alone waits for nothing. (Default: false)
   */
  readonly gather?: boolean;
  /** How long to sleep where nobody rings; covers every lost bell. (Default: 500) */
  readonly pollIntervalMs?: number;
}

const longestBackOffMs = 10_000;
/** Fewer are not worth waiting for more. */
const fewestToGather = 5;
/** For each command of the last claim: the more came while others were executed, the more will. */
const gatherMsPerCommand = 2;
const longestGatherMs = 100;

/**
 * Moves commands from the queue to an engine until the signal aborts; then claims no more, finishes what it has begun to hand over,
 * gives the rest back and resolves. A claim need not wait for the handovers of the last one: at most two batches are under way.
 * Faults of queue or engine are logged and waited out: 0.5 s, doubling to 10 s.
 */
export async function pumpCommands(deps: PumpDeps, signal: AbortSignal): Promise<void> {
  const { clock, log, batchSize = 100, gather = false, pollIntervalMs = 500 } = deps;
  const handovers = createHandovers();
  let failures = 0;
  /** Whether the last claims brought all that there was. */
  let isDrained = false;
  let lastClaimed = 0;

  /** Answers how many commands and process managers there were. Where one kind is in trouble the other goes on. */
  async function pumpBatch(): Promise<number> {
    if (signal.aborted) return 0;
    const [commands = 0, processes = 0] = await settleAll([dispatchBatch(), deps.wakeProcesses(batchSize)]);
    isDrained = commands < batchSize && processes < batchSize;
    lastClaimed = commands;
    return commands + processes;
  }

  async function dispatchBatch(): Promise<number> {
    const commands = await deps.queue.claim(batchSize);
    if (signal.aborted) {
      await settleAll(commands.map((command) => deps.queue.release(command)));
      return 0;
    }
    const begun = deps.dispatcher.dispatchAll(commands);
    for (const [index, command] of commands.entries()) handovers.add(report(deps, command, begun[index]!).then(recovered));
    return commands.length;
  }

  function recovered(): void {
    failures = 0;
  }

  async function sleepUntilRung(): Promise<void> {
    const sleeper = await deps.doorbell.lieDown();
    try {
      if ((await pumpBatch()) > 0) return await sleeper.rise();
      await sleeper.sleep(pollIntervalMs, signal);
    } catch (error) {
      await sleeper.rise();
      throw error;
    }
    // It looks at the queue while it rises.
    await settleAll<unknown>([sleeper.rise(), pumpBatch()]);
  }

  /** Without lying down, so that nobody has to ring: handovers are over in a moment. */
  async function waitForHandovers(): Promise<void> {
    const enough = new AbortController();
    const over = gather && isDrained ? handovers.allAreOver() : handovers.oneIsOver();
    await Promise.race([over, clock.sleep(pollIntervalMs, AbortSignal.any([signal, enough.signal]))]);
    enough.abort();
    const gathers = gather && isDrained && lastClaimed >= fewestToGather;
    if (gathers) await clock.sleep(Math.min(lastClaimed * gatherMsPerCommand, longestGatherMs), signal);
    // Where nothing is under way any more it lies down, and looks at the queue then.
    if (gathers || handovers.count() > 0) isDrained = false;
  }

  while (!signal.aborted) {
    try {
      handovers.throwFault();
      if (handovers.count() >= batchSize || (isDrained && handovers.count() > 0)) {
        await waitForHandovers();
      } else if (!isDrained) {
        await pumpBatch();
      } else {
        recovered();
        await sleepUntilRung();
      }
    } catch (error) {
      await handovers.allAreOver();
      handovers.forgetFaults();
      failures += 1;
      const backOffMs = Math.min(pollIntervalMs * 2 ** (failures - 1), longestBackOffMs);
      log.warn({ err: error, failures, backOffMs }, 'Commands wait: the queue or the engine cannot be reached');
      await clock.sleep(backOffMs, signal);
    }
  }
  await handovers.allAreOver();
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
