import { ApplicationFailure, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { CommandReference } from '../../../ports/command-queue.ts';
import type { CommandStatus } from '../../../ports/command-store.ts';
import type { Activities } from '../activities.ts';
import { rootOf } from './root-of.ts';

// A passing fault (the database is away, a stream under contention) is waited out; after an hour the command is dead-lettered.
const { executeCommand } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '20 seconds',
  scheduleToCloseTimeout: '1 hour',
  retry: { initialInterval: '100 milliseconds', backoffCoefficient: 2, maximumInterval: '15 seconds' },
});

// No command stays open for ever: the dead letter is written whenever the database is there again.
const { deadLetterCommand } = proxyActivities<Activities>({
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

export interface CommandOptions {
  /** Not to be executed any more, and why: the reconciler has started it again in vain. */
  readonly giveUp?: { readonly name: string; readonly message: string };
}

/** One command, from its dispatch to its one outcome. A dead letter ends the workflow as failed, so that it can be started again. */
export async function commandWorkflow(command: CommandReference, { giveUp }: CommandOptions = {}): Promise<CommandStatus> {
  if (giveUp !== undefined) return deadLetter(command, giveUp);
  try {
    return await executeCommand(command);
  } catch (error) {
    return deadLetter(command, rootOf(error));
  }
}

async function deadLetter(command: CommandReference, { name, message }: { name: string; message: string }): Promise<never> {
  await deadLetterCommand(command, { name, message });
  throw ApplicationFailure.nonRetryable('The command is dead-lettered', name);
}
