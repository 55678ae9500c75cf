import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { CommandDispatcher, Handover } from '../../ports/command-dispatcher.ts';
import type { ClaimedCommand } from '../../ports/command-queue.ts';
import { commandStart } from './workflow-starts.ts';
import type { commandWorkflow } from './workflows/index.ts';

export interface TemporalDispatcherDeps {
  readonly client: Client;
  /** How many shared task queues of a kind the tenants are spread over. */
  readonly sharedQueues: number;
  /** Whether this process runs Workers on the client's connection: the first task of a workflow then skips the server's queue. */
  readonly eager: boolean;
}

/** A server that does not answer by then is as good as one that is away. */
const deadlineMs = 5_000;

/** Starts one workflow a command; its id makes a repeated start harmless. */
export function createTemporalDispatcher({ client, sharedQueues, eager }: TemporalDispatcherDeps): CommandDispatcher {
  async function start(command: ClaimedCommand): Promise<Handover> {
    try {
      await client.withDeadline(Date.now() + deadlineMs, () =>
        client.workflow.start<typeof commandWorkflow>('commandWorkflow', {
          ...commandStart(command, sharedQueues),
          workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
          requestEagerStart: eager,
        }),
      );
    } catch (error) {
      // It has run before, and has ended with an outcome.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    return 'started';
  }

  return { dispatchAll: (commands) => commands.map(start) };
}
