import { ActivityFailure, ApplicationFailure, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { CommandReference } from '../../../ports/command-queue.ts';
import type { CommandStatus } from '../../../ports/command-store.ts';
import type { Activities } from '../activities.ts';

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

/** One command, from its dispatch to its one outcome. A dead letter ends the workflow as failed, so that it can be started again. */
export async function commandWorkflow(command: CommandReference): Promise<CommandStatus> {
  try {
    return await executeCommand(command);
  } catch (error) {
    const { name, message } = rootOf(error);
    await deadLetterCommand(command, { name, message });
    throw ApplicationFailure.nonRetryable('The command is dead-lettered', name);
  }
}

function rootOf(error: unknown): Error {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  if (cause instanceof ApplicationFailure) return Object.assign(new Error(cause.message), { name: cause.type ?? cause.name });
  return cause instanceof Error ? cause : new Error(String(cause));
}
