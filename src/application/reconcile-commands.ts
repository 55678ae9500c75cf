import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { CommandExecutions, OpenCommand, OpenCommands } from '../ports/open-commands.ts';

export interface ReconcileDeps {
  readonly openCommands: OpenCommands;
  readonly executions: CommandExecutions;
  readonly clock: Clock;
  readonly log: Logger;
  /** Between two looks, give or take a quarter. (Default: 10,000) */
  readonly intervalMs?: number;
  /** So long an execution may take before it is asked for. (Default: 10,000) */
  readonly patienceMs?: number;
}

/** Looked at in one go: what is open for long is rare, unless an engine is far behind, and then it is running. */
const maxCommands = 500;
const concurrency = 16;
/** A command whose executions have come to nothing so often is set aside. */
const maxExecutions = 5;

/**
 * Finds commands whose execution is lost (terminated, or forgotten with its whole server) and starts it again, until the signal
 * aborts. An engine or a database that is away is waited for.
 */
export async function reconcileCommands(deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  const { clock, log, intervalMs = 10_000 } = deps;
  while (!signal.aborted) {
    // Many pumps should not look all at once.
    await clock.sleep(intervalMs * (0.75 + Math.random() / 2), signal);
    if (signal.aborted) return;
    try {
      await reconcileOnce(deps, signal);
    } catch (error) {
      log.warn({ err: error }, 'Lost commands could not be looked for; trying again');
    }
  }
}

async function reconcileOnce({ openCommands, executions, log, patienceMs = 10_000 }: ReconcileDeps, signal: AbortSignal): Promise<void> {
  const waiting = [...(await openCommands.list(patienceMs, maxCommands))];

  async function reconcile(command: OpenCommand): Promise<void> {
    if (await executions.isRunning(command)) return;
    const { tenantId, commandId, type, dispatchedAt } = command;
    // The first has begun before. What was lost before an operator's retry does not count against it.
    const count = 1 + (await executions.countSince(command, dispatchedAt));
    if (count >= maxExecutions) {
      log.error({ tenantId, commandId, type, count }, 'The executions of a command were lost again and again: it is dead-lettered');
      return executions.giveUp(command, { name: 'ExecutionsLost', message: `${count} executions of this command came to nothing.` });
    }
    log.warn({ tenantId, commandId, type, count }, 'The execution of a command was lost: it is started again');
    return executions.startAgain(command);
  }

  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined && !signal.aborted; next = waiting.shift()) await reconcile(next);
  }
  await Promise.all(Array.from({ length: concurrency }, work));
}
