import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { CommandExecutions } from '../../ports/open-commands.ts';
import { commandStart, commandWorkflowId } from './workflow-starts.ts';
import type { commandWorkflow } from './workflows/index.ts';

export interface CommandExecutionsDeps {
  readonly client: Client;
  /** How many shared task queues of a kind the tenants are spread over. */
  readonly sharedQueues: number;
}

export function createCommandExecutions({ client, sharedQueues }: CommandExecutionsDeps): CommandExecutions {
  return {
    async isRunning(command) {
      try {
        const { status } = await client.workflow.getHandle(commandWorkflowId(command)).describe();
        return status.name === 'RUNNING';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },

    async countSince(command, since) {
      const { count } = await client.workflow.count(`WorkflowId = '${commandWorkflowId(command)}' AND StartTime >= '${since.toISOString()}'`);
      return count;
    },

    // Whatever has become of the last one, also if it has ended and it is the database that was set back.
    async startAgain(command) {
      await client.workflow.start<typeof commandWorkflow>('commandWorkflow', {
        ...commandStart(command, sharedQueues),
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      });
    },

    async giveUp(command, reason) {
      const start = commandStart(command, sharedQueues);
      await client.workflow.start<typeof commandWorkflow>('commandWorkflow', {
        ...start,
        args: [...start.args, { giveUp: reason }] as Parameters<typeof commandWorkflow>,
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      });
    },
  };
}
