import { setTimeout as sleep } from 'node:timers/promises';
import type { HandleCommand } from '../../application/handle-command.ts';
import type { CommandDispatcher } from '../../ports/command-dispatcher.ts';
import type { CommandReference } from '../../ports/command-queue.ts';
import type { CommandStore } from '../../ports/command-store.ts';
import { CommandSettled, isPassing } from '../../ports/errors.ts';
import type { Logger } from '../../ports/logger.ts';

const maxAttempts = 5;
const firstPauseMs = 50;

export interface InlineDispatcherDeps {
  readonly handleCommand: HandleCommand;
  readonly store: CommandStore;
  readonly log: Logger;
}

/**
 * Executes a command in this process. As durable as the other engine, since append and outcome commit together; but it has no
 * timers and makes no outside calls. A fault that does not pass in a few tries is thrown, and the command waits for its next claim.
 */
export function createInlineDispatcher({ handleCommand, store, log }: InlineDispatcherDeps): CommandDispatcher {
  async function execute(command: CommandReference): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await handleCommand(command);
        return;
      } catch (error) {
        if (!isPassing(error)) return deadLetter(command, error);
        if (attempt === maxAttempts) throw error;
        await sleep(firstPauseMs * 2 ** (attempt - 1) * (0.5 + Math.random()));
      }
    }
  }

  async function deadLetter(command: CommandReference, error: unknown): Promise<void> {
    if (error instanceof CommandSettled) return;
    log.error({ ...command, err: error }, 'A command is dead-lettered');
    await store.fail(command, describe(error));
  }

  return { dispatch: ({ tenantId, commandId }) => execute({ tenantId, commandId }) };
}

function describe(error: unknown): { name: string; message: string } {
  return error instanceof Error ? { name: error.name, message: error.message } : { name: 'Error', message: String(error) };
}
