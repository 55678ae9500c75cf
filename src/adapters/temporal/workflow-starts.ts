import type { WorkflowStartOptions } from '@temporalio/client';
import type { CommandReference } from '../../ports/command-queue.ts';
import type { ProcessReference } from '../../ports/process-store.ts';
import { queueFor, type QueueOwner } from './task-queues.ts';
import { tenantAttributes } from './tenant-attribute.ts';
import type { commandWorkflow, processWorkflow } from './workflows/index.ts';

/**
 * After which a Worker that took a step of a workflow is given up, and another takes it. Ours answer within milliseconds, and while a
 * local activity takes longer, the SDK asks for more time.
 */
const workflowTaskTimeout = '5 seconds';

interface Tenant extends QueueOwner {
  /** The tenant's share of a shared queue that is full. */
  readonly fairnessWeight: number;
}

export interface CommandToStart extends CommandReference, Tenant {
  readonly type: string;
  readonly correlationId: string;
}

export interface ProcessToStart extends ProcessReference, Tenant {
  readonly correlationId: string | null;
}

export function commandWorkflowId({ tenantId, commandId }: CommandReference): string {
  return `${tenantId}/command/${commandId}`;
}

export function processWorkflowId({ tenantId, process, key }: ProcessReference): string {
  return `${tenantId}/process/${process}/${key}`;
}

export function commandStart(command: CommandToStart, sharedCount: number) {
  const { tenantId, commandId, type, correlationId } = command;
  return {
    workflowId: commandWorkflowId(command),
    taskQueue: queueFor('commands', command, sharedCount),
    args: [{ tenantId, commandId }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    memo: { type, correlationId },
    ...ofTenant(command),
  } satisfies WorkflowStartOptions<typeof commandWorkflow>;
}

export function processStart(reference: ProcessToStart, sharedCount: number) {
  const { tenantId, process, key, correlationId } = reference;
  return {
    workflowId: processWorkflowId(reference),
    taskQueue: queueFor('processes', reference, sharedCount),
    args: [{ tenantId, process, key }],
    memo: { type: process, correlationId },
    ...ofTenant(reference),
  } satisfies WorkflowStartOptions<typeof processWorkflow>;
}

/** What all of a tenant's workflows have in common, no matter who starts them. */
export function ofTenant({ tenantId, fairnessWeight }: Tenant) {
  return { typedSearchAttributes: tenantAttributes(tenantId), priority: { fairnessKey: tenantId, fairnessWeight }, workflowTaskTimeout } as const;
}
