import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { CommandDispatcher } from '../../ports/command-dispatcher.ts';
import { commandQueueFor } from './task-queues.ts';
import type { commandWorkflow } from './workflows/index.ts';

const tenantIdAttribute = defineSearchAttributeKey('TenantId', SearchAttributeType.KEYWORD);

export interface TemporalDispatcherDeps {
  readonly client: Client;
  /** How many shared task queues the tenants are spread over. */
  readonly sharedQueues: number;
  /** Whether this process runs Workers on the client's connection: the first task of a workflow then skips the server's queue. */
  readonly eager: boolean;
}

/** Starts one workflow a command; its id makes a repeated start harmless. */
export function createTemporalDispatcher({ client, sharedQueues, eager }: TemporalDispatcherDeps): CommandDispatcher {
  return {
    async dispatch(command) {
      const { tenantId, commandId, type, correlationId } = command;
      try {
        await client.workflow.start<typeof commandWorkflow>('commandWorkflow', {
          workflowId: `${tenantId}/command/${commandId}`,
          taskQueue: commandQueueFor(command, sharedQueues),
          args: [{ tenantId, commandId }],
          workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
          workflowIdConflictPolicy: 'USE_EXISTING',
          requestEagerStart: eager,
          memo: { type, correlationId },
          typedSearchAttributes: [{ key: tenantIdAttribute, value: tenantId }],
          priority: { fairnessKey: tenantId },
        });
      } catch (error) {
        // It has run before, and has ended with an outcome.
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    },
  };
}
