import { ActivityFailure, ApplicationFailure, continueAsNew, proxyActivities, proxyLocalActivities, sleep, TimeoutFailure, workflowInfo } from '@temporalio/workflow';
import type { CommandReference } from '../../../ports/command-queue.ts';
import type { CommandStatus } from '../../../ports/command-store.ts';
import type { Activities } from '../activities.ts';
import { rootOf } from './root-of.ts';

// A passing fault (the database is away, a stream under contention) is waited out, however long it lasts. From a second on a pause is
// a timer of the server, so that a worker holds nothing open meanwhile; after an hour's attempts the history begins anew.
const { executeCommand } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '20 seconds',
  localRetryThreshold: '1 second',
  retry: { initialInterval: '100 milliseconds', backoffCoefficient: 2, maximumInterval: '15 seconds', maximumAttempts: 250 },
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
      if (passes(error)) await continueAsNew<typeof commandWorkflow>(command);
      const root = rootOf(error);
      if (!waitsForDeploy.has(root.name)) return deadLetter(command, root);
    }
    // What a newer release has written waits for that release, and every command for the schema, for as long as the deploy takes.
    await sleep(1_000 * Math.min(2 ** waits, longestWaitSeconds));
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof commandWorkflow>(command);
  }
}

/** Whether the attempts are used up, and the next may succeed. What an activity throws for good is marked so. */
function passes(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof TimeoutFailure || (cause instanceof ApplicationFailure && !cause.nonRetryable);
}

async function deadLetter(command: CommandReference, { name, message }: { name: string; message: string }): Promise<never> {
  await deadLetterCommand(command, { name, message });
  throw ApplicationFailure.nonRetryable('The command is dead-lettered', name);
}
