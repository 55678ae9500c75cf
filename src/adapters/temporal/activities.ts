import { ApplicationFailure } from '@temporalio/activity';
import type { HandleCommand } from '../../application/handle-command.ts';
import type { CommandReference } from '../../ports/command-queue.ts';
import type { CommandStatus, CommandStore } from '../../ports/command-store.ts';
import { CommandSettled, isPassing } from '../../ports/errors.ts';
import type { Logger } from '../../ports/logger.ts';

export interface ActivitiesDeps {
  readonly handleCommand: HandleCommand;
  readonly store: CommandStore;
  readonly log: Logger;
}

export type Activities = ReturnType<typeof createActivities>;

/** What workflows do to the world. Arguments and results are ids and words only: no payload enters Temporal's history. */
export function createActivities({ handleCommand, store, log }: ActivitiesDeps) {
  return {
    /** Loads, decides, appends and settles. A fault that passes is thrown as it is, and retried; any other is not. */
    async executeCommand(command: CommandReference): Promise<CommandStatus> {
      try {
        return await handleCommand(command);
      } catch (error) {
        if (isPassing(error)) throw error;
        throw ApplicationFailure.fromError(error, { nonRetryable: true });
      }
    },

    /** Dead-letters the command, unless it has ended after all. */
    async deadLetterCommand(command: CommandReference, error: { name: string; message: string }): Promise<void> {
      log.error({ ...command, error }, 'A command is dead-lettered');
      try {
        await store.fail(command, error);
      } catch (failure) {
        if (failure instanceof CommandSettled) return;
        throw failure;
      }
    },
  };
}
