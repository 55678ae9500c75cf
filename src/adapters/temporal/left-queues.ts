import type { Client } from '@temporalio/client';
import { dedicatedQueuePrefix, dedicatedQueues, queueFor } from './task-queues.ts';

/** Looked at in one go; the others are found the next time. */
const maxWorkflows = 500;

/**
 * The task queues of tenants that are not dedicated any more, on which workflows still run. Commands come to their end there; the
 * workflows of process managers, which may wait for weeks, are told to move to the shared queue.
 */
export async function leaveOldQueues(client: Client, dedicatedTenants: readonly string[], sharedCount: number): Promise<Set<string>> {
  const left = new Set<string>();
  let looked = 0;
  for await (const { taskQueue, workflowId, runId } of client.workflow.list({ query: runningOnOldQueues(dedicatedTenants) })) {
    left.add(taskQueue);
    if (taskQueue.startsWith(dedicatedQueuePrefix('processes'))) {
      const [tenantId = ''] = workflowId.split('/');
      const shared = queueFor('processes', { tenantId, isolation: 'shared' }, sharedCount);
      // It may have ended since.
      await client.workflow.getHandle(workflowId, runId).signal('wake', shared).catch(() => {});
    }
    looked += 1;
    if (looked === maxWorkflows) break;
  }
  return left;
}

function runningOnOldQueues(dedicatedTenants: readonly string[]): string {
  const queues = (['commands', 'processes'] as const).map((work) => `TaskQueue STARTS_WITH '${dedicatedQueuePrefix(work)}'`);
  const served = dedicatedTenants.flatMap(dedicatedQueues).map((taskQueue) => `'${taskQueue}'`);
  const others = served.length === 0 ? '' : ` AND TaskQueue NOT IN (${served.join(', ')})`;
  return `ExecutionStatus = 'Running' AND (${queues.join(' OR ')})${others}`;
}
