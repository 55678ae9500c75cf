import { ApplicationFailure, continueAsNew, proxyActivities, proxyLocalActivities, sleep, workflowInfo } from '@temporalio/workflow';
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

/** What a deploy ends, of the worker or of the schema: the names of these errors. */
const waitsForDeploy: ReadonlySet<string> = new Set(['ReleaseOutdated', 'SchemaUnfit']);
const longestWaitSeconds = 60;

// No command stays open for ever because of a fault: the dead letter is written whenever the database is there again.
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
  for (let waits = 0; ; waits += 1) {
    try {
      return await executeCommand(command);
    } catch (error) {
      const root = rootOf(error);
      if (!waitsForDeploy.has(root.name)) return deadLetter(command, root);
    }
    // What a newer release has written waits for that release, and every command for the schema, for as long as the deploy takes.
    await sleep(1_000 * Math.min(2 ** waits, longestWaitSeconds));
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof commandWorkflow>(command);
  }
}

async function deadLetter(command: CommandReference, { name, message }: { name: string; message: string }): Promise<never> {
  await deadLetterCommand(command, { name, message });
  throw ApplicationFailure.nonRetryable('The command is dead-lettered', name);
}
