import { setTimeout as sleep } from 'node:timers/promises';
import type { HandleBatch, HandledBatch } from '../../application/handle-batch.ts';
import type { HandleCommand } from '../../application/handle-command.ts';
import type { CommandDispatcher } from '../../ports/command-dispatcher.ts';
import type { ClaimedCommand, CommandReference } from '../../ports/command-queue.ts';
import type { CommandStore } from '../../ports/command-store.ts';
import { CommandSettled, FoldUnfinished, isPassing } from '../../ports/errors.ts';
import type { Logger } from '../../ports/logger.ts';
import { createLanes } from './lanes.ts';

/** What claims for this engine should bring: a tenant's share is settled in one transaction, and the more there are in it, the cheaper each. */
export const inlineBatches = { batchSize: 400, gather: true } as const;

const maxAttempts = 5;
const firstPauseMs = 50;

export interface InlineDispatcherDeps {
  readonly handleBatch: HandleBatch;
  readonly handleCommand: HandleCommand;
  readonly store: CommandStore;
  readonly log: Logger;
  /** Tenants that are served side by side, each on a connection of its own. (Default: 4) */
  readonly tenantsAtOnce?: number;
}

/**
 * Executes commands in this process, all of a tenant together. As durable as the other engine, since append and outcome commit
 * together; but it has no timers and makes no outside calls. Nothing is marked as dispatched: until its outcome a command is under
 * its claim's lease, and if that ends first and another pump takes over, the store settles for one of them. A fault that does
 * not pass in a few tries is thrown, and what is still open waits for its next claim.
 */
export function createInlineDispatcher({ handleBatch, handleCommand, store, log, tenantsAtOnce = 4 }: InlineDispatcherDeps): CommandDispatcher {
  const inLane = createLanes(tenantsAtOnce);

  async function executeAll(tenantId: string, commands: readonly ClaimedCommand[]): Promise<void> {
    const { settled, bugs } = await handleTogether(tenantId, commands);
    for (const [commandId, error] of bugs) await deadLetter({ tenantId, commandId }, error);
    for (const { commandId } of commands) {
      if (!settled.has(commandId) && !bugs.has(commandId)) await execute({ tenantId, commandId });
    }
  }

  /** Nothing is settled if the batch as a whole is refused: one by one, only what is wrong is dead-lettered. */
  async function handleTogether(tenantId: string, commands: readonly ClaimedCommand[]): Promise<HandledBatch> {
    try {
      return await patiently(() => handleBatch(tenantId, commands.map(({ commandId }) => commandId)));
    } catch (error) {
      if (isPassing(error)) throw error;
      log.error({ tenantId, err: error }, 'A batch is refused; its commands are executed one by one');
      return { settled: new Set(), bugs: new Map() };
    }
  }

  async function execute(command: CommandReference): Promise<void> {
    try {
      await patiently(() => handleCommand(command));
    } catch (error) {
      if (isPassing(error)) throw error;
      await deadLetter(command, error);
    }
  }

  async function deadLetter(command: CommandReference, error: unknown): Promise<void> {
    try {
      await store.fail(command, describe(error));
      log.error({ ...command, err: error }, 'A command is dead-lettered');
    } catch (failure) {
      // Another execution was faster.
      if (!(failure instanceof CommandSettled)) throw failure;
    }
  }

  return {
    dispatchAll(commands) {
      const executions = new Map(
        [...Map.groupBy(commands, ({ tenantId }) => tenantId)].map(([tenantId, own]) => [tenantId, inLane(() => executeAll(tenantId, own))]),
      );
      return commands.map(async ({ tenantId }) => {
        await executions.get(tenantId);
        return 'ended';
      });
    },
  };
}

/** Repeats it while its fault is one that passes. */
async function patiently<Value>(work: () => Promise<Value>): Promise<Value> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      // What is folded so far is kept: each attempt comes further.
      if (error instanceof FoldUnfinished) attempt -= 1;
      else if (!isPassing(error) || attempt === maxAttempts) throw error;
      await sleep(firstPauseMs * 2 ** Math.max(0, attempt - 1) * (0.5 + Math.random()));
    }
  }
}

function describe(error: unknown): { name: string; message: string } {
  return error instanceof Error ? { name: error.name, message: error.message } : { name: 'Error', message: String(error) };
}
