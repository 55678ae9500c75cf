import type { Clock } from '../ports/clock.ts';
import type { CommandDispatcher, Handover } from '../ports/command-dispatcher.ts';
import type { ClaimedCommand, CommandQueue, Doorbell } from '../ports/command-queue.ts';
import type { Logger } from '../ports/logger.ts';
import { createHandovers } from './handovers.ts';
import { createMarks } from './marks.ts';
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
   * Whether commands that come in numbers wait for the batch under way as well, up to a poll: for an engine that settles many at once
   * for far less each. (Default: false)
   */
  readonly gather?: boolean;
  /** How long to sleep if nobody rings; covers every lost bell. (Default: 500) */
  readonly pollIntervalMs?: number;
}

const longestBackOffMs = 10_000;
/** Fewer under way are calm: each command is claimed as it comes. */
const fewestToGather = 5;
/** For each that is under way: the more there are, the more come meanwhile, and share a claim. */
const gatherMsPerCommand = 8;
const longestGatherMs = 400;

/**
 * Moves commands from the queue to an engine until the signal aborts; then claims no more, finishes what it has begun to hand over,
 * gives the rest back and resolves. A claim need not wait for the handovers of the last one: at most two batches are under way.
 * Faults of queue or engine are logged and waited out: 0.5 s, doubling to 10 s.
 */
export async function pumpCommands(deps: PumpDeps, signal: AbortSignal): Promise<void> {
  const { clock, log, batchSize = 100, gather = false, pollIntervalMs = 500 } = deps;
  const handovers = createHandovers();
  const marks = createMarks(deps);
  let failures = 0;
  /** Whether the last claims brought all that there was. */
  let isDrained = false;

  /** If one kind is in trouble the other goes on. */
  async function pumpBatch(): Promise<void> {
    if (signal.aborted) return;
    handovers.throwFault();
    const [commands = 0, processes = 0] = await settleAll([dispatchBatch(), deps.wakeProcesses(batchSize)]);
    isDrained = commands < batchSize && processes < batchSize;
    if (commands + processes + handovers.count() === 0) recovered();
  }

  async function dispatchBatch(): Promise<number> {
    const commands = await deps.queue.claim(batchSize);
    if (signal.aborted) {
      await settleAll(commands.map((command) => deps.queue.release(command)));
      return 0;
    }
    const begun = deps.dispatcher.dispatchAll(commands);
    for (const [index, command] of commands.entries()) handovers.add(handOver(command, begun[index]!).then(recovered));
    return commands.length;
  }

  /** What has ended needs no mark: its outcome says more. */
  async function handOver(command: ClaimedCommand, handover: Promise<Handover>): Promise<void> {
    const { tenantId, commandId, type } = command;
    try {
      if ((await handover) === 'ended') return;
    } catch (error) {
      // If the queue is away too, the lease ends by itself.
      await deps.queue.release(command).catch(() => {});
      throw error;
    }
    marks.add(command);
    log.debug({ tenantId, commandId, type }, 'Dispatched');
  }

  /** As far as is known: an engine that has taken a command does not tell its end, but anyone who marks it sees whether it has come. */
  function underWay(): number {
    return handovers.count() + marks.countSlow();
  }

  function recovered(): void {
    failures = 0;
  }

  /** While it is calm it keeps its wait slot, and looks at the queue at each ring. */
  async function waitUntilBusy(): Promise<void> {
    const slot = await deps.doorbell.takeWaitSlot();
    try {
      do await pumpBatch();
      while (isDrained && underWay() < fewestToGather && (await slot.wait(pollIntervalMs, signal)));
    } finally {
      await slot.release();
    }
  }

  /** Without a wait slot, so that nobody has to ring. */
  async function gatherBatch(): Promise<void> {
    const gatherMs = Math.min(underWay() * gatherMsPerCommand, longestGatherMs);
    if (gather) await forAPollAtMost(handovers.allAreOver());
    await clock.sleep(gatherMs, signal);
    await pumpBatch();
  }

  async function forAPollAtMost(over: Promise<void>): Promise<void> {
    const enough = new AbortController();
    await Promise.race([over, clock.sleep(pollIntervalMs, AbortSignal.any([signal, enough.signal]))]);
    enough.abort();
  }

  while (!signal.aborted) {
    try {
      if (handovers.count() >= batchSize) await forAPollAtMost(handovers.oneIsOver());
      else if (!isDrained) await pumpBatch();
      else if (underWay() >= fewestToGather) await gatherBatch();
      else await waitUntilBusy();
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
  await marks.close();
}
